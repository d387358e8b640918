/** Elementwise arithmetic of two tensors, broadcast and promoted. */
import { DTypeError } from "../errors.ts";
import { type DType, promote } from "../graph/dtype.ts";
import type { Node } from "../graph/node.ts";
import { scalarCall } from "../kernel/scalar.ts";
import { eq, ge, gt, lt } from "./compare.ts";
import { defineBinary, numeric } from "./elementwise.ts";
import { logicalAnd } from "./logic.ts";
import { constantLike } from "./prepare.ts";
import { log } from "./transcendental.ts";
import { neg } from "./unary.ts";
import { where } from "./where.ts";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** a + b. */
export const add = defineBinary({
  name: "add",
  summary: "Sum: a + b (of masks: or).",
  expression: (a, b) => scalarCall(a.dtype === "bool" ? "or" : "add", a, b),
  gradient: { left: (gradient) => gradient, right: (gradient) => gradient },
  cases: [
    {
      name: "broadcasts a row and a column",
      args: (constant) => [constant([2, 1], "f32", [1, 2]), constant([3], "f32", [10, 20, 30])],
      shape: [2, 3],
      expected: [11, 21, 31, 12, 22, 32],
      smooth: true,
    },
    {
      name: "special values",
      args: (constant) => [constant([3], "f32", [inf, inf, nan]), constant([3], "f32", [1, -inf, 1])],
      shape: [3],
      expected: [inf, nan, nan],
    },
    {
      name: "i32 wraps",
      args: (constant) => [constant([1], "i32", [2147483647]), constant([1], "i32", [1])],
      shape: [1],
      expected: [-2147483648],
    },
    {
      name: "u8 wraps, bool promotes",
      args: (constant) => [constant([2], "u8", [255, 7]), constant([2], "bool", [1, 1])],
      shape: [2],
      expected: [0, 8],
    },
    {
      name: "masks: or",
      args: (constant) => [constant([3], "bool", [0, 1, 1]), constant([3], "bool", [0, 0, 1])],
      shape: [3],
      expected: [0, 1, 1],
    },
  ],
});

/** a − b. */
export const sub = defineBinary({
  name: "sub",
  summary: "Difference: a − b.",
  inputs: numeric("sub"),
  expression: (a, b) => scalarCall("sub", a, b),
  gradient: { left: (gradient) => gradient, right: (gradient) => neg(gradient) },
  cases: [
    {
      name: "a scalar from a vector",
      args: (constant) => [constant([2], "f32", [1.5, -2]), constant([], "f32", [0.5])],
      shape: [2],
      expected: [1, -2.5],
      smooth: true,
    },
    {
      name: "special values",
      args: (constant) => [constant([2], "f32", [inf, nan]), constant([2], "f32", [inf, 0])],
      shape: [2],
      expected: [nan, nan],
    },
    {
      name: "u8 wraps",
      args: (constant) => [constant([1], "u8", [1]), constant([1], "u8", [2])],
      shape: [1],
      expected: [255],
    },
  ],
});

/** a · b. */
export const mul = defineBinary({
  name: "mul",
  summary: "Product: a · b (of masks: and).",
  expression: (a, b) => scalarCall(a.dtype === "bool" ? "and" : "mul", a, b),
  gradient: { left: (gradient, _a, b) => mul(gradient, b), right: (gradient, a) => mul(gradient, a) },
  cases: [
    {
      name: "broadcasts",
      args: (constant) => [constant([2, 2], "f32", [1, 2, 3, 4]), constant([2, 1], "f32", [0.5, -1])],
      shape: [2, 2],
      expected: [0.5, 1, -3, -4],
      smooth: true,
    },
    {
      name: "special values",
      args: (constant) => [constant([3], "f32", [inf, 0, -2]), constant([3], "f32", [0, nan, inf])],
      shape: [3],
      expected: [nan, nan, -inf],
    },
    {
      name: "i32 wraps",
      args: (constant) => [constant([2], "i32", [65536, 2147483647]), constant([2], "i32", [65536, 2147483647])],
      shape: [2],
      expected: [0, 1],
    },
    {
      name: "i32 and f32 give f32",
      args: (constant) => [constant([1], "i32", [3]), constant([1], "f32", [0.5])],
      shape: [1],
      expected: [1.5],
    },
  ],
});

