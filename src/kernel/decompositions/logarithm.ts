/** ln x and ln(1 + x): x = 2ᵉ·m with m in [√½, √2), ln x = e·ln 2 + ln m, ln(1 + f) = f − f²/2 + f³·P(f). */
import { ln2High, ln2Low } from "./exponential.ts";
import {
  add,
  bitAnd,
  bitsOf,
  cast,
  eq,
  float,
  fma,
  fromBits,
  infinity,
  int,
  le,
  lt,
  min,
  mul,
  nan,
  polynomial,
  select,
  shiftLeft,
  shiftRight,
  sub,
  type Term,
} from "./terms.ts";

/** The bits of √½. */
export const rootHalf = 0x3f3504f3;

/** P above, relative error of the logarithm 2^-27.8. */
const forLog = [
  0.3333331346511841, -0.2500016689300537, 0.20002223551273346, -0.16659367084503174, 0.14209550619125366,
  -0.1254965215921402, 0.1210872009396553, -0.109078049659729, 0.05317198112607002,
];

/** x = 2^exponent · mantissa for a positive normal x; the exponent is an i32. */
export function split(x: Term): { readonly exponent: Term; readonly mantissa: Term } {
  const offset = sub(bitsOf(x), int(rootHalf));
  return {
    exponent: shiftRight(offset, 23),
    mantissa: fromBits(add(bitAnd(offset, int(0x7fffff)), int(rootHalf))),
  };
}

/** Makes a positive denormal normal; `lowered` is what the exponent then lacks (f32). */
export function normalize(x: Term): { readonly normal: Term; readonly lowered: Term } {
  const small = lt(x, float(2 ** -126));
  return {
    normal: select(small, mul(x, float(2 ** 23)), x),
    lowered: select(small, float(-23), float(0)),
  };
}

/** e·ln 2 + ln(1 + f). */
function combine(e: Term, f: Term): Term {
  const square = mul(f, f);
  const tail = fma(e, float(ln2Low), mul(mul(f, square), polynomial(f, forLog)));
  return fma(e, float(ln2High), add(f, fma(square, float(-0.5), tail)));
}

/** `result` where the argument is in the open domain (start, ∞); −∞ at its start, NaN below, +∞ and NaN as they are. */
function inDomain(x: Term, start: number, result: Term): Term {
  const outside = select(eq(x, float(start)), float(Number.NEGATIVE_INFINITY), nan);
  return select(le(x, float(start)), outside, select(lt(x, infinity), result, x));
}

/** ln x. */
export function log(x: Term): Term {
  const { normal, lowered } = normalize(x);
  const { exponent, mantissa } = split(normal);
  return inDomain(x, 0, combine(add(cast(exponent, "f32"), lowered), sub(mantissa, float(1))));
}

/** ln(1 + x): of u = 1 + x rounded, with the rounding error added to the mantissa's rest. */
export function log1p(x: Term): Term {
  const u = add(x, float(1));
  const error = sub(x, sub(u, float(1)));
  const { exponent, mantissa } = split(u);
  // 2⁻ᵉ; beyond e = 126 the error is 0 anyway.
  const inverse = fromBits(sub(int(0x3f800000), shiftLeft(min(exponent, int(126)), 23)));
  const f = fma(error, inverse, sub(mantissa, float(1)));
  return inDomain(x, -1, combine(cast(exponent, "f32"), f));
}
