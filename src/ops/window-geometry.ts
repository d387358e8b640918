import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape, type Shape } from "../graph/shape.ts";
import type { WindowGeometry } from "./define.ts";

export type Pair = readonly [number, number];
export type PaddingPairs = readonly [Pair, Pair];

/** `WindowGeometry` as plain attributes of an op. */
export type WindowAttributes = {
  readonly window: Pair;
  readonly strides: Pair;
  readonly dilation: Pair;
  readonly padding: PaddingPairs;
};

/** Geometry as a caller may give it: one number stands for both axes, what is absent is 1 (strides, dilation) or 0 (padding). */
export interface WindowOptions {
  readonly strides?: number | Pair;
  readonly dilation?: number | Pair;
  /** [[top, bottom], [left, right]]. */
  readonly padding?: PaddingPairs;
}

/** One number for both axes, or a pair. */
export function toPair(value: number | Pair): Pair {
  return typeof value === "number" ? [value, value] : [value[0], value[1]];
}

/** Fills in the defaults and checks every number. */
export function windowAttributes(operation: string, window: number | Pair, options: WindowOptions): WindowAttributes {
  const [[top, bottom], [left, right]] = options.padding ?? noPadding;
  if (![top, bottom, left, right].every((value) => isInteger(value, 0))) {
    throw new ArgumentError(
      `${operation}: padding [[${top}, ${bottom}], [${left}, ${right}]] must be four integers of 0 or more.`,
    );
  }
  return {
    window: positivePair(operation, "window", window),
    strides: positivePair(operation, "strides", options.strides ?? 1),
    dilation: positivePair(operation, "dilation", options.dilation ?? 1),
    padding: [
      [top, bottom],
      [left, right],
    ],
  };
}

const noPadding: PaddingPairs = [
  [0, 0],
  [0, 0],
];

const isInteger = (value: number, least: number): boolean => Number.isInteger(value) && value >= least;

function positivePair(operation: string, name: string, value: number | Pair): Pair {
  const pair = toPair(value);
  if (isInteger(pair[0], 1) && isInteger(pair[1], 1)) return pair;
  throw new ArgumentError(`${operation}: ${name} ${formatShape(pair)} must be two integers of 1 or more.`);
}

/** Cells that a dilated window spans along one axis. */
export function windowSpan(geometry: WindowGeometry, axis: 0 | 1): number {
  return (geometry.window[axis] - 1) * geometry.dilation[axis] + 1;
}

/** Number of window positions along height and width: ⌊(size + padding − span) / stride⌋ + 1. */
export function windowOutputSize(operation: string, size: Pair, geometry: WindowGeometry): Pair {
  const along = (axis: 0 | 1): number => {
    const [before, after] = geometry.padding[axis];
    const span = windowSpan(geometry, axis);
    const room = size[axis] + before + after - span;
    if (room < 0) {
      throw new ShapeError(
        `${operation}: a window of ${geometry.window.join("x")} (dilation ${geometry.dilation.join("x")}) does not fit into data of ` +
          `${size.join("x")} with padding [[${geometry.padding[0].join(", ")}], [${geometry.padding[1].join(", ")}]]: ` +
          `it spans ${span} along ${axis === 0 ? "height" : "width"}, where ${size[axis] + before + after} are there.`,
      );
    }
    return Math.floor(room / geometry.strides[axis]) + 1;
  };
  return [along(0), along(1)];
}

/** TensorFlow's "same" padding: ⌈size / stride⌉ positions, an odd remainder goes to the end. */
export function samePadding(size: Pair, window: Pair, strides: Pair, dilation: Pair): PaddingPairs {
  const along = (axis: 0 | 1): Pair => {
    const positions = Math.ceil(size[axis] / strides[axis]);
    const span = (window[axis] - 1) * dilation[axis] + 1;
    const total = Math.max(0, (positions - 1) * strides[axis] + span - size[axis]);
    const before = Math.floor(total / 2);
    return [before, total - before];
  };
  return [along(0), along(1)];
}

/**
 * Padding that makes ⌊…⌋ count as ⌈…⌉ does (PyTorch's `ceil_mode`): the end grows until the last window fits, except where that
 * window would start beyond the data and its own leading padding.
 */
export function ceilPadding(size: Pair, geometry: WindowGeometry): PaddingPairs {
  const along = (axis: 0 | 1): Pair => {
    const [before, after] = geometry.padding[axis];
    const stride = geometry.strides[axis];
    const span = windowSpan(geometry, axis);
    let positions = Math.ceil((size[axis] + before + after - span) / stride) + 1;
    if ((positions - 1) * stride >= size[axis] + before) positions--;
    return [before, Math.max(after, (positions - 1) * stride + span - size[axis] - before)];
  };
  return [along(0), along(1)];
}

/** Checks NHWC data and returns its height and width. */
export function spatialSize(operation: string, what: string, shape: Shape): Pair {
  if (shape.length !== 4) {
    throw new ShapeError(
      `${operation}: ${what} must have rank 4 (batch, height, width, channels), received ${formatShape(shape)}.`,
    );
  }
  return [shape[1], shape[2]];
}
