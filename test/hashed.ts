import { type Tensor, tensor } from "../src/tensor/index.ts";
import { hashUniform } from "../src/testing/hash-uniform.ts";

/** A tensor of numbers from a stream, the same on every machine. */
export function hashed(stream: number, shape: readonly number[]): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tensor(hashUniform(stream, size), { shape });
}
