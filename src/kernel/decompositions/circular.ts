/**
 * sin and cos: x = n·π/2 + r with |r| ≤ π/4. π/2 is subtracted in three parts with fused operations, of which the first is exact.
 * Good to 2 ulp for |x| < 10⁴ and to about 1e-7 absolute up to 2²² ≈ 4.2·10⁶; beyond that f32 cannot hold n and the result is NaN rather than a wrong number.
 */
import {
  abs,
  add,
  bitAnd,
  bitsOf,
  bitXor,
  eq,
  float,
  fma,
  fromBits,
  int,
  lt,
  magic,
  mul,
  nan,
  polynomial,
  select,
  shiftLeft,
  signBit,
  sub,
  type Term,
} from "./terms.ts";

const quarter = Math.fround(Math.PI / 2);
const quarterMiddle = Math.fround(Math.PI / 2 - quarter);
/** π/2 − quarter − quarterMiddle, from more digits than f64 has. */
const quarterLow = Math.fround(-1.7151245100058819e-15);

/** (sin √z/√z − 1)/z: relative error of the sine 2^-27.8. */
const forSin = [-0.16666653752326965, 0.008332106284797192, -0.00019507897377479821];
/** (cos √z − 1 + z/2)/z²: relative error of the cosine 2^-32.9. */
const forCos = [0.04166664555668831, -0.0013887308305129409, 2.4432092686765827e-5];

/** sin(x + quarters·π/2). */
function circular(x: Term, quarters: 0 | 1): Term {
  const shifted = fma(x, float(2 / Math.PI), float(magic));
  const n = sub(shifted, float(magic));
  const r = fma(n, float(-quarterLow), fma(n, float(-quarterMiddle), fma(n, float(-quarter), x)));
  const z = mul(r, r);
  const sine = fma(mul(r, z), polynomial(z, forSin), r);
  const cosine = fma(mul(z, z), polynomial(z, forCos), fma(z, float(-0.5), float(1)));
  const turn = quarters === 0 ? bitsOf(shifted) : add(bitsOf(shifted), int(quarters));
  const value = select(eq(bitAnd(turn, int(1)), int(0)), sine, cosine);
  const signed = fromBits(bitXor(bitsOf(value), bitAnd(shiftLeft(turn, 30), signBit)));
  return select(lt(abs(x), float(2 ** 22)), signed, nan);
}

export const sin = (x: Term): Term => circular(x, 0);
export const cos = (x: Term): Term => circular(x, 1);
