export interface Tolerance {
  /** Relative, of the expected value. Default 1e-6. */
  readonly relative?: number;
  /** Absolute. Default 1e-7. */
  readonly absolute?: number;
}

/** Where two arrays differ most, in a form for an error message. */
export interface Mismatch {
  readonly count: number;
  readonly index: number;
  readonly actual: number;
  readonly expected: number;
  readonly message: string;
}

/**
 * Compares element by element: |actual − expected| ≤ absolute + relative·|expected|; NaN equals NaN, infinities must be equal, zeros of
 * either sign are equal.
 */
export function compare(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative = 1e-6, absolute = 1e-7 }: Tolerance = {},
): Mismatch | undefined {
  if (actual.length !== expected.length) {
    const message = `${actual.length} elements, expected ${expected.length}`;
    return { count: actual.length, index: -1, actual: Number.NaN, expected: Number.NaN, message };
  }
  let count = 0;
  let worst = -1;
  let excess = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i];
    const e = expected[i];
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    const difference = Math.abs(a - e);
    const allowed = absolute + relative * Math.abs(e);
    if (Number.isFinite(e) && difference <= allowed) continue;
    count++;
    const beyond = Number.isFinite(difference) ? difference / allowed : Number.POSITIVE_INFINITY;
    if (worst < 0 || beyond > excess) {
      worst = i;
      excess = beyond;
    }
  }
  if (count === 0) return undefined;
  const message =
    `${count} of ${expected.length} elements differ; the worst at ${worst}: ${actual[worst]}, expected ${expected[worst]} ` +
    `(difference ${Math.abs(actual[worst] - expected[worst])}, relative ${relative}, absolute ${absolute})`;
  return { count, index: worst, actual: actual[worst], expected: expected[worst], message };
}

/** Whether two arrays are equal within a tolerance. */
export function allclose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance?: Tolerance): boolean {
  return compare(actual, expected, tolerance) === undefined;
}

/** Throws with the worst element unless two arrays are equal within a tolerance; `what` begins the message. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance?: Tolerance,
  what = "values",
): void {
  const mismatch = compare(actual, expected, tolerance);
  if (mismatch) throw new Error(`${what}: ${mismatch.message}`);
}
