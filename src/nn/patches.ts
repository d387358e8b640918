/** Patches of channels-first images, as columns. */
import { ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import { stack, type Tensor } from "../tensor/index.ts";
import type { Pair } from "./windows.ts";

export interface PatchGeometry {
  readonly strides: Pair;
  readonly dilation: Pair;
  /** Zeros on both sides: [height, width]. */
  readonly padding: Pair;
}

/**
 * Every window of (N, C, H, W) as a column: (N, C·h·w, positions), channels outermost, positions in reading order. What a convolution
 * multiplies with its kernels.
 */
export function patchColumns(owner: string, x: Tensor, window: Pair, geometry: PatchGeometry): Tensor {
  const { strides, dilation, padding } = geometry;
  const [batch, channels] = x.shape;
  const padded = x.pad([
    [0, 0],
    [0, 0],
    [padding[0], padding[0]],
    [padding[1], padding[1]],
  ]);
  const reach = (axis: 0 | 1): number => (window[axis] - 1) * dilation[axis] + 1;
  const count = (axis: 0 | 1): number => Math.floor((padded.shape[axis + 2] - reach(axis)) / strides[axis]) + 1;
  const [rows, columns] = [count(0), count(1)];
  if (rows < 1 || columns < 1) {
    throw new ShapeError(
      `${owner}: a window of ${window.join("x")} (dilation ${dilation.join("x")}) does not fit into an input of shape ${formatShape(x.shape)}.`,
    );
  }
  const taps: Tensor[] = [];
  for (let i = 0; i < window[0]; i++) {
    for (let j = 0; j < window[1]; j++) {
      const [top, left] = [i * dilation[0], j * dilation[1]];
      const end = [batch, channels, top + (rows - 1) * strides[0] + 1, left + (columns - 1) * strides[1] + 1];
      taps.push(padded.slice([0, 0, top, left], end, [1, 1, strides[0], strides[1]]));
    }
  }
  return stack(taps, 2).reshape([batch, channels * window[0] * window[1], rows * columns]);
}
