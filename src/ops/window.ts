import { DTypeError, ShapeError } from "../errors.ts";
import type { Node, TensorType } from "../graph/node.ts";
import { formatShape, type Shape } from "../graph/shape.ts";
import { defineOp, type Meaning, type OpFunction } from "./define.ts";
import {
  type Pair,
  spatialSize,
  type WindowAttributes,
  type WindowOptions,
  windowAttributes,
  windowOutputSize,
} from "./window-geometry.ts";

type TransposeAttributes = WindowAttributes & { readonly size: Pair };

const meaningOf =
  (combine: Extract<Meaning, { kind: "window" }>["combine"]) =>
  (_inputs: readonly TensorType[], { window, strides, dilation, padding }: WindowAttributes): Meaning => ({
    kind: "window",
    combine,
    geometry: { window, strides, dilation, padding },
  });

function requireFloat(operation: string, what: string, { dtype }: TensorType): void {
  if (dtype === "f32") return;
  throw new DTypeError(`${operation}: ${what} must be f32, received ${dtype}; convert with .cast("f32").`);
}

/** Positions in a window are bytes where that many suffice: tensors of taps are read and written once per step of training. */
const tapDType = ({ window }: WindowAttributes): "u8" | "i32" => (window[0] * window[1] <= 256 ? "u8" : "i32");

function requireTaps(operation: string, { dtype }: TensorType): void {
  if (dtype === "i32" || dtype === "u8") return;
  throw new DTypeError(`${operation}: taps must be i32 or u8, received ${dtype}; convert with .cast("i32").`);
}

/** Shape of the pooled result of `data`. */
function pooledShape(operation: string, data: Shape, attributes: WindowAttributes): Shape {
  const size = spatialSize(operation, "data", data);
  return [data[0], ...windowOutputSize(operation, size, attributes), data[3]];
}

function requireShape(operation: string, what: string, shape: Shape, expected: Shape): void {
  if (shape.length !== expected.length || shape.some((extent, axis) => extent !== expected[axis])) {
    throw new ShapeError(`${operation}: ${what} has shape ${formatShape(shape)}, expected ${formatShape(expected)}.`);
  }
}

/** Shape of the data whose pooled result is `pooled`. */
function unpooledShape(operation: string, pooled: Shape, attributes: TransposeAttributes): Shape {
  spatialSize(operation, "the pooled tensor", pooled);
  const data = [pooled[0], attributes.size[0], attributes.size[1], pooled[3]];
  requireShape(operation, "the pooled tensor", pooled, pooledShape(operation, data, attributes));
  return data;
}

const pooling =
  (name: string) =>
  (data: Node, window: number | Pair, options: WindowOptions = {}) => ({
    inputs: [data],
    attributes: windowAttributes(name, window, options),
  });

const heightAndWidth = (node: Node): Pair => [node.shape[1], node.shape[2]];

const padded: WindowOptions = {
  padding: [
    [0, 0],
    [1, 0],
  ],
};

/** Largest element of each window of NHWC data; NaN wins, padding never does, a window of padding only gives −∞. */
export const windowMax: OpFunction<[data: Node, window: number | Pair, options?: WindowOptions]> = defineOp({
  name: "windowMax",
  summary: "Max pooling: y[n, i, j, c] = max over taps (a, b) of x[n, i·s + a·d − p, j·s + b·d − p, c].",
  prepare: pooling("windowMax"),
  infer: ([data], attributes) => {
    requireFloat("windowMax", "data", data);
    return { shape: pooledShape("windowMax", data.shape, attributes), dtype: "f32" };
  },
  meaning: meaningOf("max"),
  gradient: (gradient, { inputs: [data], attributes }) => [
    windowPickTranspose(
      gradient,
      windowArgmax(data, attributes.window, attributes),
      heightAndWidth(data),
      attributes.window,
      attributes,
    ),
  ],
  cases: [
    {
      name: "NaN wins, -0 before 0, minus infinity",
      args: (constant) => [
        constant([1, 1, 8, 1], "f32", [1, NaN, -0, 0, -Infinity, -Infinity, 3, -5]),
        [1, 2],
        { strides: [1, 2] },
      ],
      shape: [1, 1, 4, 1],
      expected: [NaN, -0, -Infinity, 3],
    },
    {
      name: "padding does not take part",
      args: (constant) => [constant([1, 1, 3, 1], "f32", [-1, -2, -3]), [1, 2], padded],
      shape: [1, 1, 3, 1],
      expected: [-1, -1, -2],
      smooth: true,
    },
  ],
});

