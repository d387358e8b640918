/**
 * Short names for building expressions of primitives. In decompositions `min(a, b)` is a < b ? a : b and `max(a, b)` is a > b ? a : b, as
 * machines have them: with a constant first, a NaN in second place stays.
 */
import type { DType } from "../../graph/dtype.ts";
import { type ScalarExpression, scalarBitcast, scalarCall, scalarCast, scalarConstant } from "../scalar.ts";

export type Term = ScalarExpression;

/** An f32 constant. */
export const float = (value: number): Term => scalarConstant(Math.fround(value), "f32");
/** An i32 constant; unsigned patterns wrap. */
export const int = (value: number): Term => scalarConstant(value | 0, "i32");

export const add = (a: Term, b: Term): Term => scalarCall("add", a, b);
export const sub = (a: Term, b: Term): Term => scalarCall("sub", a, b);
export const mul = (a: Term, b: Term): Term => scalarCall("mul", a, b);
export const div = (a: Term, b: Term): Term => scalarCall("div", a, b);
/** a·b + c, rounded once. */
export const fma = (a: Term, b: Term, c: Term): Term => scalarCall("fma", a, b, c);
export const min = (a: Term, b: Term): Term => scalarCall("min", a, b);
export const max = (a: Term, b: Term): Term => scalarCall("max", a, b);
export const select = (condition: Term, a: Term, b: Term): Term => scalarCall("select", condition, a, b);
export const lt = (a: Term, b: Term): Term => scalarCall("lt", a, b);
export const le = (a: Term, b: Term): Term => scalarCall("le", a, b);
export const gt = (a: Term, b: Term): Term => scalarCall("gt", a, b);
export const ge = (a: Term, b: Term): Term => scalarCall("ge", a, b);
export const eq = (a: Term, b: Term): Term => scalarCall("eq", a, b);
export const ne = (a: Term, b: Term): Term => scalarCall("ne", a, b);
export const and = (a: Term, b: Term): Term => scalarCall("and", a, b);
export const or = (a: Term, b: Term): Term => scalarCall("or", a, b);
export const bitAnd = (a: Term, b: Term): Term => scalarCall("bitAnd", a, b);
export const bitOr = (a: Term, b: Term): Term => scalarCall("bitOr", a, b);
export const bitXor = (a: Term, b: Term): Term => scalarCall("bitXor", a, b);
export const shiftLeft = (a: Term, count: number): Term => scalarCall("shiftLeft", a, int(count));
export const shiftRight = (a: Term, count: number): Term => scalarCall("shiftRightArithmetic", a, int(count));
export const trunc = (a: Term): Term => scalarCall("trunc", a);
export const floor = (a: Term): Term => scalarCall("floor", a);
export const round = (a: Term): Term => scalarCall("round", a);
export const abs = (a: Term): Term => scalarCall("abs", a);
export const neg = (a: Term): Term => scalarCall("neg", a);
export const sqrt = (a: Term): Term => scalarCall("sqrt", a);
export const cast = (a: Term, dtype: DType): Term => scalarCast(a, dtype);
/** The bits of an f32 as i32, and back. */
export const bitsOf = (a: Term): Term => scalarBitcast(a, "i32");
export const fromBits = (a: Term): Term => scalarBitcast(a, "f32");

export const signBit = int(0x80000000);
export const infinity = float(Number.POSITIVE_INFINITY);
export const nan = float(Number.NaN);

/** Σ coefficients[i]·xⁱ by Horner's rule. */
export function polynomial(x: Term, coefficients: readonly number[]): Term {
  let result = float(coefficients[coefficients.length - 1]);
  for (let i = coefficients.length - 2; i >= 0; i--) result = fma(result, x, float(coefficients[i]));
  return result;
}

/** |value| with the sign of `sign`. */
export function withSign(value: Term, sign: Term): Term {
  return fromBits(bitOr(bitAnd(bitsOf(value), int(0x7fffffff)), bitAnd(bitsOf(sign), signBit)));
}

/** 1.5·2²³: adding it leaves an integer in the low bits of an f32, rounded to nearest. */
export const magic = 12582912;
