/** Functions that JavaScript's `Math` lacks, in f64. */

const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/**
 * The error function erf(x) = 2/√π ∫₀ˣ exp(−t²) dt, to about 1e-15.
 * Below 2.5 the series 2/√π·exp(−x²)·Σ 2ⁿx²ⁿ⁺¹/(2n+1)!!, whose terms are all positive; above it the continued fraction of erfc.
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const magnitude = Math.abs(x);
  if (magnitude > 6) return Math.sign(x);
  const square = x * x;
  if (magnitude < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; n < 200; n++) {
      term *= (2 * square) / (2 * n + 1);
      sum += term;
      if (Math.abs(term) < 1e-17 * Math.abs(sum)) break;
    }
    return twoOverRootPi * Math.exp(-square) * sum;
  }
  return Math.sign(x) * (1 - tail(magnitude));
}

/** erfc(x) = exp(−x²)/√π · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …)))) for x ≥ 2.5, evaluated from the far end. */
function tail(x: number): number {
  let fraction = x;
  for (let n = 80; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

/** Φ(x) = (1 + erf(x/√2))/2, the distribution function of the normal distribution, with all digits of its lower tail. */
export function normalCdf(x: number): number {
  const scaled = x * Math.SQRT1_2;
  return scaled < -2.5 ? tail(-scaled) / 2 : (1 + erf(scaled)) / 2;
}

/** Nearest integer, halves to the even one. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest < 0.5) return below === 0 && Object.is(x, -0) ? -0 : below;
  if (rest > 0.5) return below === -1 ? -0 : below + 1;
  const even = below % 2 === 0 ? below : below + 1;
  return even === 0 && x < 0 ? -0 : even;
}

/** x to the power y with the rules of IEEE 754: pow(1, y) and pow(x, 0) are 1 even for NaN, pow(−1, ±∞) is 1. */
export function power(x: number, y: number): number {
  if (x === 1) return 1;
  if (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) return 1;
  return x ** y;
}

/** Remainder with the sign of the divisor (Python's `%`). */
export function flooredRemainder(x: number, y: number): number {
  const rest = x % y;
  return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
}

/** ⌊x / y⌋ as Python and PyTorch compute it: from the exact remainder, so that 0.3 // 0.1 is 2. */
export function flooredQuotient(x: number, y: number): number {
  if (y === 0) return x / y;
  const rest = x % y;
  let quotient = (x - rest) / y;
  if (rest !== 0 && rest < 0 !== y < 0) quotient -= 1;
  if (quotient === 0) return x / y < 0 ? -0 : 0;
  const below = Math.floor(quotient);
  return quotient - below > 0.5 ? below + 1 : below;
}
