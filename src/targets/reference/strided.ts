/** Walking a row-major result while an index into another buffer moves along by strides. */
import type { Shape } from "../../graph/shape.ts";

/**
 * `result[i] = offset + Σ strides[axis]·position[axis]` for every element i of a row-major shape: the addresses of a strided view, in order.
 */
export function stridedOffsets(shape: Shape, strides: readonly number[], offset = 0): Int32Array {
  let size = 1;
  for (const extent of shape) size *= extent;
  const result = new Int32Array(size);
  if (size === 0) return result;
  result[0] = offset;
  // The block of the last axes is copied and shifted once for each position of the next axis outwards.
  let block = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const stride = strides[axis];
    for (let position = 1; position < shape[axis]; position++) {
      const shift = position * stride;
      const start = position * block;
      if (shift === 0) result.copyWithin(start, 0, block);
      else for (let i = 0; i < block; i++) result[start + i] = result[i] + shift;
    }
    block *= shape[axis];
  }
  return result;
}
