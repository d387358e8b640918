import { ArgumentError, ShapeError } from "../../../errors.ts";
import { formatShape, sameShape } from "../../../graph/shape.ts";
import { asImages, withBatch } from "../../../nn/channels-first.ts";
import {
  channelsFirstAdaptivePool,
  channelsFirstAveragePool,
  channelsFirstMaxPlaces,
  channelsFirstMaxPool,
  channelsFirstMaxUnpool,
} from "../../../nn/channels-first-pooling.ts";
import { type Pair, pairOf } from "../../../nn/windows.ts";
import type { Tensor } from "../../../tensor/index.ts";
import { asRow, checkRank, type Size1, type Size2 } from "./geometry.ts";

interface PoolOptions<Size> {
  /** Default: the window. */
  readonly stride?: Size;
  readonly padding?: Size;
  /** Round the number of positions up. */
  readonly ceilMode?: boolean;
}
interface MaxPoolOptions<Size> extends PoolOptions<Size> {
  readonly dilation?: Size;
  /** Gives [maxima, indices]: where each maximum stands in its image or sequence, counted row by row (i32). What `maxUnpool2d` takes. */
  readonly returnIndices?: boolean;
}
interface AvgPoolOptions<Size> extends PoolOptions<Size> {
  /** Whether padding counts as zeros in the average (default true). */
  readonly countIncludePad?: boolean;
}
export type MaxPool1dOptions = MaxPoolOptions<Size1>;
export type MaxPool2dOptions = MaxPoolOptions<Size2>;
export type AvgPool1dOptions = AvgPoolOptions<Size1>;
export interface AvgPool2dOptions extends AvgPoolOptions<Size2> {
  /** Divides the sum of each window instead of the number of its cells. */
  readonly divisorOverride?: number | null;
}

const images = "(batch, channels, height, width) or (channels, height, width)";
const sequences = "(batch, channels, length) or (channels, length)";

/** An argument given as options or, as in Python's second position, as the stride. */
export function strideOrOptions<Size extends number | readonly number[], Options extends { readonly stride?: Size }>(
  value: Size | Options | undefined,
): Options {
  if (typeof value === "number" || Array.isArray(value)) return { stride: value } as unknown as Options;
  return (value ?? {}) as Options;
}

function geometryOf(owner: string, window: Pair, options: PoolOptions<Size2>) {
  const padding = pairOf(owner, "padding", options.padding ?? 0, 0);
  if (padding.some((amount, axis) => amount > window[axis] / 2)) {
    throw new ArgumentError(
      `${owner}: padding ${padding.join("x")} must be at most half of the window ${window.join("x")}.`,
    );
  }
  const strides = pairOf(owner, "stride", options.stride ?? window);
  return { strides, padding, ceilMode: options.ceilMode ?? false };
}

/** Options that ask for the places of the maxima. */
type WithIndices<Options> = Options & { readonly returnIndices: true };

/** Largest element of each window of images, and with `returnIndices` where it stands. After torch.nn.functional.max_pool2d. */
export function maxPool2d(
  x: Tensor,
  kernelSize: Size2,
  settings: WithIndices<MaxPool2dOptions>,
  owner?: string,
): [output: Tensor, indices: Tensor];
export function maxPool2d(
  x: Tensor,
  kernelSize: Size2,
  strideOrSettings?: Size2 | (MaxPool2dOptions & { readonly returnIndices?: false }),
  owner?: string,
): Tensor;
/** @internal As the options say. */
export function maxPool2d(
  x: Tensor,
  kernelSize: Size2,
  strideOrSettings?: Size2 | MaxPool2dOptions,
  owner?: string,
): Tensor | [output: Tensor, indices: Tensor];
export function maxPool2d(
  x: Tensor,
  kernelSize: Size2,
  strideOrSettings?: Size2 | MaxPool2dOptions,
  owner = "maxPool2d",
): Tensor | [output: Tensor, indices: Tensor] {
  checkRank(owner, x, [3, 4], images);
  const options = strideOrOptions<Size2, MaxPool2dOptions>(strideOrSettings);
  const window = pairOf(owner, "kernelSize", kernelSize);
  const geometry = {
    ...geometryOf(owner, window, options),
    dilation: pairOf(owner, "dilation", options.dilation ?? 1),
  };
  const output = withBatch(x, 3, (batch) => channelsFirstMaxPool(batch, window, geometry));
  if (!options.returnIndices) return output;
  const [batch, maxima] = x.rank === 3 ? [x.unsqueeze(0), output.unsqueeze(0)] : [x, output];
  const places = channelsFirstMaxPlaces(batch, maxima, window, geometry);
  return [output, x.rank === 3 ? places.squeeze(0) : places];
}

