/** Random tensors: counter-based, so that a seed gives the same numbers on every target and any number of threads. */
import { ArgumentError } from "../errors.ts";
import * as functions from "../functions/index.ts";
import { type Node, numberNode } from "../graph/node.ts";
import { broadcastShapes, type Shape } from "../graph/shape.ts";
import { add, lt, mul } from "../ops/index.ts";
import { atEntry, operandNode, wrap } from "./lift.ts";
import type { Tensor } from "./tensor.ts";

/** State of a generator: restoring it repeats what followed. */
export interface RandomState {
  readonly seed: number;
  readonly counter: number;
}

/**
 * A source of random tensors. Every random operation takes the next counter; the numbers are a function of (seed, counter, position).
 *
 * @example
 * ```ts
 * const generator = new Generator(42);
 * const noise = randomNormal([2, 3], { generator });
 * ```
 */
export class Generator {
  private seed: number;
  private counter = 0;

  constructor(seed = 0) {
    this.seed = checkSeed(seed);
  }
  /** Starts again from a seed. */
  manualSeed(seed: number): this {
    this.seed = checkSeed(seed);
    this.counter = 0;
    return this;
  }
  get state(): RandomState {
    return { seed: this.seed, counter: this.counter };
  }
  set state(state: RandomState) {
    this.seed = checkSeed(state.seed);
    this.counter = state.counter | 0;
  }
  /** @internal */
  next(): number {
    const counter = this.counter;
    this.counter = (counter + 1) | 0;
    return counter;
  }
  /** @internal */
  currentSeed(): number {
    return this.seed | 0;
  }
}

function checkSeed(seed: number): number {
  if (!Number.isInteger(seed) || seed < -(2 ** 31) || seed >= 2 ** 32)
    throw new ArgumentError(`seed: expected an integer of 32 bits, got ${seed}.`);
  return seed;
}

/** The generator that random operations use unless they are given another. Its seed is 0 until `setRandomSeed`. */
export const defaultGenerator = new Generator(0);

/** Seeds the default generator. */
export function setRandomSeed(seed: number): void {
  atEntry(setRandomSeed, () => defaultGenerator.manualSeed(seed));
}
export function getRandomState(): RandomState {
  return defaultGenerator.state;
}
export function setRandomState(state: RandomState): void {
  defaultGenerator.state = state;
}

export interface RandomOptions {
  readonly generator?: Generator;
}

/** Seed and counter as arguments of the program; a compiled function takes a new counter at each replay. */
export function randomKey(generator: Generator = defaultGenerator): [seed: Node, counter: Node] {
  return [seedNode(generator), counterNode(generator)];
}

export function seedNode(generator: Generator): Node {
  const draws = generator === defaultGenerator ? "seed" : undefined;
  return numberNode(generator.currentSeed(), "i32", () => generator.currentSeed(), draws);
}
/** The next counter. */
export function counterNode(generator: Generator): Node {
  const draws = generator === defaultGenerator ? "counter" : undefined;
  return numberNode(generator.next(), "i32", () => generator.next(), draws);
}

/** Uniform numbers in [min, max). */
export function randomUniform(shape: Shape, options: RandomOptions & { min?: number; max?: number } = {}): Tensor {
  return atEntry(randomUniform, () =>
    wrap(functions.randomUniform(shape, ...randomKey(options.generator), options.min, options.max)),
  );
}

/** Normal numbers of a mean and standard deviation. */
export function randomNormal(shape: Shape, options: RandomOptions & { mean?: number; std?: number } = {}): Tensor {
  return atEntry(randomNormal, () =>
    wrap(functions.randomNormal(shape, ...randomKey(options.generator), options.mean, options.std)),
  );
}

/** Normal numbers whose mean and standard deviation tensors give, broadcast together. */
export function randomNormalAround(mean: Tensor | number, std: Tensor | number, options: RandomOptions = {}): Tensor {
  return atEntry(randomNormalAround, () => {
    const shapes = [mean, std].filter((value) => typeof value === "object").map(({ shape }) => shape);
    const numbers = functions.randomNormal(broadcastShapes("normal", ...shapes), ...randomKey(options.generator));
    return wrap(add(mul(numbers, operandNode(std, "f32")), operandNode(mean, "f32")));
  });
}

/** Normal numbers cut at two scales (`std` is the scale before the cut, as in Keras). */
export function truncatedNormal(shape: Shape, options: RandomOptions & { mean?: number; std?: number } = {}): Tensor {
  return atEntry(truncatedNormal, () =>
    wrap(functions.truncatedNormal(shape, ...randomKey(options.generator), options.mean, options.std)),
  );
}

/** True with probability `p`. */
export function randomBernoulli(shape: Shape, p = 0.5, options: RandomOptions = {}): Tensor {
  return atEntry(randomBernoulli, () => wrap(functions.randomBernoulli(shape, ...randomKey(options.generator), p)));
}

/** True with the probability that the tensor holds at each place. */
export function randomMask(probabilities: Tensor, options: RandomOptions = {}): Tensor {
  return atEntry(randomMask, () =>
    wrap(lt(functions.randomUniform(probabilities.shape, ...randomKey(options.generator)), probabilities.node)),
  );
}

/** Numbers of the exponential distribution. */
export function randomExponential(shape: Shape, options: RandomOptions & { rate?: number } = {}): Tensor {
  return atEntry(randomExponential, () =>
    wrap(functions.randomExponential(shape, ...randomKey(options.generator), options.rate)),
  );
}

/** Integers in [low, high) (i32). */
export function randomIntegers(shape: Shape, low: number, high: number, options: RandomOptions = {}): Tensor {
  return atEntry(randomIntegers, () =>
    wrap(functions.randomIntegers(shape, low, high, ...randomKey(options.generator))),
  );
}

/**
 * Numbers of categories drawn with probabilities proportional to weights along the last axis (i32). Without replacement a category comes at most
 * once; those of weight 0 come only when no others are left.
 */
export function randomCategories(
  weights: Tensor,
  draws: number,
  options: RandomOptions & { replacement?: boolean } = {},
): Tensor {
  return atEntry(randomCategories, () =>
    wrap(
      functions.randomCategories(weights.node, draws, options.replacement ?? false, ...randomKey(options.generator)),
    ),
  );
}

/** Zeroes elements with probability `rate` and scales the others by 1 / (1 - rate). */
export function dropout(x: Tensor, rate: number, options: RandomOptions & { maskShape?: Shape } = {}): Tensor {
  return atEntry(dropout, () =>
    wrap(functions.dropout(x.node, rate, ...randomKey(options.generator), options.maskShape)),
  );
}

/** The numbers 0 … n-1 in random order (i32). */
export function randomPermutation(n: number, options: RandomOptions = {}): Tensor {
  return atEntry(randomPermutation, () => wrap(functions.randomOrder(n, ...randomKey(options.generator))));
}
