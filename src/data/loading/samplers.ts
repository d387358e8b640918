/** In which order examples are visited, and how they are grouped. */
import { ArgumentError } from "../../errors.ts";
import { defaultGenerator, type Generator as RandomGenerator, type RandomState } from "../../tensor/index.ts";
import { HostRandom } from "../host-random.ts";

/** Seed and counter that one random pass takes from a generator (the default one unless given). */
export function drawKey(generator: RandomGenerator = defaultGenerator): readonly [seed: number, counter: number] {
  return [generator.currentSeed(), generator.next()];
}

/** Positions in an order of its own; every iteration is a pass. */
export interface Sampler<Item = number> extends Iterable<Item> {
  readonly length: number;
  /** Optional: what brings back the order of the pass that is under way. */
  stateDict?(): SamplerState;
  loadStateDict?(state: SamplerState): void;
}

/** Where a random pass took its numbers from, and the generator of its own, if it has one. */
export interface SamplerState {
  readonly key?: readonly [seed: number, counter: number];
  readonly generator?: RandomState;
}

/** 0, 1, 2, … */
export class SequentialSampler implements Sampler {
  private readonly source: { readonly length: number };
  constructor(dataSource: { readonly length: number }) {
    this.source = dataSource;
  }
  get length(): number {
    return this.source.length;
  }
  *[Symbol.iterator](): Generator<number> {
    for (let index = 0; index < this.length; index++) yield index;
  }
}

/** Base of samplers whose passes are random: a pass is a function of the key it draws, so that a saved key repeats it. */
abstract class RandomPasses implements Sampler {
  abstract get length(): number;
  private readonly own: RandomGenerator | undefined;
  private key: readonly [number, number] | undefined;
  private restored = false;

  constructor(generator: RandomGenerator | undefined) {
    this.own = generator;
  }
  protected abstract pass(random: HostRandom): Iterable<number>;

  *[Symbol.iterator](): Generator<number> {
    if (!this.restored || !this.key) this.key = drawKey(this.own);
    this.restored = false;
    yield* this.pass(new HostRandom(...this.key));
  }
  /** The order of the pass under way and what follows it. */
  stateDict(): SamplerState {
    return { key: this.key, generator: this.own?.state };
  }
  /** The next iteration repeats the saved pass. */
  loadStateDict({ key, generator }: SamplerState): void {
    this.key = key;
    this.restored = key !== undefined;
    if (this.own && generator) this.own.state = generator;
  }
}

/** How random samplers draw. */
export interface RandomSamplerOptions {
  /** Whether an example may be drawn again. Default false. */
  readonly replacement?: boolean;
  /** Number of draws in a pass. Default: as many as there are examples. */
  readonly numSamples?: number;
  /** Default: the default generator (`manualSeed`). */
  readonly generator?: RandomGenerator;
}

function checkCount(name: string, numSamples: number): number {
  if (!Number.isInteger(numSamples) || numSamples < 0) {
    throw new ArgumentError(`${name}: numSamples must be a positive integer, received ${numSamples}.`);
  }
  return numSamples;
}

/** All examples in random order, or draws with replacement. Without replacement, more draws than examples take new orders. */
export class RandomSampler extends RandomPasses {
  private readonly source: { readonly length: number };
  private readonly replacement: boolean;
  private readonly numSamples: number | undefined;

  constructor(dataSource: { readonly length: number }, options: RandomSamplerOptions = {}) {
    super(options.generator);
    this.source = dataSource;
    this.replacement = options.replacement ?? false;
    this.numSamples = options.numSamples === undefined ? undefined : checkCount("RandomSampler", options.numSamples);
  }
  get length(): number {
    return this.numSamples ?? this.source.length;
  }
  protected *pass(random: HostRandom): Generator<number> {
    const count = this.source.length;
    let left = count === 0 ? 0 : this.length;
    while (left > 0) {
      if (this.replacement) {
        for (; left > 0; left--) yield random.integer(count);
      } else {
        const order = random.permutation(count);
        for (let at = 0; at < count && left > 0; at++, left--) yield order[at]!;
      }
    }
  }
}

/** The given positions in random order. */
export class SubsetRandomSampler extends RandomPasses {
  readonly indices: readonly number[];
  constructor(indices: ArrayLike<number>, options: { readonly generator?: RandomGenerator } = {}) {
    super(options.generator);
    this.indices = Array.from(indices);
  }
  get length(): number {
    return this.indices.length;
  }
  protected *pass(random: HostRandom): Generator<number> {
    for (const at of random.permutation(this.indices.length)) yield this.indices[at]!;
  }
}

/** Draws position i with a probability proportional to `weights[i]`. */
export class WeightedRandomSampler extends RandomPasses {
  readonly length: number;
  private readonly weights: Float64Array;
  private readonly replacement: boolean;

  constructor(
    weights: ArrayLike<number>,
    numSamples: number,
    options: { readonly replacement?: boolean; readonly generator?: RandomGenerator } = {},
  ) {
    super(options.generator);
    this.weights = Float64Array.from(weights);
    this.length = checkCount("WeightedRandomSampler", numSamples);
    this.replacement = options.replacement ?? true;
    if (!this.weights.every((weight) => weight >= 0 && Number.isFinite(weight))) {
      throw new ArgumentError("WeightedRandomSampler: weights must be finite and not negative.");
    }
    const possible = this.weights.filter((weight) => weight > 0).length;
    if (possible === 0 || (!this.replacement && possible < numSamples)) {
      throw new ArgumentError(
        `WeightedRandomSampler: ${numSamples} draws ${this.replacement ? "" : "without replacement "}from ${possible} positions with a weight above 0.`,
      );
    }
  }

  protected *pass(random: HostRandom): Generator<number> {
    if (this.replacement) {
      let total = 0;
      const cumulative = this.weights.map((weight) => {
        total += weight;
        return total;
      });
      for (let draw = 0; draw < this.length; draw++) yield positionAbove(cumulative, random.uniform(0, total));
      return;
    }
    // Efraimidis and Spirakis, 2006: the largest of u^(1/w), here as logarithms
    const keys = Array.from(this.weights, (weight, index) => ({
      index,
      key: weight > 0 ? Math.log(1 - random.uniform()) / weight : Number.NEGATIVE_INFINITY,
    }));
    keys.sort((left, right) => right.key - left.key);
    for (const { index } of keys.slice(0, this.length)) yield index;
  }
}

/** First position whose cumulative weight exceeds `value`. */
function positionAbove(cumulative: Float64Array, value: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Groups what another sampler gives into batches. */
export class BatchSampler implements Sampler<number[]> {
  readonly sampler: Sampler;
  readonly batchSize: number;
  readonly dropLast: boolean;

  constructor(sampler: Sampler, batchSize: number, dropLast = false) {
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ArgumentError(`BatchSampler: batchSize must be a positive integer, received ${batchSize}.`);
    }
    this.sampler = sampler;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
  }
  get length(): number {
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }
  *[Symbol.iterator](): Generator<number[]> {
    let batch: number[] = [];
    for (const index of this.sampler) {
      batch.push(index);
      if (batch.length === this.batchSize) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
  stateDict(): SamplerState {
    return this.sampler.stateDict?.() ?? {};
  }
  loadStateDict(state: SamplerState): void {
    this.sampler.loadStateDict?.(state);
  }
}
