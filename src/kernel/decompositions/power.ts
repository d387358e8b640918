/**
 * xʸ = 2^(y·log₂|x|) with the rules of IEEE 754. The logarithm and its product with y are sums of two f32 numbers: an error in the product becomes
 * a relative error of the result, and the product reaches 150.
 */
import { expOfRest, scale } from "./exponential.ts";
import { normalize, split } from "./logarithm.ts";
import {
  abs,
  add,
  and,
  bitAnd,
  bitsOf,
  bitXor,
  cast,
  div,
  eq,
  float,
  fma,
  fromBits,
  infinity,
  int,
  lt,
  magic,
  max,
  min,
  mul,
  nan,
  ne,
  neg,
  or,
  polynomial,
  select,
  signBit,
  sub,
  type Term,
  trunc,
} from "./terms.ts";

/** 2·log₂e in two parts. */
const slope = Math.fround(2 * Math.LOG2E);
const slopeLow = Math.fround(2 * Math.LOG2E - slope);
/** (log₂((1 + s)/(1 − s)) − 2·log₂e·s)/s³ in z = s²: relative error 2^-34.9. */
const forLog2 = [0.9617967009544373, 0.5770788788795471, 0.4119214713573456, 0.3366246223449707];

/** log₂ of a positive finite number as a sum of two f32. */
function log2(x: Term): { readonly high: Term; readonly low: Term } {
  const { normal, lowered } = normalize(x);
  const { exponent, mantissa } = split(normal);
  const e = add(cast(exponent, "f32"), lowered);
  // s = f/(2 + f) = sHigh + sLow.
  const f = sub(mantissa, float(1));
  const denominator = add(f, float(2));
  const denominatorLow = sub(f, sub(denominator, float(2)));
  const inverse = div(float(1), denominator);
  const s = mul(f, inverse);
  const rest = fma(neg(s), denominatorLow, fma(neg(s), denominator, f));
  const sLow = mul(rest, inverse);
  const z = mul(s, s);
  const cubic = mul(mul(s, z), polynomial(z, forLog2));
  // log₂ = e + slope·s + slope·sLow + slopeLow·s + cubic
  const product = mul(s, float(slope));
  const productLow = fma(sLow, float(slope), fma(s, float(slopeLow), fma(s, float(slope), neg(product))));
  const high = add(e, product);
  const low = add(sub(product, sub(high, e)), add(productLow, cubic));
  const sum = add(high, low);
  return { high: sum, low: sub(low, sub(sum, high)) };
}

/** 2^(high + low). */
function exp2(high: Term, low: Term): Term {
  const clamped = min(float(160), max(float(-160), high));
  const shifted = add(clamped, float(magic + 254));
  const r = sub(clamped, sub(shifted, float(magic + 254)));
  // Where the clamp acted, `low` is of no use and may be NaN.
  const kept = select(eq(clamped, high), low, float(0));
  const rest = mul(add(r, kept), float(Math.LN2));
  return scale(expOfRest(rest), bitsOf(shifted));
}

/** xʸ. */
export function pow(x: Term, y: Term): Term {
  const magnitude = abs(x);
  const finite = log2(magnitude);
  const zero = eq(magnitude, float(0));
  const extreme = or(zero, eq(magnitude, infinity));
  const high = select(extreme, select(zero, neg(infinity), infinity), finite.high);
  const low = select(extreme, float(0), finite.low);
  const product = mul(y, high);
  const productLow = fma(y, low, fma(y, high, neg(product)));
  const power = select(eq(magnitude, float(1)), float(1), exp2(product, productLow));
  // The sign: negative for a negative base (−0 too) and an odd exponent; NaN for a negative finite base and a fractional exponent.
  const fractional = ne(trunc(y), y);
  const half = mul(y, float(0.5));
  const odd = and(ne(trunc(half), half), eq(trunc(y), y));
  const sign = select(odd, bitAnd(bitsOf(x), signBit), int(0));
  const signed = fromBits(bitXor(bitsOf(power), sign));
  const finiteNegative = and(lt(x, float(0)), ne(magnitude, infinity));
  const real = select(and(finiteNegative, fractional), nan, signed);
  const defined = select(or(ne(x, x), ne(y, y)), nan, real);
  return select(or(eq(x, float(1)), eq(y, float(0))), float(1), defined);
}
