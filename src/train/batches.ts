/** Batches of a data set: from arrays in memory (shuffled or in order) or from an iterable of batches. */
import { ArgumentError, DataError } from "../errors.ts";
import { evaluate, randomPermutation, Tensor } from "../tensor/index.ts";
import {
  type ArrayInput,
  checkLabels,
  countExamples,
  describe,
  type Examples,
  isArrayInput,
  isShapedArray,
  type LabelRule,
  toTensor,
  weightsOfClasses,
} from "./arrays.ts";

/**
 * One batch. With `rows` the examples are these rows of `examples`, still to be gathered: inside the program of the step, so that a shuffled batch
 * is one pass and no copy is made outside.
 */
export interface Batch {
  readonly examples: Examples;
  readonly rows?: Tensor;
  /** Number of examples. */
  readonly size: number;
}

/** The examples of a batch, as graph expressions. */
export function batchExamples(batch: Batch): Examples {
  const { examples, rows } = batch;
  if (!rows) return examples;
  const { x, y, sampleWeight } = examples;
  return { x: x.take(rows, 0), y: y?.take(rows, 0), sampleWeight: sampleWeight?.take(rows, 0) };
}

/** Where batches come from. */
export interface BatchSource {
  /** Batches in one pass; undefined when only the pass will tell. */
  readonly steps: number | undefined;
  /** Examples in one pass, where known. */
  readonly count: number | undefined;
  /** A pass over the data. */
  batches(): Iterator<Batch> | AsyncIterator<Batch>;
}

/** A batch as an iterable gives it: inputs alone, or inputs, targets and weights as an array or by name. */
export type BatchInput =
  | ArrayInput
  | readonly [x: ArrayInput, y?: ArrayInput, sampleWeight?: ArrayInput]
  | { readonly x: ArrayInput; readonly y?: ArrayInput; readonly sampleWeight?: ArrayInput };

/** Batches from an iterable, or from a function that starts a new pass (a generator function). */
export type BatchStream =
  | Iterable<BatchInput>
  | AsyncIterable<BatchInput>
  | (() => Iterable<BatchInput> | AsyncIterable<BatchInput>);

