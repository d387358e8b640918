/** Random tensors from a seed and a counter (i32 scalars); each use takes its own counter. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { type Node, numberNode } from "../graph/node.ts";
import { formatShape, type Shape } from "../graph/shape.ts";
import { argsort } from "../ops/argsort.ts";
import { add, div, mul, remainder } from "../ops/arithmetic.ts";
import { ge, lt } from "../ops/compare.ts";
import { expand } from "../ops/movement.ts";
import { constantLike, toFloat } from "../ops/prepare.ts";
import {
  randomBits,
  randomNormal as standardNormal,
  randomTruncatedNormal as standardTruncatedNormal,
  randomUniform as standardUniform,
} from "../ops/random.ts";
import { argmax } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { log1p } from "../ops/transcendental.ts";
import { neg } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { topK } from "./sorting.ts";

/** x · scale + offset; the numbers are arguments of the program, so that other ranges need no other program. */
function placed(x: Node, scale: number, offset: number): Node {
  const scaled = scale === 1 ? x : mul(x, numberNode(scale));
  return offset === 0 ? scaled : add(scaled, numberNode(offset));
}

/** Uniform numbers in [min, max). */
export function randomUniform(shape: Shape, seed: Node, counter: Node, min = 0, max = 1): Node {
  return placed(standardUniform(shape, seed, counter), max - min, min);
}

/** Normal numbers of a mean and a standard deviation. */
export function randomNormal(shape: Shape, seed: Node, counter: Node, mean = 0, std = 1): Node {
  return placed(standardNormal(shape, seed, counter), std, mean);
}

/** Normal numbers of a mean and a scale, cut at two scales from the mean (as Keras' and TensorFlow's truncated normal). */
export function truncatedNormal(shape: Shape, seed: Node, counter: Node, mean = 0, std = 1): Node {
  return placed(standardTruncatedNormal(shape, seed, counter), std, mean);
}

/** Numbers of the exponential distribution: −ln(1 − u) / rate. */
export function randomExponential(shape: Shape, seed: Node, counter: Node, rate = 1): Node {
  if (!(rate > 0)) throw new ArgumentError(`randomExponential: the rate must be positive, received ${rate}.`);
  const numbers = standardUniform(shape, seed, counter);
  return mul(log1p(neg(numbers)), expand(numberNode(-1 / rate), shape));
}

/** Integers in [low, high): random bits modulo the width of the range. */
export function randomIntegers(shape: Shape, low: number, high: number, seed: Node, counter: Node): Node {
  if (!Number.isInteger(low) || !Number.isInteger(high) || low >= high || high - low >= 2 ** 31) {
    throw new ArgumentError(
      `randomIntegers: expected integers low < high less than 2³¹ apart, received ${low} and ${high}.`,
    );
  }
  const bits = randomBits(shape, seed, counter);
  return add(remainder(bits, expand(numberNode(high - low, "i32"), shape)), expand(numberNode(low, "i32"), shape));
}

/** Draws of category numbers with probabilities proportional to weights along the last axis: shape […, draws]. */
export function randomCategories(weights: Node, draws: number, replacement: boolean, seed: Node, counter: Node): Node {
  const categories = weights.shape[weights.shape.length - 1];
  if (weights.shape.length < 1 || weights.shape.length > 2)
    throw new ShapeError(`multinomial: expected weights of rank 1 or 2, received shape ${formatShape(weights.shape)}.`);
  if (!Number.isInteger(draws) || draws < 1 || (!replacement && draws > categories)) {
    throw new ArgumentError(
      `multinomial: cannot draw ${draws} of ${categories} categories${replacement ? "" : " without replacement"}.`,
    );
  }
  const value = toFloat(weights);
  const batch = value.shape.slice(0, -1);
  // the first of exponential clocks with these rates to ring is category i with probability weight i / Σ weights
  const shape = replacement ? [...batch, draws, categories] : value.shape;
  const uniform = standardUniform(shape, seed, counter);
  const clocks = neg(log1p(neg(add(uniform, constantLike(uniform, 2 ** -25)))));
  if (!replacement) return topK(div(value, clocks), draws).indices;
  return argmax(div(expand(reshape(value, [...batch, 1, categories]), shape), clocks), -1);
}

/** Masks that are true with a probability. */
export function randomBernoulli(shape: Shape, seed: Node, counter: Node, probability: number): Node {
  if (!(probability >= 0 && probability <= 1)) {
    throw new ArgumentError(`randomBernoulli: the probability must lie in [0, 1], received ${probability}.`);
  }
  return lt(standardUniform(shape, seed, counter), expand(numberNode(probability), shape));
}

/** The numbers 0 … n−1 in random order: the stable order of random bits (equal bits, about n²/2³³ pairs, keep their order). */
export function randomOrder(n: number, seed: Node, counter: Node): Node {
  return argsort(randomBits([n], seed, counter));
}

/**
 * Sets each element to 0 with probability `rate` and multiplies the others by 1 / (1 − rate). `maskShape` may have sizes of 1, along which
 * elements share their fate (Keras' `noise_shape`). Source: Srivastava et al., 2014.
 */
export function dropout(x: Node, rate: number, seed: Node, counter: Node, maskShape: Shape = x.shape): Node {
  if (!(rate >= 0 && rate <= 1)) throw new ArgumentError(`dropout: the rate must lie in [0, 1], received ${rate}.`);
  const value = toFloat(x);
  if (rate === 0) return value;
  const zero = constantLike(value, 0);
  if (rate === 1) return mul(value, zero);
  const numbers = standardUniform(maskShape, seed, counter);
  const kept = expand(ge(numbers, constantLike(numbers, rate)), value.shape);
  return where(kept, mul(value, constantLike(value, 1 / (1 - rate))), zero);
}
