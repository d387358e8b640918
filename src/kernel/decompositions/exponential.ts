/**
 * eˣ and its relatives. x = n·ln 2 + r with |r| ≤ ln 2/2, eˣ = 2ⁿ·eʳ; eʳ is a polynomial (Remez, coefficients rounded to f32 one after the other).
 * `n` comes out of an addition of 1.5·2²³, whose low bits then hold it.
 */
import {
  abs,
  add,
  bitOr,
  bitsOf,
  div,
  float,
  fma,
  fromBits,
  lt,
  magic,
  max,
  min,
  mul,
  polynomial,
  select,
  shiftLeft,
  shiftRight,
  signBit,
  sub,
  type Term,
  withSign,
} from "./terms.ts";

export const ln2High = Math.fround(Math.LN2);
export const ln2Low = Math.fround(Math.LN2 - ln2High);

/** (eʳ − 1 − r)/r² for |r| ≤ 0.3475: relative error of eʳ 2^-27.8. */
const forExp = [0.5, 0.16666486859321594, 0.041665542870759964, 0.008372456766664982, 0.0014036278007552028];
/** The same one degree higher, for a relative error of eʳ − 1 of 2^-30.8. */
const forExpm1 = [
  0.5, 0.1666666716337204, 0.04166644811630249, 0.008333077654242516, 0.0013937067706137896, 0.00020079642126802355,
];

/** x = n·ln 2 + r. The low bits of `shifted` hold n + bias. */
function reduce(x: Term, bias: number): { readonly shifted: Term; readonly r: Term } {
  const shifted = fma(x, float(Math.LOG2E), float(magic + bias));
  const n = sub(shifted, float(magic + bias));
  const r = fma(n, float(-ln2Low), fma(n, float(-ln2High), x));
  return { shifted: bitsOf(shifted), r };
}

/** value·2ⁿ, where the low bits of `shifted` hold n + 254: in two factors, so that results may overflow or be denormal. */
export function scale(value: Term, shifted: Term): Term {
  const half = shiftRight(shifted, 1);
  const first = fromBits(shiftLeft(half, 23));
  const second = fromBits(shiftLeft(sub(shifted, half), 23));
  return mul(mul(value, first), second);
}

/** eʳ for |r| ≤ ln 2/2. */
export const expOfRest = (r: Term): Term => fma(fma(polynomial(r, forExp), r, float(1)), r, float(1));

/**
 * eˣ for x ≤ 0 or NaN, in 14 instructions and with the bits of `exp`: 2ⁿ⁺⁶⁴ is one factor for every n from −150 to 0, and only the product with the
 * other, 2⁻⁶⁴, is rounded, where it is denormal.
 */
export function expOfNonPositive(x: Term): Term {
  const { shifted, r } = reduce(max(float(-104), x), 127 + 64);
  return mul(mul(expOfRest(r), fromBits(shiftLeft(shifted, 23))), float(2 ** -64));
}

/** eˣ: 18 instructions. Overflows to ∞ above 88.72, denormal below −87.33, 0 below −103.97. */
export function exp(x: Term): Term {
  const { shifted, r } = reduce(min(float(89), max(float(-104), x)), 254);
  return scale(expOfRest(r), shifted);
}

/** eʳ − 1 for |r| ≤ ln 2/2, accurate relative to itself. */
const expm1OfRest = (r: Term): Term => fma(mul(r, r), polynomial(r, forExpm1), r);

/** eˣ − 1 for x in [−104, 0] or NaN. */
export function expm1OfNegative(x: Term): Term {
  const { shifted, r } = reduce(x, 127);
  const power = fromBits(shiftLeft(shifted, 23));
  return fma(power, expm1OfRest(r), sub(power, float(1)));
}

/** eˣ − 1: 2·(2ⁿ⁻¹·(eʳ − 1) + (2ⁿ⁻¹ − ½)), halved inside so that n may be 128. */
export function expm1(x: Term): Term {
  const { shifted, r } = reduce(min(float(89), max(float(-18), x)), 126);
  const half = fromBits(shiftLeft(shifted, 23));
  const result = fma(half, expm1OfRest(r), sub(half, float(0.5)));
  return add(result, result);
}

/** −|x|. */
const negativeMagnitude = (x: Term): Term => fromBits(bitOr(bitsOf(x), signBit));

/** 1/(1 + e⁻ˣ) as e/(1 + e) or 1/(1 + e) with e = e^−|x|, so that small results keep their digits. */
export function sigmoid(x: Term): Term {
  const e = expOfNonPositive(negativeMagnitude(x));
  return div(select(lt(x, float(0)), e, float(1)), add(e, float(1)));
}

/**
 * tanh |x| = −u/(2 + u) with u = e^−2|x| − 1. Near 1 the rounding of 2 + u is the largest error by far; its effect on the quotient is taken back to
 * first order.
 */
export function tanh(x: Term): Term {
  const negative = negativeMagnitude(x);
  const u = expm1OfNegative(max(float(-20), add(negative, negative)));
  const denominator = add(u, float(2));
  const excess = sub(sub(denominator, float(2)), u);
  const quotient = div(u, denominator);
  return withSign(fma(quotient, excess, quotient), x);
}

/** (2ʳ − 1)/r for |r| ≤ 0.5005: relative error of 2ʳ − 1 2^-28.0. */
const forExp2m1 = [
  0.6931471824645996, 0.24022650718688965, 0.0555039718747139, 0.009618091396987438, 0.00133480632212013,
  0.00015448489284608513, 1.1404869837861042e-5,
];

/** 2ˣ − 1 for x in [−120, 0] or NaN: of a power of two, n and the rest come out of x exactly. */
function exp2m1OfNegative(x: Term): Term {
  const shifted = add(x, float(magic + 127));
  const r = sub(x, sub(shifted, float(magic + 127)));
  const power = fromBits(shiftLeft(bitsOf(shifted), 23));
  return fma(power, mul(r, polynomial(r, forExp2m1)), sub(power, float(1)));
}

/**
 * −log₂(1 − erf t)/t for 0 ≤ t ≤ 3.95, of degree 7: erf t = 1 − 2^(−t·Q(t)) without a second branch for small t. Weighted by what an error does
 * to erf: 2^-24.7.
 */
const forErf = [
  1.6279070377349854, 0.9184446930885315, 0.14832158386707306, -0.027852283790707588, 0.00026524526765570045,
  0.0018280564108863473, -0.0005573112866841257, 5.974772648187354e-5,
];

/** erf x = sign(x)·(1 − 2^(−|x|·Q(|x|))). */
export function erf(x: Term): Term {
  const t = min(float(3.95), abs(x));
  const negated = forErf.map((coefficient) => -coefficient);
  return withSign(exp2m1OfNegative(mul(t, polynomial(t, negated))), x);
}