export function isBatchStream(value: unknown): value is BatchStream {
  if (isArrayInput(value) || value === null || value === undefined) return false;
  if (typeof value === "function") return true;
  return typeof value === "object" && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

export interface ArraySourceOptions {
  readonly batchSize?: number;
  /** Steps that one pass should have, where no batch size is given. */
  readonly steps?: number;
  /** `true`: all examples are put in a new order every pass; 'batch': only those of each batch among themselves. */
  readonly shuffle?: boolean | "batch";
  /** Rows [from, to) of the arrays; all by default. */
  readonly range?: readonly [from: number, to: number];
}

/** Data in memory, converted once. A batch in order is a view of the rows; a shuffled one is a gather by row numbers. */
export class ArraySource implements BatchSource {
  readonly examples: Examples;
  readonly count: number;
  readonly steps: number;
  readonly batchSize: number;
  private readonly from: number;
  private readonly shuffle: boolean | "batch";

  constructor(operation: string, examples: Examples, options: ArraySourceOptions = {}) {
    const total = countExamples(operation, examples);
    const [from, to] = options.range ?? [0, total];
    this.examples = examples;
    this.from = from;
    this.count = to - from;
    this.shuffle = options.shuffle ?? false;
    this.batchSize = options.batchSize ?? (options.steps ? Math.ceil(this.count / options.steps) : 32);
    if (!Number.isInteger(this.batchSize) || this.batchSize < 1) {
      throw new ArgumentError(`${operation}: batchSize must be a positive integer, received ${this.batchSize}.`);
    }
    this.steps = Math.ceil(this.count / this.batchSize);
  }

  /** Row numbers in random order. */
  private order(count: number, start: number): Tensor {
    const first = this.from + start;
    const rows = first > 0 ? randomPermutation(count).add(first) : randomPermutation(count);
    evaluate(rows);
    return rows;
  }

  *batches(): Generator<Batch> {
    const order = this.shuffle === true ? this.order(this.count, 0) : undefined;
    for (let step = 0; step < this.steps; step++) {
      const start = step * this.batchSize;
      const stop = Math.min(start + this.batchSize, this.count);
      const size = stop - start;
      if (order) {
        yield { examples: this.examples, rows: view(order, start, stop), size };
      } else if (this.shuffle === "batch") {
        yield { examples: this.examples, rows: this.order(size, start), size };
      } else {
        yield { examples: rowsOf(this.examples, this.from + start, this.from + stop), size };
      }
    }
  }
}

/** Rows of a tensor that has a value, as a view of the same memory. */
function view(whole: Tensor, start: number, stop: number): Tensor {
  if (start === 0 && stop === whole.shape[0]) return whole;
  const rows = whole.slice([start], [stop]);
  evaluate(rows);
  return rows;
}

/** Consecutive rows as views of the same memory. */
export function rowsOf({ x, y, sampleWeight }: Examples, start: number, stop: number): Examples {
  return {
    x: view(x, start, stop),
    y: y && view(y, start, stop),
    sampleWeight: sampleWeight && view(sampleWeight, start, stop),
  };
}

export interface StreamOptions {
  readonly labels?: LabelRule;
  readonly classWeight?: Readonly<Record<number, number>>;
  /** Whether an array of arrays is [x, y] rather than x alone. */
  readonly tuples: boolean;
}

/** Batches from an iterable; each is converted and checked when it comes. */
export class StreamSource implements BatchSource {
  readonly steps: undefined;
  readonly count: undefined;
  private readonly operation: string;
  private readonly stream: BatchStream;
  private readonly options: StreamOptions;

  constructor(operation: string, stream: BatchStream, options: StreamOptions) {
    this.operation = operation;
    this.stream = stream;
    this.options = options;
  }

  batches(): Iterator<Batch> | AsyncIterator<Batch> {
    const source = typeof this.stream === "function" ? this.stream() : this.stream;
    if (Symbol.asyncIterator in source) return this.convertAsync(source);
    if (Symbol.iterator in source) return this.convert(source);
    throw new ArgumentError(
      `${this.operation}: expected an iterable of batches, or a function that returns one, received ${describe(source)}.`,
    );
  }

  // Iterated by hand, so that leaving a pass early (stepsPerEpoch) does not close a generator that the next epoch goes on with.
  private *convert(source: Iterable<BatchInput>): Generator<Batch> {
    const iterator = source[Symbol.iterator]();
    for (let next = iterator.next(); !next.done; next = iterator.next()) yield this.batch(next.value);
  }
  private async *convertAsync(source: AsyncIterable<BatchInput>): AsyncGenerator<Batch> {
    const iterator = source[Symbol.asyncIterator]();
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield this.batch(next.value);
  }

  private batch(input: BatchInput): Batch {
    const { operation, options } = this;
    const [first, second, third] = this.parts(input);
    if (first === undefined) throw new DataError(`${operation}: a batch without inputs.`);
    const x = toTensor(operation, "x of a batch", first);
    const y = second === undefined ? undefined : toTensor(operation, "y of a batch", second);
    let sampleWeight = third === undefined ? undefined : toTensor(operation, "sampleWeight of a batch", third);
    const size = countExamples(operation, { x, y, sampleWeight });
    if (y) {
      checkLabels(operation, y, options.labels);
      if (options.classWeight) {
        if (sampleWeight) throw bothWeights(operation);
        sampleWeight = weightsOfClasses(y, options.classWeight);
      }
    }
    return { examples: { x, y, sampleWeight }, size };
  }

  private parts(input: BatchInput): readonly (ArrayInput | undefined)[] {
    if (Array.isArray(input)) {
      const [first] = input as readonly unknown[];
      const isTuple = first instanceof Tensor || ArrayBuffer.isView(first) || isShapedArray(first);
      const named = isTuple || (this.options.tuples && Array.isArray(first));
      return named ? (input as readonly ArrayInput[]) : [input as ArrayInput];
    }
    if (typeof input === "object" && input !== null && "x" in input) {
      const { x, y, sampleWeight } = input as Extract<BatchInput, { readonly x: ArrayInput }>;
      return [x, y, sampleWeight];
    }
    return [input as ArrayInput];
  }
}

export function bothWeights(operation: string): ArgumentError {
  return new ArgumentError(`${operation}: give classWeight or sampleWeight, not both.`);
}

/** The row where the last `share` of the examples begins: the validation part. */
export function splitRow(operation: string, count: number, share: number): number {
  if (!(share >= 0 && share < 1)) {
    throw new ArgumentError(`${operation}: validationSplit must be at least 0 and less than 1, received ${share}.`);
  }
  const row = Math.floor(count * (1 - share));
  if (share > 0 && (row === 0 || row === count)) {
    throw new DataError(
      `${operation}: ${count} examples are too few to split off ${share} for validation; give more data or another validationSplit.`,
    );
  }
  return row;
}
