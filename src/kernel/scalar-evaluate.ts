/**
 * What every scalar function means, in f64: the oracle's arithmetic. Integer results are exact 32-bit (i32) or 8-bit (u8) values,
 * f32 results are left unrounded. bool is 0 or 1.
 */
import type { DType } from "../graph/dtype.ts";
import type { ScalarExpression, ScalarFunction } from "./scalar.ts";
import { linearize } from "./scalar-linear.ts";
import { erf, flooredQuotient, flooredRemainder, normalCdf, power, roundHalfEven } from "./special-functions.ts";

/** One scalar function for fixed dtypes; functions of fewer inputs ignore the rest. */
export type ScalarImplementation = (a: number, b: number, c: number) => number;
type Chooser = (result: DType, inputs: readonly DType[]) => ScalarImplementation;

const bits = new DataView(new ArrayBuffer(4));

/** Keeps integer arithmetic in its range: i32 wraps at 2³², u8 at 2⁸. */
function wrapped(real: ScalarImplementation, integer: ScalarImplementation = real): Chooser {
  return (result) => {
    if (result === "f32") return real;
    if (result === "i32") return (a, b, c) => integer(a, b, c) | 0;
    if (result === "u8") return (a, b, c) => integer(a, b, c) & 255;
    return (a, b, c) => (integer(a, b, c) !== 0 ? 1 : 0);
  };
}
const same =
  (implementation: ScalarImplementation): Chooser =>
  () =>
    implementation;
const test =
  (condition: (a: number, b: number) => boolean): Chooser =>
  () =>
  (a, b) =>
    condition(a, b) ? 1 : 0;
/** Shift counts are unsigned: a count outside 0 … 31 shifts everything out. */
const shiftedOut = (count: number) => count < 0 || count > 31;

function castTo(result: DType, [source]: readonly DType[]): ScalarImplementation {
  if (result === "bool") return (a) => (a !== 0 ? 1 : 0);
  if (result === "f32") return (a) => a;
  const toInteger: ScalarImplementation = source === "f32" ? saturate : (a) => a;
  return result === "u8" ? (a, b, c) => toInteger(a, b, c) & 255 : toInteger;
}
/** f32 -> i32: toward zero; out of range gives the nearest i32, NaN gives 0. */
function saturate(a: number): number {
  if (Number.isNaN(a)) return 0;
  return Math.min(2147483647, Math.max(-2147483648, Math.trunc(a)));
}

/** The meaning of each scalar function, chosen by its dtypes. */
export const scalarMeanings: Readonly<Record<ScalarFunction, Chooser>> = {
  add: wrapped((a, b) => a + b),
  sub: wrapped((a, b) => a - b),
  mul: wrapped((a, b) => a * b, Math.imul),
  div: same((a, b) => a / b),
  fma: wrapped(
    (a, b, c) => a * b + c,
    (a, b, c) => Math.imul(a, b) + c,
  ),
  neg: wrapped((a) => -a),
  abs: wrapped((a) => Math.abs(a)),
  // NaN if either is; of equal values the second, which tells only -0 from 0.
  min: same((a, b) => (Number.isNaN(a) ? a : a < b ? a : b)),
  max: same((a, b) => (Number.isNaN(a) ? a : a > b ? a : b)),
  // An integer divided by 0 gives 0 (quotient and remainder), where Python raises: one element must not stop a program.
  floorDiv: wrapped(flooredQuotient, (a, b) => (b === 0 ? 0 : Math.floor(a / b))),
  remainder: wrapped(flooredRemainder, (a, b) => (b === 0 ? 0 : flooredRemainder(a, b))),
  sqrt: same(Math.sqrt),
  rsqrt: same((a) => 1 / Math.sqrt(a)),
  floor: same(Math.floor),
  ceil: same(Math.ceil),
  round: same(roundHalfEven),
  trunc: same(Math.trunc),
  sign: same((a) => (a > 0 ? 1 : a < 0 ? -1 : a)),
  exp: same(Math.exp),
  expOfNonPositive: same(Math.exp),
  expm1: same(Math.expm1),
  log: same(Math.log),
  log1p: same(Math.log1p),
  tanh: same(Math.tanh),
  sigmoid: same((a) => 1 / (1 + Math.exp(-a))),
  erf: same(erf),
  normalCdf: same(normalCdf),
  sin: same(Math.sin),
  cos: same(Math.cos),
  pow: same(power),
  lt: test((a, b) => a < b),
  le: test((a, b) => a <= b),
  gt: test((a, b) => a > b),
  ge: test((a, b) => a >= b),
  eq: test((a, b) => a === b),
  ne: test((a, b) => a !== b),
  and: test((a, b) => a !== 0 && b !== 0),
  or: test((a, b) => a !== 0 || b !== 0),
  not: test((a) => a === 0),
  xor: test((a, b) => (a !== 0) !== (b !== 0)),
  bitAnd: wrapped((a, b) => a & b),
  bitOr: wrapped((a, b) => a | b),
  bitXor: wrapped((a, b) => a ^ b),
  shiftLeft: wrapped((a, b) => (shiftedOut(b) ? 0 : a << b)),
  shiftRightLogical: wrapped((a, b) => (shiftedOut(b) ? 0 : a >>> b)),
  shiftRightArithmetic: wrapped((a, b) => a >> (shiftedOut(b) ? 31 : b)),
  select: same((a, b, c) => (a !== 0 ? b : c)),
  cast: castTo,
  bitcast: (result) =>
    result === "i32"
      ? (a) => {
          bits.setFloat32(0, a);
          return bits.getInt32(0);
        }
      : (a) => {
          bits.setInt32(0, a);
          return bits.getFloat32(0);
        },
};

/** A constant as its dtype holds it. */
export function constantValue(value: number, dtype: DType): number {
  return dtype === "f32" ? Math.fround(value) : dtype === "bool" ? (value !== 0 ? 1 : 0) : value;
}

/** The implementation behind one call of an expression. */
export function implementationOf(call: ScalarExpression & { readonly kind: "call" }): ScalarImplementation {
  return scalarMeanings[call.function](
    call.dtype,
    call.inputs.map((input) => input.dtype),
  );
}

/** The value of an expression for one element: `inputs[i]` for input i, `positions[axis]` for a position. */
export function evaluateScalar(
  expression: ScalarExpression,
  inputs: ArrayLike<number>,
  positions: ArrayLike<number> = [],
): number {
  const values: number[] = [];
  for (const step of linearize(expression)) {
    const current = step.expression;
    switch (current.kind) {
      case "input":
        values.push(inputs[current.index]);
        break;
      case "constant":
        values.push(constantValue(current.value, current.dtype));
        break;
      case "position":
        values.push(positions[current.axis]);
        break;
      case "call": {
        const [a, b, c] = step.inputs;
        values.push(implementationOf(current)(values[a], values[b], values[c]));
      }
    }
  }
  return values[values.length - 1];
}
