/** Distances between f32 numbers in units in the last place. */
const bits = new DataView(new ArrayBuffer(4));

/** The gap between the f32 numbers around a real value (that of the denormals near 0). */
export function ulpOf(value: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(value) || 2 ** -126)));
  return 2 ** (Math.min(127, exponent) - 23);
}

/** |actual − exact| in units in the last place of the exact value; 0 where both are NaN or round to the same infinity. */
export function ulpError(actual: number, exact: number): number {
  if (Number.isNaN(actual) || Number.isNaN(exact))
    return Number.isNaN(actual) && Number.isNaN(exact) ? 0 : Number.POSITIVE_INFINITY;
  if (actual === Math.fround(exact)) return 0;
  // An exact value beyond the largest f32 is compared with 2^128, where the next number would be.
  const reachable = Number.isFinite(actual) ? actual : Math.sign(actual) * 2 ** 128;
  return Math.abs(reachable - exact) / ulpOf(exact);
}

/** The f32 with a bit pattern. */
export function f32FromBits(pattern: number): number {
  bits.setUint32(0, pattern >>> 0);
  return bits.getFloat32(0);
}

/** f32 numbers from `start` to `end` (both of one sign), evenly spread over their bit patterns: as dense near 0 as f32 is. */
export function spreadOverBits(start: number, end: number, count: number): Float32Array {
  bits.setFloat32(0, start);
  const first = bits.getUint32(0);
  bits.setFloat32(0, end);
  const last = bits.getUint32(0);
  return Float32Array.from({ length: count }, (_, i) =>
    f32FromBits(Math.round(first + ((last - first) * i) / (count - 1))),
  );
}

/** f32 numbers from `start` to `end`, evenly spaced. */
export function spreadEvenly(start: number, end: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => start + ((end - start) * i) / (count - 1));
}