/** The tap a·kw + b of the first largest element of each window (the first NaN if there is one; 0 for a window of padding only). */
export const windowArgmax: OpFunction<[data: Node, window: number | Pair, options?: WindowOptions]> = defineOp({
  name: "windowArgmax",
  summary: "Position inside each window, row by row, of its first largest element.",
  prepare: pooling("windowArgmax"),
  infer: ([data], attributes) => {
    requireFloat("windowArgmax", "data", data);
    return { shape: pooledShape("windowArgmax", data.shape, attributes), dtype: tapDType(attributes) };
  },
  meaning: meaningOf("argmax"),
  gradient: { none: "the result is an integer position" },
  cases: [
    {
      name: "ties and NaN: the first",
      args: (constant) => [
        constant([1, 2, 6, 1], "f32", [1, 2, 3, NaN, -Infinity, -Infinity, 2, 2, NaN, 4, -Infinity, -Infinity]),
        2,
        { strides: 2 },
      ],
      shape: [1, 1, 3, 1],
      expected: [1, 1, 0],
    },
    {
      name: "taps count from the padding",
      args: (constant) => [constant([1, 1, 2, 1], "f32", [-1, -2]), [1, 2], padded],
      shape: [1, 1, 2, 1],
      expected: [1, 0],
    },
  ],
});

/** Sum of each window; padding counts as 0. */
export const windowSum: OpFunction<[data: Node, window: number | Pair, options?: WindowOptions]> = defineOp({
  name: "windowSum",
  summary: "Sum pooling: y[n, i, j, c] = Σ over taps (a, b) of x[n, i·s + a·d − p, j·s + b·d − p, c].",
  prepare: pooling("windowSum"),
  infer: ([data], attributes) => {
    requireFloat("windowSum", "data", data);
    return { shape: pooledShape("windowSum", data.shape, attributes), dtype: "f32" };
  },
  meaning: meaningOf("sum"),
  gradient: (gradient, { inputs: [data], attributes }) => [
    windowSumTranspose(gradient, heightAndWidth(data), attributes.window, attributes),
  ],
  cases: [
    {
      name: "overlapping windows, infinities",
      args: (constant) => [constant([1, 1, 4, 1], "f32", [1, 2, Infinity, -Infinity]), [1, 2]],
      shape: [1, 1, 3, 1],
      expected: [3, Infinity, NaN],
    },
    {
      name: "padding is 0",
      args: (constant) => [constant([1, 1, 3, 1], "f32", [-1, -2, -3]), [1, 2], padded],
      shape: [1, 1, 3, 1],
      expected: [-1, -3, -5],
      smooth: true,
    },
  ],
});

/** Adds each element of a pooled tensor to every place of its window: the transpose of `windowSum`. */
export const windowSumTranspose: OpFunction<
  [pooled: Node, size: Pair, window: number | Pair, options?: WindowOptions]
