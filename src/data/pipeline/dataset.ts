import { ArgumentError } from "../../errors.ts";
import { getRandomState, type NumericArray, noGrad, setRandomState, type Tensor, tensor } from "../../tensor/index.ts";
import { atEntry } from "../../tensor/lift.ts";
import { HostRandom, mixSeed } from "../host-random.ts";
import { type ArgumentsOf, type BatchOf, looked, type SliceOf, spread, Table } from "./elements.ts";
import { flattened, interleaved, type Open, windowCount, windowing } from "./nested.ts";
import {
  type Cardinality,
  cached,
  generated,
  prefetched,
  repeated,
  rowsOf,
  type Source,
  sequence,
  staged,
  zipped,
} from "./sources.ts";
import { batching, choosing, mapping, numbering, shuffling, skipping, taking } from "./stages.ts";

/** Elements of pipelines side by side, in their structure. */
export type Zipped<Sources> = {
  -readonly [Name in keyof Sources]: Sources[Name] extends Dataset<infer Element> ? Element : never;
};

/** A window of elements: a pipeline, or one for each part of their structure. */
export type WindowOf<Element> = Element extends Tensor | NumericArray | number | boolean | string
  ? Dataset<Element>
  : { -readonly [Name in keyof Element]: WindowOf<Element[Name]> };

export interface WindowOptions {
  /** How far one window begins behind the one before; as far as it is long by default. */
  readonly shift?: number | null;
  /** How far elements of a window are apart (default 1). */
  readonly stride?: number;
  /** Leaves out windows that lack elements. */
  readonly dropRemainder?: boolean;
}
export interface InterleaveOptions {
  /** How many pipelines take turns. */
  readonly cycleLength: number;
  /** How many elements each gives in its turn (default 1). */
  readonly blockLength?: number;
}

function checkCount(operation: string, count: number, least: number): void {
  if (Number.isInteger(count) && count >= least) return;
  throw new ArgumentError(`Dataset.${operation}: expected a whole number of at least ${least}, received ${count}.`);
}

/** A seed of the default generator, so that seeding it makes pipelines repeatable too. */
function drawnSeed(): number {
  const { seed, counter } = getRandomState();
  setRandomState({ seed, counter: counter + 1 });
  return mixSeed(seed, counter);
}

const times = (cardinality: Cardinality, change: (count: number) => number): Cardinality =>
  cardinality === undefined ? undefined : change(cardinality);

/**
 * A sequence of elements that is computed while it is passed through: tensors, or arrays and objects of tensors. Pipelines are values: each method
 * gives a new one. `for…of` passes through synchronously, `for await…of` also where a generator or function is asynchronous; each pass begins
 * anew. After `tf.data.Dataset`.
 *
 * @example
 * ```ts
 * const batches = tf.data.Dataset.fromTensorSlices([images, labels]).shuffle(60_000).batch(128);
 * for (const [x, y] of batches) console.log(x.shape, y.shape);
 * ```
 */
export class Dataset<Element> implements Iterable<Element>, AsyncIterable<Element> {
  private readonly source: Source;

  /** @internal Use the static functions. */
  constructor(source: Source) {
    this.source = source;
  }

  // ---- sources ----

  /** One element for each slice along the first axis of tensors or arrays, alone, in an array or in an object. */
  static fromTensorSlices<const Slices>(slices: Slices): Dataset<SliceOf<Slices>> {
    return atEntry(Dataset.fromTensorSlices, () => new Dataset(rowsOf(new Table("fromTensorSlices", slices))));
  }
  /** One element: the tensors themselves. */
  static fromTensors<const Elements>(elements: Elements): Dataset<Elements> {
    return new Dataset(generated(() => [elements], 1));
  }
  /** The elements of an iterable or asynchronous iterable that a function (a generator function) makes for each pass. */
  static fromGenerator<Element>(make: () => Iterable<Element> | AsyncIterable<Element>): Dataset<Element> {
    if (typeof make !== "function") {
      throw new ArgumentError("fromGenerator: expected a function that gives a new iterable for each pass.");
    }
    return new Dataset(generated(make));
  }
  /** The elements of an array. */
  static fromArray<Element>(elements: readonly Element[]): Dataset<Element> {
    return new Dataset(generated(() => elements, elements.length));
  }
  /** Whole numbers (int32 scalars): `range(stop)`, `range(start, stop, step)`. */
  static range(start: number, stop?: number, step = 1): Dataset<Tensor> {
    const [first, end] = stop === undefined ? [0, start] : [start, stop];
    if (step === 0 || ![first, end, step].every(Number.isInteger)) {
      throw new ArgumentError(`Dataset.range: no whole numbers lead from ${first} to ${end} by ${step}.`);
    }
    const count = Math.max(0, Math.ceil((end - first) / step));
    return new Dataset(
      generated(function* () {
        for (let index = 0; index < count; index++) yield tensor(first + index * step, { dtype: "i32" });
      }, count),
    );
  }
  /** Elements of several pipelines side by side, in an array or by name; as many as the shortest has. */
  static zip<const Sources extends readonly Dataset<unknown>[] | { readonly [name: string]: Dataset<unknown> }>(
    datasets: Sources,
  ): Dataset<Zipped<Sources>> {
    const names = Array.isArray(datasets) ? undefined : Object.keys(datasets);
    const list = Object.values(datasets) as Dataset<unknown>[];
    if (list.length === 0) throw new ArgumentError("Dataset.zip: expected at least one dataset.");
    return new Dataset(
      zipped(
        list.map(({ source }) => source),
        (bundle) =>
          names ? Object.fromEntries(names.map((name, index) => [name, looked(bundle.parts[index])])) : bundle,
      ),
    );
  }

