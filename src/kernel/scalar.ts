/**
 * Scalar expressions: what an elementwise operation computes for one element. They are written once, in the op's definition;
 * the reference target evaluates them in f64, `decompose` lowers them to the primitives that every machine has, and the code
 * generator emits those for 16 lanes at a time.
 */
import type { DType } from "../graph/dtype.ts";

/** Every scalar function. Adding one is the only change that touches all targets: mapped types make the compiler list the places. */
export type ScalarFunction =
  // arithmetic on f32 or i32 (u8 wraps, as in PyTorch)
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "fma"
  | "neg"
  | "abs"
  | "min"
  | "max"
  | "floorDiv"
  | "remainder"
  // f32 only
  | "sqrt"
  | "rsqrt"
  | "floor"
  | "ceil"
  | "round"
  | "trunc"
  | "sign"
  | "exp"
  /** eˣ for x ≤ 0 or NaN, to the bit what `exp` gives there. */
  | "expOfNonPositive"
  | "expm1"
  | "log"
  | "log1p"
  | "tanh"
  | "sigmoid"
  | "erf"
  | "normalCdf"
  | "sin"
  | "cos"
  | "pow"
  // comparison: result bool
  | "lt"
  | "le"
  | "gt"
  | "ge"
  | "eq"
  | "ne"
  // bool
  | "and"
  | "or"
  | "not"
  | "xor"
  // i32 bits
  | "bitAnd"
  | "bitOr"
  | "bitXor"
  | "shiftLeft"
  | "shiftRightLogical"
  | "shiftRightArithmetic"
  // choice and conversion (target dtype is the expression's dtype); bitcast reinterprets f32 <-> i32
  | "select"
  | "cast"
  | "bitcast";

/** An immutable expression graph; share a node to share its value. `dtype` is that of the result. */
export type ScalarExpression =
  | { readonly kind: "input"; readonly index: number; readonly dtype: DType }
  | { readonly kind: "constant"; readonly value: number; readonly dtype: DType }
  /** The position along one axis of the iteration space (an i32). */
  | { readonly kind: "position"; readonly axis: number; readonly dtype: "i32" }
  | {
      readonly kind: "call";
      readonly function: ScalarFunction;
      readonly inputs: readonly ScalarExpression[];
      readonly dtype: DType;
    };

export const scalarInput = (index: number, dtype: DType): ScalarExpression => ({ kind: "input", index, dtype });
export const scalarConstant = (value: number, dtype: DType = "f32"): ScalarExpression => ({
  kind: "constant",
  value,
  dtype,
});
export const scalarPosition = (axis: number): ScalarExpression => ({ kind: "position", axis, dtype: "i32" });

const comparisons: ReadonlySet<ScalarFunction> = new Set(["lt", "le", "gt", "ge", "eq", "ne"]);

/** Applies a scalar function. The result dtype is that of the first input, bool for comparisons, that of the branches for select. */
export function scalarCall(
  name: Exclude<ScalarFunction, "cast" | "bitcast">,
  ...inputs: ScalarExpression[]
): ScalarExpression {
  const dtype: DType = comparisons.has(name) ? "bool" : name === "select" ? inputs[1].dtype : inputs[0].dtype;
  return { kind: "call", function: name, inputs, dtype };
}
export const scalarCast = (input: ScalarExpression, dtype: DType): ScalarExpression =>
  input.dtype === dtype ? input : { kind: "call", function: "cast", inputs: [input], dtype };
export const scalarBitcast = (input: ScalarExpression, dtype: "f32" | "i32"): ScalarExpression =>
  input.dtype === dtype ? input : { kind: "call", function: "bitcast", inputs: [input], dtype };
