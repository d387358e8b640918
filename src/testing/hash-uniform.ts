/**
 * Numbers that TypeScript and Python both generate, so that goldens and benchmarks share weights and inputs without storing them.
 *
 * Element `i` of stream `s` is a 32-bit hash of `(s, i)`, scaled to `[low, high)` in double precision and rounded once to f32. The Python half is
 * `tools/goldens/formula.py`, which states the hash.
 */

/** The 32-bit hash of element `index` in `stream`. */
export function hashElement(stream: number, index: number): number {
  let hash = (index + Math.imul(0x9e3779b9, stream + 1)) | 0;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash >>> 0;
}

/** `length` values of `stream`, uniform in `[low, high)`. */
export function hashUniform(stream: number, length: number, low = -1, high = 1): Float32Array {
  const values = new Float32Array(length);
  const range = high - low;
  for (let index = 0; index < length; index++) {
    values[index] = low + range * ((hashElement(stream, index) + 0.5) / 4294967296);
  }
  return values;
}

/** `length` integer labels below `classes`. */
export function hashLabels(stream: number, length: number, classes: number): Int32Array {
  return Int32Array.from(hashUniform(stream, length, 0, 1), (value) =>
    Math.min(Math.floor(value * classes), classes - 1),
  );
}

/** Values of `stream` within Glorot's limit for a Keras kernel of `shape` (height x width x in x out, or in x out), row-major. */
export function hashGlorotUniform(stream: number, shape: readonly number[]): Float32Array {
  const [fanInput, fanOutput] = shape.slice(-2) as [number, number];
  const receptive = shape.slice(0, -2).reduce((product, extent) => product * extent, 1);
  const limit = Math.sqrt(6 / (receptive * fanInput + receptive * fanOutput));
  return hashUniform(stream, receptive * fanInput * fanOutput, -limit, limit);
}

/** A tensor reduced to what goldens store: sum, Euclidean norm and the elements at `indices`. */
export function digestOf(
  data: ArrayLike<number>,
  indices: readonly number[],
): { sum: number; norm: number; values: number[] } {
  let sum = 0;
  let squares = 0;
  for (let index = 0; index < data.length; index++) {
    sum += data[index]!;
    squares += data[index]! * data[index]!;
  }
  return { sum, norm: Math.sqrt(squares), values: indices.map((index) => data[index]!) };
}
