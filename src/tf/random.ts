/** `tf.random`: counter-based, so that a seed gives the same numbers on every machine and any number of threads. */
import type { Shape } from "../graph/shape.ts";
import type { Tensor, TensorLike } from "../tensor/index.ts";
import * as T from "../tensor/index.ts";
import { asTensor, type DTypeName } from "./convert.ts";
import { defineRandom } from "./define.ts";

const source = (seed: number | undefined) => (seed === undefined ? {} : { generator: new T.Generator(seed) });

/** Normal numbers of a mean and a standard deviation. With a seed always the same ones. */
export const normal = defineRandom(function randomNormal(
  shape: Shape,
  mean = 0,
  stddev = 1,
  dtype: DTypeName = "float32",
  seed?: number,
): Tensor {
  return T.randomNormal(shape, { mean, std: stddev, ...source(seed) }).cast(dtype);
});
/** Uniform numbers in [minval, maxval); whole numbers with dtype int32. */
export const uniform = defineRandom(function randomUniform(
  shape: Shape,
  minval = 0,
  maxval = 1,
  dtype: DTypeName = "float32",
  seed?: number,
): Tensor {
  const numbers = T.randomUniform(shape, { min: minval, max: maxval, ...source(seed) });
  return dtype === "float32" || dtype === "f32" ? numbers : T.floor(numbers).cast(dtype);
});
/** Normal numbers cut at two standard deviations. */
export const truncatedNormal = defineRandom(function truncatedNormal(
  shape: Shape,
  mean = 0,
  stddev = 1,
  dtype: DTypeName = "float32",
  seed?: number,
): Tensor {
  return T.truncatedNormal(shape, { mean, std: stddev, ...source(seed) }).cast(dtype);
});
/** The elements along the first axis in random order. */
export const shuffle = defineRandom(function shuffle(x: TensorLike, seed?: number): Tensor {
  const value = asTensor(x);
  return T.gather(value, T.randomPermutation(value.shape[0], source(seed)), 0);
});
/** Seeds everything random. */
export function setSeed(seed: number): void {
  T.setRandomSeed(seed);
}
