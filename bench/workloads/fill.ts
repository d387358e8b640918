/** Weights and data from names, the same for every contender: bench/peers/shared.py is the other half. */

import { type Tensor, tensor } from "../../src/tensor/index.ts";
import { hashGlorotUniform, hashLabels, hashUniform } from "../../src/testing/hash-uniform.ts";
import type { nn } from "../../src/torch/index.ts";

/** The stream of random numbers that a name stands for. */
export function streamOf(name: string): number {
  let stream = 0;
  for (const character of name) stream = (stream * 31 + character.charCodeAt(0)) % 2 ** 31;
  return stream;
}

/** Values of a named tensor of a module: He's limit for kernels, around 1 for scales and variances, small for the rest. */
function valuesOf(name: string, shape: readonly number[]): Float32Array {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const stream = streamOf(name);
  if (shape.length > 1) {
    const limit = Math.sqrt(6 / (size / shape[0]!));
    return hashUniform(stream, size, -limit, limit);
  }
  const around = name.endsWith("weight") || name.endsWith("running_var") ? 1 : 0;
  const spread = around === 1 ? 0.5 : 0.1;
  return hashUniform(stream, size, around - spread, around + spread);
}

/** What is needed of a module here, whatever else it may be called with. */
export type Network = Pick<nn.Module, "stateDict" | "loadStateDict" | "parameters"> & ((input: Tensor) => Tensor);

/** Gives a module the weights that its names stand for. */
export function fillModule<Module extends Network>(module: Module): Module {
  const entries = Object.entries(module.stateDict()).filter(([name]) => !name.endsWith("num_batches_tracked"));
  module.loadStateDict(
    Object.fromEntries(entries.map(([name, { shape }]) => [name, tensor(valuesOf(name, shape), { shape })])),
    { strict: false },
  );
  return module;
}

/** Weights in the order and layouts of Keras: Glorot's limit for kernels, zeros for biases (vectors, and the two rows of a recurrent bias). */
export function kerasWeights(shapes: readonly (readonly number[])[]): Tensor[] {
  return shapes.map((shape, index) => {
    const zero = shape.length === 1 || shape[0] === 2;
    const size = shape.reduce((product, extent) => product * extent, 1);
    return tensor(zero ? new Float32Array(size) : hashGlorotUniform(index, shape), { shape });
  });
}

/** Data uniform in [low, high). */
export function data(name: string, shape: readonly number[], low = 0, high = 1): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tensor(hashUniform(streamOf(name), size, low, high), { shape });
}

/** Class numbers, or tokens, below `classes`. */
export function classes(name: string, shape: readonly number[], count: number): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tensor(hashLabels(streamOf(name), size, count), { shape });
}