export interface MaxUnpoolOptions {
  /** Default: the window. */
  readonly stride?: Size2;
  readonly padding?: Size2;
  /** Height and width of the result, where pooling left some out: within one stride of what the window says. */
  readonly outputSize?: readonly number[];
}

/** The reverse of `maxPool2d` with `returnIndices`: images of zeros with the maxima at their places. After torch.nn.functional.max_unpool2d. */
export function maxUnpool2d(
  x: Tensor,
  indices: Tensor,
  kernelSize: Size2,
  strideOrSettings?: Size2 | MaxUnpoolOptions,
  owner = "maxUnpool2d",
): Tensor {
  checkRank(owner, x, [3, 4], images);
  if (!sameShape(x.shape, indices.shape)) {
    throw new ShapeError(
      `${owner}: indices must have the shape ${formatShape(x.shape)} of the input, received ${formatShape(indices.shape)}.`,
    );
  }
  const options = strideOrOptions<Size2, MaxUnpoolOptions>(strideOrSettings);
  const window = pairOf(owner, "kernelSize", kernelSize);
  const strides = pairOf(owner, "stride", options.stride ?? window);
  const padding = pairOf(owner, "padding", options.padding ?? 0, 0);
  const usual = ([0, 1] as const).map((axis) => unpooledLength(x.shape[x.rank - 2 + axis], axis));
  function unpooledLength(count: number, axis: 0 | 1): number {
    return (count - 1) * strides[axis] - 2 * padding[axis] + window[axis];
  }
  const size = (options.outputSize ?? usual).slice(-2);
  if (size.length !== 2 || size.some((extent, axis) => Math.abs(extent - usual[axis]) >= strides[axis])) {
    throw new ArgumentError(
      `${owner}: outputSize must be within one stride of ${usual.join(" x ")}, received ${size.join(" x ")}.`,
    );
  }
  const run = (batch: Tensor, places: Tensor): Tensor => channelsFirstMaxUnpool(batch, places, [size[0], size[1]]);
  return x.rank === 3 ? run(x.unsqueeze(0), indices.unsqueeze(0)).squeeze(0) : run(x, indices);
}

/** Largest element of each window of sequences, and with `returnIndices` where it stands. After torch.nn.functional.max_pool1d. */
export function maxPool1d(
  x: Tensor,
  kernelSize: Size1,
  settings: WithIndices<MaxPool1dOptions>,
  owner?: string,
): [output: Tensor, indices: Tensor];
export function maxPool1d(
  x: Tensor,
  kernelSize: Size1,
  strideOrSettings?: Size1 | (MaxPool1dOptions & { readonly returnIndices?: false }),
  owner?: string,
): Tensor;
/** @internal As the options say. */
export function maxPool1d(
  x: Tensor,
  kernelSize: Size1,
  strideOrSettings?: Size1 | MaxPool1dOptions,
  owner?: string,
): Tensor | [output: Tensor, indices: Tensor];
export function maxPool1d(
  x: Tensor,
  kernelSize: Size1,
  strideOrSettings?: Size1 | MaxPool1dOptions,
  owner = "maxPool1d",
): Tensor | [output: Tensor, indices: Tensor] {
  checkRank(owner, x, [2, 3], sequences);
  const options = strideOrOptions<Size1, MaxPool1dOptions>(strideOrSettings);
  const settings: MaxPool2dOptions = {
    ...options,
    stride: asRow(owner, "stride", options.stride ?? kernelSize, 1),
    padding: asRow(owner, "padding", options.padding ?? 0, 0, 0),
    dilation: asRow(owner, "dilation", options.dilation ?? 1, 1),
  };
  const window = asRow(owner, "kernelSize", kernelSize, 1);
  const rows = x.unsqueeze(x.rank - 1);
  const result = maxPool2d(rows, window, settings, owner);
  if (!Array.isArray(result)) return result.squeeze(x.rank - 1);
  return [result[0].squeeze(x.rank - 1), result[1].squeeze(x.rank - 1)];
}