/** a / b, always in f32. */
export const div = defineBinary({
  name: "div",
  summary: "True quotient: a / b, in f32 whatever the inputs.",
  inputs: () => "f32",
  expression: (a, b) => scalarCall("div", a, b),
  gradient: {
    left: (gradient, _a, b) => div(gradient, b),
    right: (gradient, _a, b, y) => neg(mul(gradient, div(y, b))),
  },
  cases: [
    {
      name: "integers give f32",
      args: (constant) => [constant([2], "i32", [1, -7]), constant([2], "i32", [2, 2])],
      shape: [2],
      expected: [0.5, -3.5],
    },
    {
      name: "special values",
      args: (constant) => [constant([4], "f32", [1, -1, 0, inf]), constant([4], "f32", [0, 0, 0, inf])],
      shape: [4],
      expected: [inf, -inf, nan, nan],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [1, -3]), constant([2, 1], "f32", [2, -4])],
      shape: [2, 2],
      expected: [0.5, -1.5, -0.25, 0.75],
      smooth: true,
    },
  ],
});

/** Powers compute in f32; two integer inputs are refused rather than silently made f32. */
function powerDType(left: DType, right: DType): DType {
  const dtype = promote(left, right);
  if (dtype === "f32") return dtype;
  throw new DTypeError(`pow: received ${left} and ${right}, expected f32 for at least one. Convert with .cast("f32").`);
}

/** aᵇ. */
export const pow = defineBinary({
  name: "pow",
  summary: "Power: aᵇ; x⁰ is 1 and 1ʸ is 1 even for NaN, a negative base needs an integer exponent.",
  inputs: powerDType,
  expression: (a, b) => scalarCall("pow", a, b),
  gradient: {
    // b·aᵇ⁻¹, and 0 where b is 0 (0·0⁻¹ would be NaN).
    left: (gradient, a, b) => {
      const base = where(eq(b, constantLike(b, 0)), constantLike(a, 1), a);
      return mul(gradient, mul(b, pow(base, sub(b, constantLike(b, 1)))));
    },
    // aᵇ·ln a, and 0 where a is 0 and b is not negative.
    right: (gradient, a, b, y) => {
      const flat = logicalAnd(eq(a, constantLike(a, 0)), ge(b, constantLike(b, 0)));
      return mul(gradient, mul(y, log(where(flat, constantLike(a, 1), a))));
    },
  },
  cases: [
    {
      name: "special values",
      args: (constant) => [
        constant([12], "f32", [2, -2, -2, 0, 0, -8, nan, 1, inf, -inf, -1, 0]),
        constant([12], "f32", [10, 3, 0.5, 0, -1, 1 / 3, 0, nan, -1, 3, inf, 2]),
      ],
      shape: [12],
      expected: [1024, -8, nan, 1, inf, nan, 1, 1, 0, -inf, 1, 0],
    },
    {
      name: "smooth",
      args: (constant) => [constant([3], "f32", [0.5, 2, 3]), constant([3], "f32", [2, -1.5, 0.5])],
      shape: [3],
      expected: [0.25, 2 ** -1.5, Math.sqrt(3)],
      smooth: true,
    },
  ],
});

/** The gradient goes to the chosen input; equal inputs share it half and half. */
const toChosen = (gradient: Node, unchosen: Node, a: Node, b: Node) =>
  where(unchosen, constantLike(gradient, 0), where(eq(a, b), mul(gradient, constantLike(gradient, 0.5)), gradient));

/** The smaller of a and b. */
export const minimum = defineBinary({
  name: "minimum",
  summary: "The smaller of a and b; NaN if either is. Equal inputs share the gradient.",
  expression: (a, b) => scalarCall(a.dtype === "bool" ? "and" : "min", a, b),
  gradient: {
    left: (gradient, a, b) => toChosen(gradient, gt(a, b), a, b),
    right: (gradient, a, b) => toChosen(gradient, lt(a, b), a, b),
  },
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([4], "f32", [1, nan, 1, -inf]), constant([4], "f32", [2, 1, nan, 3])],
      shape: [4],
      expected: [1, nan, nan, -inf],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [1, 5]), constant([2], "f32", [2, 3])],
      shape: [2],
      expected: [1, 3],
      smooth: true,
    },
  ],
});