  // ---- stages ----

  /** f(element) for each element; the parts of a tuple are given as arguments. The function may be asynchronous. */
  map<const Result>(
    change: (...parts: ArgumentsOf<Element>) => Result | Promise<Result>,
    _options: { readonly numParallelCalls?: number } = {},
  ): Dataset<Result> {
    const call = change as unknown as (...parts: readonly unknown[]) => unknown;
    return new Dataset(staged(this.source, () => mapping(call), this.source.cardinality));
  }
  /** The elements for which a function is true (or gives a tensor that is). */
  filter(test: (...parts: ArgumentsOf<Element>) => boolean | Tensor | Promise<boolean>): Dataset<Element> {
    const call = test as unknown as (...parts: readonly unknown[]) => unknown;
    return new Dataset(staged(this.source, () => choosing(call), undefined));
  }
  /** A function of the user's that makes a pipeline of an element, as one that opens its source. */
  private opener<Result>(
    operation: string,
    make: (...parts: ArgumentsOf<Element>) => Dataset<Result> | Promise<Dataset<Result>>,
  ): Open {
    const call = make as unknown as (...parts: readonly unknown[]) => unknown;
    const sourceOf = (made: unknown): Source => {
      if (made instanceof Dataset) return made.source;
      throw new ArgumentError(`Dataset.${operation}: the function must give a Dataset, received ${typeof made}.`);
    };
    return (element) => {
      const made = noGrad(() => ({ value: call(...spread(element)) })).value;
      return made instanceof Promise ? made.then(sourceOf) : sourceOf(made);
    };
  }
  /** The elements of the pipelines that a function makes of each element, one pipeline after the other. */
  flatMap<Result>(
    open: (...parts: ArgumentsOf<Element>) => Dataset<Result> | Promise<Dataset<Result>>,
  ): Dataset<Result> {
    return new Dataset(flattened(this.source, this.opener("flatMap", open)));
  }
  /**
   * The elements of the pipelines that a function makes of each element, in turns: `cycleLength` pipelines are open at a time, and each gives
   * `blockLength` elements.
   */
  interleave<Result>(
    open: (...parts: ArgumentsOf<Element>) => Dataset<Result> | Promise<Dataset<Result>>,
    { cycleLength, blockLength = 1 }: InterleaveOptions,
  ): Dataset<Result> {
    return atEntry(this.interleave, () => {
      checkCount("interleave", cycleLength, 1);
      checkCount("interleave", blockLength, 1);
      return new Dataset<Result>(interleaved(this.source, this.opener("interleave", open), cycleLength, blockLength));
    });
  }
  /**
   * Groups of elements as pipelines, which may overlap and leave elements out. The parts of a tuple or object are windows of their own.
   *
   * @example
   * ```ts
   * const steps = tf.data.Dataset.range(6).window(3, { shift: 1, dropRemainder: true });
   * const threes = steps.flatMap((window) => window.batch(3));
   * threes.toArray().map((each) => each.toArray()); // [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]
   * ```
   */
  window(size: number, { shift, stride = 1, dropRemainder = false }: WindowOptions = {}): Dataset<WindowOf<Element>> {
    return atEntry(this.window, () => {
      const shape = { size, shift: shift ?? size, stride, dropRemainder };
      for (const count of [size, shape.shift, stride]) checkCount("window", count, 1);
      const count = times(this.source.cardinality, (all) => windowCount(all, shape));
      const stage = () => windowing(shape, (source) => new Dataset(source));
      return new Dataset<WindowOf<Element>>(staged(this.source, stage, count));
    });
  }
  /** Elements along the first axis of each element, as before `batch`. */
  unbatch(): Dataset<SliceOf<Element>> {
    const rows = (element: unknown): Source => rowsOf(new Table("unbatch", looked(element)));
    return new Dataset(flattened(this.source, rows));
  }
  /** Groups of elements, stacked along a new first axis; the last one may be smaller unless it is dropped. */
  batch(size: number, options: boolean | { readonly dropRemainder?: boolean } = {}): Dataset<BatchOf<Element>> {
    return atEntry(this.batch, () => {
      checkCount("batch", size, 1);
      const drops = typeof options === "boolean" ? options : (options.dropRemainder ?? false);
      const { cardinality } = this.source;
      return new Dataset<BatchOf<Element>>(
        staged(
          this.source,
          () => batching(size, drops),
          times(cardinality, (count) => (drops ? Math.floor(count / size) : Math.ceil(count / size))),
        ),
      );
    });
  }
  /**
   * Elements in random order, drawn from a buffer: a whole data set is shuffled evenly only by a buffer of its size. Each pass has another order
   * unless `reshuffleEachIteration` is false. Without a seed the default generator gives one.
   */
  shuffle(
    bufferSize: number,
    seed?: number | { readonly seed?: number; readonly reshuffleEachIteration?: boolean },
    reshuffleEachIteration = true,
  ): Dataset<Element> {
    return atEntry(this.shuffle, () => {
      checkCount("shuffle", bufferSize, 1);
      const options = typeof seed === "object" ? seed : { seed, reshuffleEachIteration };
      const chosen = options.seed ?? drawnSeed();
      let pass = 0;
      const next = () => new HostRandom(chosen, (options.reshuffleEachIteration ?? true) ? pass++ : 0);
      return new Dataset<Element>(staged(this.source, () => shuffling(bufferSize, next()), this.source.cardinality));
    });
  }
  /** The pipeline `count` times, or without end. */
  repeat(count = -1): Dataset<Element> {
    return atEntry(this.repeat, () => {
      if (count !== -1) checkCount("repeat", count, 0);
      return new Dataset<Element>(repeated(this.source, count === -1 ? Number.POSITIVE_INFINITY : count));
    });
  }
  /** Elements are asked for ahead of time where iteration is asynchronous. */
  prefetch(count: number): Dataset<Element> {
    return new Dataset(prefetched(this.source, Math.max(1, count)));
  }
  /** The first `count` elements (−1: all). */
  take(count: number): Dataset<Element> {
    return atEntry(this.take, () => {
      if (count === -1) return this;
      checkCount("take", count, 0);
      if (count === 0) return new Dataset<Element>(generated(() => [], 0));
      const known = times(this.source.cardinality, (all) => Math.min(all, count));
      return new Dataset<Element>(staged(this.source, () => taking(count), known));
    });
  }
  /** All but the first `count` elements (−1: none). */
  skip(count: number): Dataset<Element> {
    return atEntry(this.skip, () => {
      if (count === -1) return new Dataset<Element>(generated(() => [], 0));
      checkCount("skip", count, 0);
      const known = times(this.source.cardinality, (all) => Math.max(0, all - count));
      return new Dataset<Element>(staged(this.source, () => skipping(count), known));
    });
  }
  /** Elements with their numbers, counted from `start`. */
  enumerate(start = 0): Dataset<[index: number, element: Element]> {
    return new Dataset(staged(this.source, () => numbering(start), this.source.cardinality));
  }
  /** The elements of this pipeline, then those of another. */
  concatenate(other: Dataset<Element>): Dataset<Element> {
    const [first, second] = [this.source.cardinality, other.source.cardinality];
    const count = first === undefined || second === undefined ? undefined : first + second;
    return new Dataset(sequence(() => [this.source, other.source], count));
  }
  /** The elements of the first complete pass are kept in memory and given again. */
  cache(): Dataset<Element> {
    return new Dataset(cached(this.source));
  }

  // ---- passes ----

  /** Number of elements: Infinity, or undefined where only a pass will tell. */
  cardinality(): Cardinality {
    return this.source.cardinality;
  }
  /** The elements in an array. */
  toArray(): Element[] {
    return [...this];
  }
  async toArrayAsync(): Promise<Element[]> {
    const elements: Element[] = [];
    for await (const element of this) elements.push(element);
    return elements;
  }
  forEach(visit: (element: Element) => void): void {
    for (const element of this) visit(element);
  }
  async forEachAsync(visit: (element: Element) => void | Promise<void>): Promise<void> {
    for await (const element of this) await visit(element);
  }
  /** Combines all elements, from the first to the last. */
  reduce<State>(initial: State, combine: (state: State, ...parts: ArgumentsOf<Element>) => State): State {
    const call = combine as unknown as (state: State, ...parts: readonly unknown[]) => State;
    let state = initial;
    for (const element of this) state = call(state, ...(Array.isArray(element) ? element : [element]));
    return state;
  }

  *[Symbol.iterator](): Generator<Element> {
    for (const element of this.source.iterate()) yield looked(element) as Element;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<Element> {
    for await (const element of this.source.iterateAsync()) yield looked(element) as Element;
  }
}
