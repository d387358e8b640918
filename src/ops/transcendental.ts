/** Exponentials, logarithms, sigmoids and circular functions of one tensor, in f32. */
import { add, div, mul, sub } from "./arithmetic.ts";
import { defineUnary } from "./elementwise.ts";
import { constantLike } from "./prepare.ts";
import { neg } from "./unary.ts";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** eˣ. */
export const exp = defineUnary({
  name: "exp",
  summary: "Exponential: eˣ.",
  gradient: (gradient, _x, y) => mul(gradient, y),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([7], "f32", [0, 1, -inf, inf, nan, 100, -200])],
      shape: [7],
      expected: [1, Math.E, 0, inf, nan, inf, 0],
    },
    {
      name: "smooth",
      args: (constant) => [constant([3], "f32", [-1, 0.25, 2])],
      shape: [3],
      expected: [Math.exp(-1), Math.exp(0.25), Math.exp(2)],
      smooth: true,
    },
  ],
});

/** eˣ − 1. */
export const expm1 = defineUnary({
  name: "expm1",
  summary: "eˣ − 1, accurate near 0.",
  gradient: (gradient, _x, y) => mul(gradient, add(y, constantLike(y, 1))),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([5], "f32", [0, 2 ** -20, -inf, inf, nan])],
      shape: [5],
      expected: [0, Math.expm1(2 ** -20), -1, inf, nan],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [-0.5, 1])],
      shape: [2],
      expected: [Math.expm1(-0.5), Math.expm1(1)],
      smooth: true,
    },
  ],
});

/** ln x. */
export const log = defineUnary({
  name: "log",
  summary: "Natural logarithm: ln x; −∞ at 0, NaN below.",
  gradient: (gradient, x) => div(gradient, x),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([6], "f32", [1, 0, -1, inf, nan, 2 ** -140])],
      shape: [6],
      expected: [0, -inf, nan, inf, nan, -140 * Math.LN2],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [0.5, 3])],
      shape: [2],
      expected: [Math.log(0.5), Math.log(3)],
      smooth: true,
    },
  ],
});

/** ln(1 + x). */
export const log1p = defineUnary({
  name: "log1p",
  summary: "ln(1 + x), accurate near 0; −∞ at −1.",
  gradient: (gradient, x) => div(gradient, add(x, constantLike(x, 1))),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([6], "f32", [0, -1, -2, inf, nan, 2 ** -20])],
      shape: [6],
      expected: [0, -inf, nan, inf, nan, Math.log1p(2 ** -20)],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [-0.5, 3])],
      shape: [2],
      expected: [Math.log1p(-0.5), Math.log1p(3)],
      smooth: true,
    },
  ],
});

/** Hyperbolic tangent. */
export const tanh = defineUnary({
  name: "tanh",
  summary: "Hyperbolic tangent: (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ).",
  gradient: (gradient, _x, y) => mul(gradient, sub(constantLike(y, 1), mul(y, y))),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([5], "f32", [0, -inf, inf, nan, 2 ** -12])],
      shape: [5],
      expected: [0, -1, 1, nan, Math.tanh(2 ** -12)],
    },
    {
      name: "smooth",
      args: (constant) => [constant([3], "f32", [-1.5, 0.25, 0.75])],
      shape: [3],
      expected: [Math.tanh(-1.5), Math.tanh(0.25), Math.tanh(0.75)],
      smooth: true,
    },
  ],
});

/** Logistic function. */
export const sigmoid = defineUnary({
  name: "sigmoid",
  summary: "Logistic function: 1/(1 + e⁻ˣ).",
  gradient: (gradient, _x, y) => mul(gradient, mul(y, sub(constantLike(y, 1), y))),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([5], "f32", [0, -inf, inf, nan, 100])],
      shape: [5],
      expected: [0.5, 0, 1, nan, 1],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [-1.5, 0.75])],
      shape: [2],
      expected: [1 / (1 + Math.exp(1.5)), 1 / (1 + Math.exp(-0.75))],
      smooth: true,
    },
  ],
});

/** Error function. */
export const erf = defineUnary({
  name: "erf",
  summary: "Error function: 2/√π ∫₀ˣ exp(−t²) dt.",
  gradient: (gradient, x) => mul(gradient, mul(constantLike(x, 2 / Math.sqrt(Math.PI)), exp(neg(mul(x, x))))),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([5], "f32", [0, -inf, inf, nan, 10])],
      shape: [5],
      expected: [0, -1, 1, nan, 1],
    },
    {
      name: "smooth",
      args: (constant) => [constant([3], "f32", [0.5, -1, 3])],
      shape: [3],
      expected: [0.5204998778130465, -0.8427007929497149, 0.9999779095030014],
      smooth: true,
    },
  ],
});

/** Distribution function of the normal distribution. */
export const normalCdf = defineUnary({
  name: "normalCdf",
  summary: "Φ(x) = (1 + erf(x/√2))/2: distribution function of the normal distribution.",
  gradient: (gradient, x) => {
    const density = exp(mul(mul(x, x), constantLike(x, -0.5)));
    return mul(gradient, mul(constantLike(x, 1 / Math.sqrt(2 * Math.PI)), density));
  },
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([6], "f32", [0, -inf, inf, nan, 10, -40])],
      shape: [6],
      expected: [0.5, 0, 1, nan, 1, 0],
    },
    {
      name: "smooth",
      args: (constant) => [constant([3], "f32", [0.5, -1, 3])],
      shape: [3],
      expected: [0.6914624612740131, 0.15865525393145707, 0.9986501019683699],
      smooth: true,
    },
  ],
});

/** Sine. */
export const sin = defineUnary({
  name: "sin",
  summary: "Sine of x in radians.",
  gradient: (gradient, x) => mul(gradient, cos(x)),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([5], "f32", [0, -0, inf, nan, 10000])],
      shape: [5],
      expected: [0, -0, nan, nan, Math.sin(10000)],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [0.5, -2])],
      shape: [2],
      expected: [Math.sin(0.5), Math.sin(-2)],
      smooth: true,
    },
  ],
});

/** Cosine. */
export const cos = defineUnary({
  name: "cos",
  summary: "Cosine of x in radians.",
  gradient: (gradient, x) => neg(mul(gradient, sin(x))),
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([4], "f32", [0, -inf, nan, 10000])],
      shape: [4],
      expected: [1, nan, nan, Math.cos(10000)],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [0.5, -2])],
      shape: [2],
      expected: [Math.cos(0.5), Math.cos(-2)],
      smooth: true,
    },
  ],
});
