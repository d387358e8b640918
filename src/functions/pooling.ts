import { ArgumentError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { div } from "../ops/arithmetic.ts";
import { expand } from "../ops/movement.ts";
import { constantLike } from "../ops/prepare.ts";
import { amax, mean } from "../ops/reduce.ts";
import { windowMax, windowSum } from "../ops/window.ts";
import { windowCount } from "../ops/window-count.ts";
import {
  ceilPadding,
  type PaddingPairs,
  type Pair,
  samePadding,
  spatialSize,
  windowAttributes,
  windowOutputSize,
} from "../ops/window-geometry.ts";

/** "valid": none; "same": TensorFlow's, ⌈size / stride⌉ positions; a number or pair: on both sides; pairs: [[top, bottom], [left, right]]. */
export type Padding = "valid" | "same" | number | Pair | PaddingPairs;

export interface PoolingOptions {
  /** Default: the window, so that windows do not overlap. */
  readonly strides?: number | Pair;
  readonly padding?: Padding;
  readonly dilation?: number | Pair;
  /** Round the number of positions up (PyTorch's `ceil_mode`). */
  readonly ceilMode?: boolean;
}

/** Padding as pairs for data of a given size. */
export function resolvePadding(
  operation: string,
  padding: Padding,
  size: Pair,
  window: Pair,
  strides: Pair,
  dilation: Pair,
): PaddingPairs {
  if (padding === "same") return samePadding(size, window, strides, dilation);
  if (padding === "valid") return resolvePadding(operation, 0, size, window, strides, dilation);
  if (typeof padding === "number")
    return resolvePadding(operation, [padding, padding], size, window, strides, dilation);
  if (!Array.isArray(padding) || padding.length !== 2) {
    throw new ArgumentError(
      `${operation}: padding ${JSON.stringify(padding)} is not "valid", "same", a number, a pair or [[top, bottom], [left, right]].`,
    );
  }
  const [first, second] = padding as Pair | PaddingPairs;
  if (typeof first === "number" && typeof second === "number") {
    return [
      [first, first],
      [second, second],
    ];
  }
  return padding as PaddingPairs;
}

function poolingGeometry(operation: string, x: Node, window: number | Pair, options: PoolingOptions) {
  const size = spatialSize(operation, "data", x.shape);
  const plain = windowAttributes(operation, window, { strides: options.strides ?? window, dilation: options.dilation });
  const given = resolvePadding(
    operation,
    options.padding ?? "valid",
    size,
    plain.window,
    plain.strides,
    plain.dilation,
  );
  const geometry = windowAttributes(operation, plain.window, { ...plain, padding: given });
  windowOutputSize(operation, size, geometry);
  return { size, given, geometry: options.ceilMode ? { ...geometry, padding: ceilPadding(size, geometry) } : geometry };
}

/** Largest element of each window of NHWC data; the gradient goes to the first of equals. */
export function maxPool2d(x: Node, window: number | Pair, options: PoolingOptions = {}): Node {
  const { geometry } = poolingGeometry("maxPool2d", x, window, options);
  return windowMax(x, geometry.window, geometry);
}

export interface AveragePoolingOptions extends Omit<PoolingOptions, "dilation"> {
  /** Whether padding counts as zeros in the average (PyTorch's default; Keras and TensorFlow never count it). */
  readonly countIncludePad?: boolean;
  /** Divides the sum of each window instead of the number of its cells. */
  readonly divisor?: number;
}

/** Mean of each window of NHWC data. */
export function averagePool2d(x: Node, window: number | Pair, options: AveragePoolingOptions = {}): Node {
  const { size, given, geometry } = poolingGeometry("averagePool2d", x, window, options);
  const total = windowSum(x, geometry.window, geometry);
  if (options.divisor !== undefined) return div(total, constantLike(total, options.divisor));
  const counted = options.countIncludePad ? given : undefined;
  const uniform = geometry.padding.every((pair, axis) =>
    pair.every((amount, side) => amount === (counted?.[axis][side] ?? 0)),
  );
  if (uniform) return div(total, constantLike(total, geometry.window[0] * geometry.window[1]));
  return div(total, expand(windowCount(size, geometry.window, { ...geometry, counted }), total.shape));
}

/** Mean over height and width of NHWC data. */
export function globalAveragePool2d(x: Node, keepDims = false): Node {
  spatialSize("globalAveragePool2d", "data", x.shape);
  return mean(x, [1, 2], keepDims);
}

/** Maximum over height and width of NHWC data. */
export function globalMaxPool2d(x: Node, keepDims = false): Node {
  spatialSize("globalMaxPool2d", "data", x.shape);
  return amax(x, [1, 2], keepDims);
}
