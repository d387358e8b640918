/**
 * Φ, the distribution function of the normal distribution: Φ(−a) = 2^(−1 − Q(a)) for a = |x|, and Φ(a) = 1 − Φ(−a). One power of two and one polynomial,
 * where 1 + erf(x/√2) needs both with all digits of erf near 0, and the sign of x put back.
 */
import {
  abs,
  add,
  bitsOf,
  float,
  fma,
  fromBits,
  lt,
  magic,
  min,
  mul,
  polynomial,
  select,
  shiftLeft,
  sub,
  type Term,
} from "./terms.ts";

/** (−1 − log₂ Φ(−a))/a for 0 ≤ a ≤ 5.6, weighted by what an error does to Φ: 2^-26.9. From there on it grows steeply. */
const forNormalCdf = [
  1.1511051654815674, 0.45920854806900024, 0.05249509960412979, -0.007061840500682592, 0.0001357096916763112,
  0.00018669539713300765, -3.948759695049375e-5, 2.8442043458198896e-6,
];
/** Where the polynomial times a reaches 126: the power there has the exponent of 0. Φ itself is 2⁻⁷⁵. */
const endOfTail = 9.95;

/** 2ʳ for |r| ≤ 0.5005: relative error 2^-28.3. */
const forExp2 = [
  1, 0.6931471824645996, 0.24022647738456726, 0.05550359562039375, 0.009618503041565418, 0.0013390998356044292,
  0.0001532784226583317,
];

/** Φ(x) to 1.1·2⁻²⁴, in 25 instructions; 0 and 1 beyond ±9.95. */
export function normalCdf(x: Term): Term {
  const magnitude = min(float(endOfTail), abs(x));
  // Odd and even powers side by side: one instruction more than Horner's rule, and a wait half as long.
  const square = mul(magnitude, magnitude);
  const [odd, even] = [0, 1].map((parity) => forNormalCdf.flatMap((c, power) => (power % 2 === parity ? -c : [])));
  const exponent = fma(polynomial(square, odd), magnitude, mul(polynomial(square, even), square));
  const shifted = add(exponent, float(magic + 126));
  const rest = sub(exponent, sub(shifted, float(magic + 126)));
  const tail = mul(polynomial(rest, forExp2), fromBits(shiftLeft(bitsOf(shifted), 23)));
  return select(lt(x, float(0)), tail, sub(float(1), tail));
}