/** Mean of each window of images. After torch.nn.functional.avg_pool2d. */
export function avgPool2d(
  x: Tensor,
  kernelSize: Size2,
  strideOrSettings?: Size2 | AvgPool2dOptions,
  owner = "avgPool2d",
): Tensor {
  checkRank(owner, x, [3, 4], images);
  const options = strideOrOptions<Size2, AvgPool2dOptions>(strideOrSettings);
  if (options.divisorOverride === 0) throw new ArgumentError(`${owner}: divisorOverride must not be 0.`);
  const window = pairOf(owner, "kernelSize", kernelSize);
  const geometry = {
    ...geometryOf(owner, window, options),
    countIncludePad: options.countIncludePad ?? true,
    divisor: options.divisorOverride ?? undefined,
  };
  return withBatch(x, 3, (batch) => channelsFirstAveragePool(batch, window, geometry));
}

/** Mean of each window of sequences. After torch.nn.functional.avg_pool1d. */
export function avgPool1d(
  x: Tensor,
  kernelSize: Size1,
  strideOrSettings?: Size1 | AvgPool1dOptions,
  owner = "avgPool1d",
): Tensor {
  checkRank(owner, x, [2, 3], sequences);
  const options = strideOrOptions<Size1, AvgPool1dOptions>(strideOrSettings);
  const settings: AvgPool2dOptions = {
    ...options,
    stride: asRow(owner, "stride", options.stride ?? kernelSize, 1),
    padding: asRow(owner, "padding", options.padding ?? 0, 0, 0),
  };
  const window = asRow(owner, "kernelSize", kernelSize, 1);
  return withBatch(x, 2, (batch) => asImages(batch, (rows) => avgPool2d(rows, window, settings, owner)));
}

/** A number of positions for both axes, or one for each; null keeps an axis as it is. */
export type AdaptiveSize2 = number | null | readonly [number | null, number | null];

function adaptive2d(owner: string, kind: "max" | "average", x: Tensor, outputSize: AdaptiveSize2): Tensor {
  checkRank(owner, x, [3, 4], images);
  const [rows, columns] = Array.isArray(outputSize)
    ? (outputSize as readonly [number | null, number | null])
    : [outputSize as number | null, outputSize as number | null];
  const size = pairOf(owner, "outputSize", [rows ?? x.shape[x.rank - 2], columns ?? x.shape[x.rank - 1]]);
  return withBatch(x, 3, (batch) => channelsFirstAdaptivePool(kind, batch, size));
}

function adaptive1d(owner: string, kind: "max" | "average", x: Tensor, outputSize: Size1): Tensor {
  checkRank(owner, x, [2, 3], sequences);
  const size = asRow(owner, "outputSize", outputSize, 1);
  return withBatch(x, 2, (batch) => asImages(batch, (rows) => channelsFirstAdaptivePool(kind, rows, size)));
}

/** Means of images over as many pieces as are asked for. After torch.nn.functional.adaptive_avg_pool2d. */
export function adaptiveAvgPool2d(x: Tensor, outputSize: AdaptiveSize2, owner = "adaptiveAvgPool2d"): Tensor {
  return adaptive2d(owner, "average", x, outputSize);
}
/** Maxima of images over as many pieces as are asked for. After torch.nn.functional.adaptive_max_pool2d. */
export function adaptiveMaxPool2d(x: Tensor, outputSize: AdaptiveSize2, owner = "adaptiveMaxPool2d"): Tensor {
  return adaptive2d(owner, "max", x, outputSize);
}
/** Means of sequences over as many pieces as are asked for. After torch.nn.functional.adaptive_avg_pool1d. */
export function adaptiveAvgPool1d(x: Tensor, outputSize: Size1, owner = "adaptiveAvgPool1d"): Tensor {
  return adaptive1d(owner, "average", x, outputSize);
}
/** Maxima of sequences over as many pieces as are asked for. After torch.nn.functional.adaptive_max_pool1d. */
export function adaptiveMaxPool1d(x: Tensor, outputSize: Size1, owner = "adaptiveMaxPool1d"): Tensor {
  return adaptive1d(owner, "max", x, outputSize);
}
