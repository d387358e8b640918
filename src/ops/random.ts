import { DTypeError } from "../errors.ts";
import type { Node, TensorType } from "../graph/node.ts";
import { checkShape, formatShape, type Shape, stridesOf } from "../graph/shape.ts";
import { type ScalarExpression, scalarCall, scalarCast, scalarConstant, scalarPosition } from "../kernel/scalar.ts";
import { defineOp, type Meaning } from "./define.ts";
import { expand } from "./movement.ts";
import { threefry } from "./threefry.ts";

type RandomAttributes = { readonly shape: Shape };
type Words = readonly [ScalarExpression, ScalarExpression];

const none = { none: "random numbers depend on no tensor" } as const;

const preparation = (name: string) => (shape: Shape, seed: Node, counter: Node) => {
  checkShape(name, shape);
  for (const word of [seed, counter]) {
    if (word.dtype !== "i32" || word.shape.length > 0) {
      throw new DTypeError(
        `${name}: seed and counter must be i32 scalars, received ${word.dtype} of shape ${formatShape(word.shape)}.`,
      );
    }
  }
  return { inputs: [expand(seed, shape), expand(counter, shape)], attributes: { shape } };
};

/** A number for each position: the key is (seed, counter), the block counter the row-major position. */
const meaningOf =
  (expression: (words: Words) => ScalarExpression) =>
  (_inputs: readonly TensorType[], { shape }: RandomAttributes): Meaning => ({
    kind: "elementwise",
    expression: ([seed, counter]) => {
      const zero = scalarConstant(0, "i32");
      const position = stridesOf(shape).reduce<ScalarExpression>((sum, stride, axis) => {
        if (shape[axis] === 1) return sum;
        const along = scalarPosition(axis);
        const term = stride === 1 ? along : scalarCall("mul", along, scalarConstant(stride, "i32"));
        return sum === zero ? term : scalarCall("add", sum, term);
      }, zero);
      return expression(threefry([seed, counter], [position, zero]));
    },
  });

const f32 = (value: number): ScalarExpression => scalarConstant(Math.fround(value), "f32");
const mul = (a: ScalarExpression, b: ScalarExpression): ScalarExpression => scalarCall("mul", a, b);
const add = (a: ScalarExpression, b: ScalarExpression): ScalarExpression => scalarCall("add", a, b);

/** The upper 24 bits as an f32 integer in [0, 2²⁴). */
const upper24 = (word: ScalarExpression): ScalarExpression =>
  scalarCast(scalarCall("shiftRightLogical", word, scalarConstant(8, "i32")), "f32");
const uniform = (word: ScalarExpression): ScalarExpression => mul(upper24(word), f32(2 ** -24));

/** Box–Muller: √(−2 ln u) · cos(2π v), with u in (0, 1] so that the logarithm is finite; at most 5.77 in size. */
function normal([first, second]: Words): ScalarExpression {
  const u = mul(add(upper24(first), f32(1)), f32(2 ** -24));
  const radius = scalarCall("sqrt", mul(f32(-2), scalarCall("log", u)));
  return mul(radius, scalarCall("cos", mul(f32(2 * Math.PI), uniform(second))));
}

/** Central branch of the single-precision inverse error function: Giles, "Approximating the erfinv function", 2010. */
const inverseErrorCoefficients = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];
/** Probability mass of a normal distribution within two standard deviations: erf(√2). */
const withinTwo = 0.9544997361036416;

/** Inverse distribution function of the normal distribution cut at ±2. */
function truncatedNormal([first]: Words): ScalarExpression {
  // Odd multiples of 2⁻²⁴: symmetric about 0, and never ±1.
  const centred = mul(add(add(upper24(first), upper24(first)), f32(1 - 2 ** 24)), f32(2 ** -24));
  const x = mul(centred, f32(withinTwo));
  const w = add(scalarCall("neg", scalarCall("log", add(f32(1), scalarCall("neg", mul(x, x))))), f32(-2.5));
  const polynomial = inverseErrorCoefficients
    .map(f32)
    .reduce((value, coefficient) => scalarCall("fma", value, w, coefficient));
  return mul(mul(polynomial, x), f32(Math.SQRT2));
}

/**
 * Random bits: word 0 of Threefry-2x32-20 with key (seed, counter) and block (row-major position, 0). Depends on nothing else: not on threads,
 * not on what was drawn before.
 */
export const randomBits = defineOp({
  name: "randomBits",
  summary: "32 random bits for each position: Threefry-2x32 with key (seed, counter) and the position as block.",
  prepare: preparation("randomBits"),
  infer: (_inputs, { shape }) => ({ shape, dtype: "i32" }),
  meaning: meaningOf(([first]) => first),
  gradient: none,
  cases: [
    {
      name: "the published answer for zeros",
      args: (constant) => [[1], constant([], "i32", [0]), constant([], "i32", [0])],
      shape: [1],
      expected: [0x6b200159],
    },
    {
      name: "nothing",
      args: (constant) => [[0, 3], constant([], "i32", [7]), constant([], "i32", [1])],
      shape: [0, 3],
      expected: [],
    },
  ],
});

/** Uniform numbers in [0, 1): multiples of 2⁻²⁴. */
export const randomUniform = defineOp({
  name: "randomUniform",
  summary: "Uniform numbers in [0, 1): the upper 24 random bits times 2⁻²⁴.",
  prepare: preparation("randomUniform"),
  infer: (_inputs, { shape }) => ({ shape, dtype: "f32" }),
  meaning: meaningOf(([first]) => uniform(first)),
  gradient: none,
  cases: [
    {
      name: "the published answer for zeros",
      args: (constant) => [[1], constant([], "i32", [0]), constant([], "i32", [0])],
      shape: [1],
      expected: [0x6b2001 * 2 ** -24],
    },
  ],
});

/** Normal numbers of mean 0 and variance 1. */
export const randomNormal = defineOp({
  name: "randomNormal",
  summary: "Normal numbers (Box–Muller): √(−2 ln u) · cos(2π v) with u in (0, 1], v in [0, 1).",
  prepare: preparation("randomNormal"),
  infer: (_inputs, { shape }) => ({ shape, dtype: "f32" }),
  meaning: meaningOf(normal),
  gradient: none,
  cases: [
    {
      name: "from the published words for zeros",
      args: (constant) => [[1], constant([], "i32", [0]), constant([], "i32", [0])],
      shape: [1],
      expected: [Math.sqrt(-2 * Math.log((0x6b2001 + 1) * 2 ** -24)) * Math.cos(2 * Math.PI * (0x99ba4e * 2 ** -24))],
      tolerance: 1e-5,
    },
  ],
});

/** Normal numbers of mean 0 and scale 1 within ±2, as Keras' and TensorFlow's truncated normal: standard deviation 0.8796. */
export const randomTruncatedNormal = defineOp({
  name: "randomTruncatedNormal",
  summary: "Normal numbers cut at two standard deviations (inverse distribution function).",
  prepare: preparation("randomTruncatedNormal"),
  infer: (_inputs, { shape }) => ({ shape, dtype: "f32" }),
  meaning: meaningOf(truncatedNormal),
  gradient: none,
  cases: [
    {
      name: "from the published word for zeros",
      args: (constant) => [[1], constant([], "i32", [0]), constant([], "i32", [0])],
      shape: [1],
      // √2 · erfinv(0.9545 · (2 · 0x6b2001 + 1 − 2²⁴) / 2²⁴), computed in f64 with PyTorch's erfinv.
      expected: [-0.19635197055977568],
      tolerance: 1e-5,
    },
  ],
});
