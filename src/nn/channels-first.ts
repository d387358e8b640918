/** Between channels-first data (batch, channels, length) or (batch, channels, height, width) and the channels-last layout that kernels use. */
import { ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import type { Tensor } from "../tensor/index.ts";

/** (N, C, …) to (N, …, C). */
export function toChannelsLast(x: Tensor): Tensor {
  return x.permute([0, ...spatialAxes(x).map((axis) => axis + 2), 1]);
}

/** (N, …, C) to (N, C, …). */
export function toChannelsFirst(x: Tensor): Tensor {
  return x.permute([0, x.rank - 1, ...spatialAxes(x).map((axis) => axis + 1)]);
}

function spatialAxes(x: Tensor): number[] {
  if (x.rank < 2) throw new ShapeError(`data of shape ${formatShape(x.shape)} has no axes for batch and channels.`);
  return Array.from({ length: x.rank - 2 }, (_, axis) => axis);
}

/** Runs a function of images (N, C, H, W) on sequences (N, C, L), which are images of height 1. */
export function asImages(x: Tensor, run: (images: Tensor) => Tensor): Tensor {
  return run(x.unsqueeze(2)).squeeze(2);
}

/** Runs a function that needs a batch axis on data that may lack it: `rank` axes are data without a batch. */
export function withBatch(x: Tensor, rank: number, run: (batched: Tensor) => Tensor): Tensor {
  return x.rank === rank ? run(x.unsqueeze(0)).squeeze(0) : run(x);
}
