/** Elementwise logic on masks (anything else is first tested against 0) and bit operations on integers. */
import type { DType } from "../graph/dtype.ts";
import { type ScalarFunction, scalarCall } from "../kernel/scalar.ts";
import { defineBinary, defineUnary } from "./elementwise.ts";
import { requireDType } from "./prepare.ts";

/** `expected` is the result for (0, 0, 1, 1) and (0, 1, 0, 1). */
function logical(name: string, scalar: "and" | "or" | "xor", summary: string, expected: readonly number[]) {
  return defineBinary({
    name,
    summary,
    inputs: () => "bool",
    expression: (a, b) => scalarCall(scalar, a, b),
    gradient: { none: "a mask carries no gradient" },
    cases: [
      {
        name: "masks",
        args: (constant) => [constant([4], "bool", [0, 0, 1, 1]), constant([4], "bool", [0, 1, 0, 1])],
        shape: [4],
        expected,
      },
      {
        name: "numbers are tested against 0, NaN is true",
        args: (constant) => [constant([4], "f32", [0, -0, Number.NaN, 0.5]), constant([4], "i32", [0, 7, 0, -1])],
        shape: [4],
        expected,
      },
    ],
  });
}

/** a and b. */
export const logicalAnd = logical("logicalAnd", "and", "Mask of a and b.", [0, 0, 0, 1]);
/** a or b. */
export const logicalOr = logical("logicalOr", "or", "Mask of a or b.", [0, 1, 1, 1]);
/** a or b but not both. */
export const logicalXor = logical("logicalXor", "xor", "Mask of either a or b, not both.", [0, 1, 1, 0]);

/** not a. */
export const logicalNot = defineUnary({
  name: "logicalNot",
  summary: "Mask of not a.",
  keeps: ["bool"],
  expression: (x) => scalarCall("not", x),
  gradient: { none: "a mask carries no gradient" },
  cases: [{ name: "masks", args: (constant) => [constant([2], "bool", [0, 1])], shape: [2], expected: [1, 0] }],
});

type BitFunction = Extract<
  ScalarFunction,
  "bitAnd" | "bitOr" | "bitXor" | "shiftLeft" | "shiftRightLogical" | "shiftRightArithmetic"
>;

/** `expected` is the result for (12, −1, 1, −8) and (10, 255, 31, 1). */
function bitwise(name: string, scalar: BitFunction, summary: string, expected: readonly number[]) {
  return defineBinary({
    name,
    summary,
    inputs: (left: DType, right: DType) => {
      requireDType(name, left, ["i32", "u8"]);
      requireDType(name, right, ["i32", "u8"]);
      return "i32";
    },
    expression: (a, b) => scalarCall(scalar, a, b),
    gradient: { none: "integers carry no gradient" },
    cases: [
      {
        name: "i32",
        args: (constant) => [constant([4], "i32", [12, -1, 1, -8]), constant([4], "i32", [10, 255, 31, 1])],
        shape: [4],
        expected,
      },
    ],
  });
}

/** a & b. */
export const bitwiseAnd = bitwise("bitwiseAnd", "bitAnd", "Bits of a and b, as i32.", [8, 255, 1, 0]);
/** a | b. */
export const bitwiseOr = bitwise("bitwiseOr", "bitOr", "Bits of a or b, as i32.", [14, -1, 31, -7]);
/** a ^ b. */
export const bitwiseXor = bitwise("bitwiseXor", "bitXor", "Bits of either a or b, as i32.", [6, -256, 30, -7]);
/** a << b. */
export const shiftLeft = bitwise(
  "shiftLeft",
  "shiftLeft",
  "a·2ᵇ in 32 bits; 0 for b outside 0 … 31.",
  [12288, 0, -2147483648, -16],
);
/** a >> b. */
export const shiftRight = bitwise(
  "shiftRight",
  "shiftRightArithmetic",
  "⌊a / 2ᵇ⌋; only the sign remains for b outside 0 … 31.",
  [0, -1, 0, -4],
);
/** a >>> b. */
export const shiftRightLogical = bitwise(
  "shiftRightLogical",
  "shiftRightLogical",
  "The bits of a moved b places down, zeros from above; 0 for b outside 0 … 31.",
  [0, 0, 0, 2147483644],
);
