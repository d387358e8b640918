/** Division that rounds down, and its remainder: for f32, for i32 without wider numbers, for u8. */
import {
  abs,
  add,
  and,
  bitXor,
  cast,
  div,
  eq,
  float,
  floor,
  fma,
  infinity,
  int,
  lt,
  mul,
  ne,
  neg,
  or,
  round,
  select,
  sub,
  type Term,
} from "./terms.ts";

/** ⌊a/b⌋ and a − ⌊a/b⌋·b. */
interface Quotient {
  readonly quotient: Term;
  readonly remainder: Term;
}

/**
 * f32. The rounded a/b may reach an integer that a/b lies just below (never the other way); the remainder then has the wrong sign, and both are put
 * right. Exact remainders for |a/b| < 2²⁴; beyond that the quotient is the rounded one.
 */
function floatQuotient(a: Term, b: Term): Quotient {
  const ratio = div(a, b);
  const quotient = floor(ratio);
  // a, or NaN where a is infinite: the remainder for b = ±∞, where a product with 0 would be NaN.
  const nothing = sub(a, a);
  const rest = select(eq(abs(b), infinity), add(a, nothing), fma(neg(quotient), b, a));
  const below = differs(rest, b);
  return {
    quotient: select(eq(b, float(0)), ratio, add(select(below, sub(quotient, float(1)), quotient), nothing)),
    remainder: select(below, add(rest, b), rest),
  };
}

/** Whether two numbers have opposite signs and the first is not 0 (without a product that could underflow). */
function differs(rest: Term, divisor: Term): Term {
  return or(and(lt(rest, float(0)), lt(float(0), divisor)), and(lt(float(0), rest), lt(divisor, float(0))));
}

/**
 * i32, by two rounds in f32: the first quotient is off by at most 2⁹, the rounded quotient of what remains makes it exact to within one half, and a
 * remainder of the wrong sign costs one more. All products wrap modulo 2³², and so does the one quotient that does not fit, −2³¹/−1.
 */
function intQuotient(a: Term, b: Term): Quotient {
  const divisor = cast(b, "f32");
  const first = cast(div(cast(a, "f32"), divisor), "i32");
  const rest = sub(a, mul(first, b));
  const second = cast(round(div(cast(rest, "f32"), divisor)), "i32");
  const remainder = sub(rest, mul(second, b));
  const quotient = add(first, second);
  const below = and(ne(remainder, int(0)), lt(bitXor(remainder, b), int(0)));
  const none = eq(b, int(0));
  const guarded = (value: Term) => select(none, int(0), value);
  return {
    quotient: guarded(select(below, sub(quotient, int(1)), quotient)),
    remainder: guarded(select(below, add(remainder, b), remainder)),
  };
}

/** u8: quotients below 2⁸ are exact in f32. */
function byteQuotient(a: Term, b: Term): Quotient {
  const none = eq(cast(b, "i32"), int(0));
  const whole = cast(floor(div(cast(a, "f32"), cast(b, "f32"))), "i32");
  const quotient = select(none, int(0), whole);
  const remainder = select(none, int(0), sub(cast(a, "i32"), mul(whole, cast(b, "i32"))));
  return { quotient: cast(quotient, "u8"), remainder: cast(remainder, "u8") };
}

function quotientOf(a: Term, b: Term): Quotient {
  return a.dtype === "f32" ? floatQuotient(a, b) : a.dtype === "u8" ? byteQuotient(a, b) : intQuotient(a, b);
}

export const floorDiv = (a: Term, b: Term): Term => quotientOf(a, b).quotient;
export const remainder = (a: Term, b: Term): Term => quotientOf(a, b).remainder;