/** The larger of a and b. */
export const maximum = defineBinary({
  name: "maximum",
  summary: "The larger of a and b; NaN if either is. Equal inputs share the gradient.",
  expression: (a, b) => scalarCall(a.dtype === "bool" ? "or" : "max", a, b),
  gradient: {
    left: (gradient, a, b) => toChosen(gradient, lt(a, b), a, b),
    right: (gradient, a, b) => toChosen(gradient, gt(a, b), a, b),
  },
  cases: [
    {
      name: "special values",
      args: (constant) => [constant([4], "f32", [1, nan, 1, -inf]), constant([4], "f32", [2, 1, nan, 3])],
      shape: [4],
      expected: [2, nan, nan, 3],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [1, 5]), constant([2], "f32", [2, 3])],
      shape: [2],
      expected: [2, 5],
      smooth: true,
    },
  ],
});

/** ⌊a / b⌋. */
export const floorDivide = defineBinary({
  name: "floorDivide",
  summary: "Quotient rounded down: ⌊a / b⌋; an integer divided by 0 gives 0.",
  inputs: numeric("floorDivide"),
  expression: (a, b) => scalarCall("floorDiv", a, b),
  gradient: { none: "piecewise constant: its derivative is 0 wherever it exists" },
  cases: [
    {
      name: "i32 rounds down, by 0 gives 0",
      args: (constant) => [constant([5], "i32", [7, -7, 7, -7, 5]), constant([5], "i32", [2, 2, -2, -2, 0])],
      shape: [5],
      expected: [3, -4, -4, 3, 0],
    },
    {
      name: "the largest i32 quotients",
      args: (constant) => [
        constant([4], "i32", [2147483647, -2147483648, -2147483648, 2147483647]),
        constant([4], "i32", [1, 1, -1, 2147483647]),
      ],
      shape: [4],
      expected: [2147483647, -2147483648, -2147483648, 1],
    },
    {
      name: "f32",
      args: (constant) => [constant([6], "f32", [7, -7, 1, -1, nan, 6]), constant([6], "f32", [2, 2, 0, 0, 1, 3])],
      shape: [6],
      expected: [3, -4, inf, -inf, nan, 2],
    },
    {
      name: "u8",
      args: (constant) => [constant([3], "u8", [255, 7, 3]), constant([3], "u8", [2, 0, 5])],
      shape: [3],
      expected: [127, 0, 0],
    },
  ],
});

/** a − ⌊a / b⌋·b. */
export const remainder = defineBinary({
  name: "remainder",
  summary: "Python's remainder: a − ⌊a / b⌋·b, with the sign of b; an integer by 0 gives 0.",
  inputs: numeric("remainder"),
  expression: (a, b) => scalarCall("remainder", a, b),
  gradient: {
    left: (gradient) => gradient,
    right: (gradient, a, b) => neg(mul(gradient, floorDivide(a, b))),
  },
  cases: [
    {
      name: "i32 has the sign of the divisor",
      args: (constant) => [
        constant([6], "i32", [7, -7, 7, -7, 5, -2147483648]),
        constant([6], "i32", [3, 3, -3, -3, 0, -1]),
      ],
      shape: [6],
      expected: [1, 2, -2, -1, 0, 0],
    },
    {
      name: "f32",
      args: (constant) => [constant([5], "f32", [5.5, -5.5, 5.5, 1, nan]), constant([5], "f32", [2, 2, -2, 0, 1])],
      shape: [5],
      expected: [1.5, 0.5, -0.5, nan, nan],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "f32", [5.5, -1]), constant([2], "f32", [2, 3])],
      shape: [2],
      expected: [1.5, 2],
      smooth: true,
    },
  ],
});
