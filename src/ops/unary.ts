/** Sign, rounding and roots: elementwise functions of one tensor that need no polynomial. */
import type { DType } from "../graph/dtype.ts";
import { scalarCall, scalarConstant } from "../kernel/scalar.ts";
import { div, mul } from "./arithmetic.ts";
import { gt } from "./compare.ts";
import { defineUnary } from "./elementwise.ts";
import { constantLike } from "./prepare.ts";
import { where } from "./where.ts";

const numbers: readonly DType[] = ["f32", "i32", "u8"];
const integers: readonly DType[] = ["i32", "u8", "bool"];
const stepwise = { none: "piecewise constant: its derivative is 0 wherever it exists" };

/** −x. */
export const neg = defineUnary({
  name: "neg",
  summary: "Negative: −x (u8 wraps).",
  keeps: numbers,
  gradient: (gradient) => neg(gradient),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([5], "f32", [1.5, -2, Number.POSITIVE_INFINITY, Number.NaN, 0])],
      shape: [5],
      expected: [-1.5, 2, Number.NEGATIVE_INFINITY, Number.NaN, -0],
    },
    {
      name: "i32 wraps",
      args: (constant) => [constant([2], "i32", [5, -2147483648])],
      shape: [2],
      expected: [-5, -2147483648],
    },
    { name: "u8 wraps", args: (constant) => [constant([2], "u8", [0, 1])], shape: [2], expected: [0, 255] },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [0.5, -2])],
      shape: [2],
      expected: [-0.5, 2],
      smooth: true,
    },
  ],
});

/** |x|. */
export const abs = defineUnary({
  name: "abs",
  summary: "Absolute value: |x|; the gradient at 0 is 0.",
  keeps: numbers,
  gradient: (gradient, x) => mul(gradient, sign(x)),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([5], "f32", [-1.5, 2, Number.NEGATIVE_INFINITY, Number.NaN, -0])],
      shape: [5],
      expected: [1.5, 2, Number.POSITIVE_INFINITY, Number.NaN, 0],
    },
    {
      name: "i32",
      args: (constant) => [constant([3], "i32", [-7, 7, -2147483648])],
      shape: [3],
      expected: [7, 7, -2147483648],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [0.5, -2])],
      shape: [2],
      expected: [0.5, 2],
      smooth: true,
    },
  ],
});

/** −1, 0 or 1. */
export const sign = defineUnary({
  name: "sign",
  summary: "Sign: −1, 0 or 1; NaN stays NaN.",
  keeps: numbers,
  expression: (x) => {
    if (x.dtype === "f32") return scalarCall("sign", x);
    const [zero, one, minus] = [0, 1, -1].map((value) => scalarConstant(value, x.dtype));
    const positive = scalarCall("select", scalarCall("gt", x, zero), one, zero);
    return x.dtype === "u8" ? positive : scalarCall("select", scalarCall("lt", x, zero), minus, positive);
  },
  gradient: stepwise,
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([5], "f32", [-0.1, 7, Number.NEGATIVE_INFINITY, Number.NaN, 0])],
      shape: [5],
      expected: [-1, 1, -1, Number.NaN, 0],
    },
    { name: "i32", args: (constant) => [constant([3], "i32", [-7, 0, 9])], shape: [3], expected: [-1, 0, 1] },
    { name: "u8", args: (constant) => [constant([2], "u8", [0, 200])], shape: [2], expected: [0, 1] },
  ],
});

/** Largest integer not above x. */
export const floor = defineUnary({
  name: "floor",
  summary: "Largest integer not above x.",
  identity: integers,
  gradient: stepwise,
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([6], "f32", [1.5, -1.5, -0, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 30])],
      shape: [6],
      expected: [1, -2, -0, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 30],
    },
    { name: "integers stay", args: (constant) => [constant([2], "i32", [-3, 3])], shape: [2], expected: [-3, 3] },
  ],
});

/** Smallest integer not below x. */
export const ceil = defineUnary({
  name: "ceil",
  summary: "Smallest integer not below x.",
  identity: integers,
  gradient: stepwise,
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([4], "f32", [1.5, -1.5, Number.NaN, 2 ** 30])],
      shape: [4],
      expected: [2, -1, Number.NaN, 2 ** 30],
    },
  ],
});

/** Nearest integer, halves to even. */
export const round = defineUnary({
  name: "round",
  summary: "Nearest integer; halves go to the even one.",
  identity: integers,
  gradient: stepwise,
  cases: [
    {
      name: "halves to even",
      args: (constant) => [constant([8], "f32", [0.5, 1.5, 2.5, -0.5, -1.5, 2.4, -2.6, Number.NaN])],
      shape: [8],
      expected: [0, 2, 2, -0, -2, 2, -3, Number.NaN],
    },
  ],
});

/** Toward zero. */
export const trunc = defineUnary({
  name: "trunc",
  summary: "The integer part, toward zero.",
  identity: integers,
  gradient: stepwise,
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([4], "f32", [1.9, -1.9, Number.NaN, Number.POSITIVE_INFINITY])],
      shape: [4],
      expected: [1, -1, Number.NaN, Number.POSITIVE_INFINITY],
    },
  ],
});

/** √x. */
export const sqrt = defineUnary({
  name: "sqrt",
  summary: "Square root: √x; NaN below 0.",
  gradient: (gradient, _x, y) => mul(gradient, div(constantLike(y, 0.5), y)),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([4], "f32", [4, 0, -1, Number.POSITIVE_INFINITY])],
      shape: [4],
      expected: [2, 0, Number.NaN, Number.POSITIVE_INFINITY],
    },
    { name: "integers become f32", args: (constant) => [constant([2], "i32", [9, 16])], shape: [2], expected: [3, 4] },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [0.25, 2.25])],
      shape: [2],
      expected: [0.5, 1.5],
      smooth: true,
    },
  ],
});

/** 1/√x. */
export const rsqrt = defineUnary({
  name: "rsqrt",
  summary: "Reciprocal square root: 1/√x.",
  gradient: (gradient, _x, y) => mul(gradient, mul(constantLike(y, -0.5), mul(y, mul(y, y)))),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([4], "f32", [4, 0, -1, Number.POSITIVE_INFINITY])],
      shape: [4],
      expected: [0.5, Number.POSITIVE_INFINITY, Number.NaN, 0],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [0.25, 4])],
      shape: [2],
      expected: [2, 0.5],
      smooth: true,
    },
  ],
});

/** max(x, 0). */
export const relu = defineUnary({
  name: "relu",
  summary: "Rectified linear unit: max(x, 0); NaN stays NaN, the gradient at 0 is 0.",
  keeps: numbers,
  // The constant comes first: that order is one instruction which keeps NaN.
  expression: (x) => scalarCall("max", scalarConstant(0, x.dtype), x),
  // The result decides as well as the input, and lets the input's memory go.
  gradient: (gradient, _x, y) => where(gt(y, constantLike(y, 0)), gradient, constantLike(gradient, 0)),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([5], "f32", [-1, 0, 2, Number.NaN, Number.NEGATIVE_INFINITY])],
      shape: [5],
      expected: [0, 0, 2, Number.NaN, 0],
    },
    { name: "i32", args: (constant) => [constant([2], "i32", [-3, 3])], shape: [2], expected: [0, 3] },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [-0.5, 2])],
      shape: [2],
      expected: [0, 2],
      smooth: true,
    },
  ],
});
