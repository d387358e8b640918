/**
 * One lane of every vector primitive, on 32-bit patterns (as signed integers). This is the meaning of the kernel IR to the bit: f32 results are
 * rounded once; a NaN result is the first NaN input made quiet, or the default NaN of x86 where no input is one.
 */
import type { BinaryVectorOp, HorizontalOp, UnaryVectorOp } from "./ir.ts";

const floats = new Float32Array(1);
const bits = new Int32Array(floats.buffer);
const doubles = new Float64Array(1);
const doubleBits = new BigInt64Array(doubles.buffer);

/** The f32 with this bit pattern. */
export function fromBits(pattern: number): number {
  bits[0] = pattern;
  return floats[0];
}
/** The bit pattern of a number rounded to f32. */
export function toBits(value: number): number {
  floats[0] = value;
  return bits[0];
}

const isNaNBits = (pattern: number): boolean => (pattern & 0x7fffffff) > 0x7f800000;
const quietBit = 0x00400000;
const defaultNaN = 0xffc00000 | 0;
const mask = (condition: boolean): number => (condition ? -1 : 0);

function arithmetic(a: number, b: number, result: number): number {
  if (!Number.isNaN(result)) return toBits(result);
  if (isNaNBits(a)) return a | quietBit;
  return isNaNBits(b) ? b | quietBit : defaultNaN;
}

/** a·b + c rounded once to f32. The product is exact in f64; the sum is rounded to odd there, so the second rounding is harmless. */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  if (!Number.isFinite(sum)) return Math.fround(sum);
  // Two-sum (Knuth): error = (product + c) − sum, exactly.
  const back = sum - product;
  const error = product - (sum - back) + (c - back);
  if (error === 0) return Math.fround(sum);
  doubles[0] = sum;
  if ((doubleBits[0] & 1n) === 0n) doubleBits[0] += error > 0 === sum > 0 ? 1n : -1n;
  return Math.fround(doubles[0]);
}

/** The same on bit patterns. */
export function fusedMultiplyAddBits(a: number, b: number, c: number): number {
  const result = fusedMultiplyAdd(fromBits(a), fromBits(b), fromBits(c));
  if (!Number.isNaN(result)) return toBits(result);
  for (const input of [a, b, c]) if (isNaNBits(input)) return input | quietBit;
  return defaultNaN;
}

function toInt32(value: number, round: (value: number) => number): number {
  const integer = round(value);
  return integer >= -2147483648 && integer <= 2147483647 ? integer | 0 : -2147483648;
}

/** Round to nearest, ties to even. */
export function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  const rounded = rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

type BinaryLane = (a: number, b: number) => number;
type UnaryLane = (a: number) => number;

const rounding =
  (round: (value: number) => number): UnaryLane =>
  (a) => {
    const value = fromBits(a);
    return arithmetic(a, a, Number.isFinite(value) ? round(value) : value);
  };

/** Every two-input primitive on one lane. */
export const binaryLanes: { readonly [Name in BinaryVectorOp]: BinaryLane } = {
  fadd: (a, b) => arithmetic(a, b, Math.fround(fromBits(a) + fromBits(b))),
  fsub: (a, b) => arithmetic(a, b, Math.fround(fromBits(a) - fromBits(b))),
  fmul: (a, b) => arithmetic(a, b, Math.fround(fromBits(a) * fromBits(b))),
  fdiv: (a, b) => arithmetic(a, b, Math.fround(fromBits(a) / fromBits(b))),
  fmin: (a, b) => (fromBits(a) < fromBits(b) ? a : b),
  fmax: (a, b) => (fromBits(a) > fromBits(b) ? a : b),
  flt: (a, b) => mask(fromBits(a) < fromBits(b)),
  fle: (a, b) => mask(fromBits(a) <= fromBits(b)),
  feq: (a, b) => mask(fromBits(a) === fromBits(b)),
  fne: (a, b) => mask(fromBits(a) !== fromBits(b)),
  iadd: (a, b) => (a + b) | 0,
  isub: (a, b) => (a - b) | 0,
  imul: (a, b) => Math.imul(a, b),
  imin: (a, b) => Math.min(a, b),
  imax: (a, b) => Math.max(a, b),
  ilt: (a, b) => mask(a < b),
  ieq: (a, b) => mask(a === b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  andnot: (a, b) => ~a & b,
  shl: (a, b) => (b >>> 0 > 31 ? 0 : a << b),
  shrl: (a, b) => (b >>> 0 > 31 ? 0 : a >>> b) | 0,
  shra: (a, b) => a >> Math.min(b >>> 0, 31),
};

/** Every one-input primitive on one lane. */
export const unaryLanes: { readonly [Name in UnaryVectorOp]: UnaryLane } = {
  fsqrt: (a) => arithmetic(a, a, Math.fround(Math.sqrt(fromBits(a)))),
  ffloor: rounding(Math.floor),
  fceil: rounding(Math.ceil),
  froundeven: rounding(roundEven),
  ftrunc: rounding(Math.trunc),
  itof: (a) => toBits(a),
  ftoi: (a) => toInt32(fromBits(a), Math.trunc),
  ftoiround: (a) => toInt32(fromBits(a), roundEven),
  move: (a) => a,
};

/** The primitive that a horizontal combination folds with; its first input is the lower lane. */
export const horizontalLanes: { readonly [Name in HorizontalOp]: BinaryLane } = {
  fadd: binaryLanes.fadd,
  fmul: binaryLanes.fmul,
  fmin: binaryLanes.fmin,
  fmax: binaryLanes.fmax,
  imin: binaryLanes.imin,
  imax: binaryLanes.imax,
  iadd: binaryLanes.iadd,
  and: binaryLanes.and,
  or: binaryLanes.or,
};
