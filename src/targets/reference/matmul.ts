import type { Shape } from "../../graph/shape.ts";

/** [batch…, m, k] × [batch…, k, n]. */
export function evaluateMatmul(
  a: Float64Array,
  b: Float64Array,
  aShape: Shape,
  bShape: Shape,
  size: number,
): Float64Array {
  const m = aShape[aShape.length - 2];
  const k = aShape[aShape.length - 1];
  const n = bShape[bShape.length - 1];
  const result = new Float64Array(size);
  const batches = m * n === 0 ? 0 : size / (m * n);
  for (let row = 0; row < batches * m; row++) {
    const bBase = Math.floor(row / m) * k * n;
    for (let inner = 0; inner < k; inner++) {
      const factor = a[row * k + inner];
      const from = bBase + inner * n;
      const to = row * n;
      for (let column = 0; column < n; column++) result[to + column] += factor * b[from + column];
    }
  }
  return result;
}