> = defineOp({
  name: "windowSumTranspose",
  summary: "Transpose of sum pooling: x[n, i·s + a·d − p, …, c] += y[n, i, j, c] for every tap (a, b).",
  prepare: (pooled: Node, size: Pair, window: number | Pair, options: WindowOptions = {}) => ({
    inputs: [pooled],
    attributes: { ...windowAttributes("windowSumTranspose", window, options), size } as TransposeAttributes,
  }),
  infer: ([pooled], attributes) => {
    requireFloat("windowSumTranspose", "the pooled tensor", pooled);
    return { shape: unpooledShape("windowSumTranspose", pooled.shape, attributes), dtype: "f32" };
  },
  meaning: meaningOf("sumTranspose"),
  gradient: (gradient, { attributes }) => [windowSum(gradient, attributes.window, attributes)],
  cases: [
    {
      name: "overlapping windows add up",
      args: (constant) => [constant([1, 1, 3, 1], "f32", [1, 10, 100]), [1, 4], [1, 2]],
      shape: [1, 1, 4, 1],
      expected: [1, 11, 110, 100],
      smooth: true,
    },
    {
      name: "cells between strided windows are 0",
      args: (constant) => [constant([1, 1, 2, 1], "f32", [1, NaN]), [1, 5], [1, 2], { strides: [1, 3] }],
      shape: [1, 1, 5, 1],
      expected: [1, 1, 0, NaN, NaN],
    },
  ],
});

/** Reads data at one tap of each window; 0 where the tap lies in the padding or outside the window. */
export const windowPick: OpFunction<[data: Node, taps: Node, window: number | Pair, options?: WindowOptions]> =
  defineOp({
    name: "windowPick",
    summary: "The element of each window that a tensor of taps names.",
    prepare: (data: Node, taps: Node, window: number | Pair, options: WindowOptions = {}) => ({
      inputs: [data, taps],
      attributes: windowAttributes("windowPick", window, options),
    }),
    infer: ([data, taps], attributes) => {
      requireFloat("windowPick", "data", data);
      requireTaps("windowPick", taps);
      const shape = pooledShape("windowPick", data.shape, attributes);
      requireShape("windowPick", "taps", taps.shape, shape);
      return { shape, dtype: "f32" };
    },
    meaning: meaningOf("pick"),
    gradient: (gradient, { inputs: [data, taps], attributes, needs }) => [
      needs[0] ? windowPickTranspose(gradient, taps, heightAndWidth(data), attributes.window, attributes) : undefined,
      undefined,
    ],
    cases: [
      {
        name: "inside, in the padding, outside the window",
        args: (constant) => [
          constant([1, 1, 3, 1], "f32", [5, 6, 7]),
          constant([1, 1, 3, 1], "i32", [0, 1, 2]),
          [1, 2],
          padded,
        ],
        shape: [1, 1, 3, 1],
        expected: [0, 6, 0],
        smooth: true,
      },
    ],
  });

/** Adds each pooled element at its tap: the gradient of max pooling. Taps in the padding or outside the window add nothing. */
export const windowPickTranspose: OpFunction<
  [pooled: Node, taps: Node, size: Pair, window: number | Pair, options?: WindowOptions]
> = defineOp({
  name: "windowPickTranspose",
  summary: "Transpose of windowPick: x at tap t[n, i, j, c] of window (i, j) += y[n, i, j, c].",
  prepare: (pooled: Node, taps: Node, size: Pair, window: number | Pair, options: WindowOptions = {}) => ({
    inputs: [pooled, taps],
    attributes: { ...windowAttributes("windowPickTranspose", window, options), size } as TransposeAttributes,
  }),
  infer: ([pooled, taps], attributes) => {
    requireFloat("windowPickTranspose", "the pooled tensor", pooled);
    requireTaps("windowPickTranspose", taps);
    requireShape("windowPickTranspose", "taps", taps.shape, pooled.shape);
    return { shape: unpooledShape("windowPickTranspose", pooled.shape, attributes), dtype: "f32" };
  },
  meaning: meaningOf("pickTranspose"),
  gradient: (gradient, { inputs: [, taps], attributes, needs }) => [
    needs[0] ? windowPick(gradient, taps, attributes.window, attributes) : undefined,
    undefined,
  ],
  cases: [
    {
      name: "two windows may choose the same cell",
      args: (constant) => [
        constant([1, 1, 3, 1], "f32", [1, 10, 100]),
        constant([1, 1, 3, 1], "i32", [1, 0, 7]),
        [1, 4],
        [1, 2],
      ],
      shape: [1, 1, 4, 1],
      expected: [0, 11, 0, 0],
      smooth: true,
    },
  ],
});
