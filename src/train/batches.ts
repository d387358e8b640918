/** Batches of a data set: from arrays in memory (shuffled or in order) or from an iterable of batches. */
import { ArgumentError, DataError } from "../errors.ts";
import { evaluate, randomPermutation, Tensor } from "../tensor/index.ts";
import {
  type ArrayInput,
  checkLabels,
  countExamples,
  type DataStructure,
  describe,
  type Examples,
  isArrayInput,
  isShapedArray,
  type LabelRules,
  toTensors,
  weightsOfClasses,
} from "./arrays.ts";
import { isRecord, leavesOf, mapStructure, type Structure } from "./structure.ts";

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
  return mapExamples(examples, (part) => part.take(rows, 0));
}

/** The same examples with every tensor replaced. */
function mapExamples({ x, y, sampleWeight }: Examples, change: (part: Tensor) => Tensor): Examples {
  const each = (part: Structure<Tensor>): Structure<Tensor> => mapStructure<Tensor, Tensor>(part, (one) => change(one));
  return { x: each(x), y: y && each(y), sampleWeight: sampleWeight && each(sampleWeight) };
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
  | readonly [x: DataStructure, y?: DataStructure, sampleWeight?: DataStructure]
  | { readonly x: DataStructure; readonly y?: DataStructure; readonly sampleWeight?: DataStructure };

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
export function rowsOf(examples: Examples, start: number, stop: number): Examples {
  return mapExamples(examples, (part) => view(part, start, stop));
}

export interface StreamOptions {
  readonly labels?: LabelRules | undefined;
  readonly classWeight?: Readonly<Record<number, number>> | undefined;
  /** Whether an array of arrays is [x, y] rather than x alone. */
  readonly tuples: boolean;
  /** Numbers of inputs and outputs; one each by default. */
  readonly counts?: ExampleCounts | undefined;
}

/** How many arrays a model takes and gives. */
export interface ExampleCounts {
  readonly inputs: number;
  readonly outputs: number;
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
    const { inputs = 1, outputs = 1 } = options.counts ?? {};
    const [first, second, third] = this.parts(input);
    if (first === undefined) throw new DataError(`${operation}: a batch without inputs.`);
    const x = toTensors(operation, "x of a batch", first, inputs);
    const y = second === undefined ? undefined : toTensors(operation, "y of a batch", second, outputs);
    let sampleWeight =
      third === undefined ? undefined : toTensors(operation, "sampleWeight of a batch", third, outputs);
    const size = countExamples(operation, { x, y, sampleWeight });
    if (y) {
      checkLabels(operation, y, options.labels);
      if (options.classWeight) {
        if (sampleWeight) throw bothWeights(operation);
        sampleWeight = weightsOfClasses(onlyTarget(operation, y), options.classWeight);
      }
    }
    return { examples: { x, y, sampleWeight }, size };
  }

  private parts(input: BatchInput): readonly (DataStructure | undefined)[] {
    if (Array.isArray(input)) {
      const [first] = input as readonly unknown[];
      const isTuple = first instanceof Tensor || ArrayBuffer.isView(first) || isShapedArray(first) || isRecord(first);
      const named = isTuple || (this.options.tuples && Array.isArray(first));
      return named ? (input as readonly DataStructure[]) : [input as ArrayInput];
    }
    if (isRecord(input) && "x" in input && !isShapedArray(input)) {
      const { x, y, sampleWeight } = input as unknown as Extract<BatchInput, { readonly x: DataStructure }>;
      return [x, y, sampleWeight];
    }
    return [input as DataStructure];
  }
}

/** Weights of classes are for models with one output. */
export function onlyTarget(operation: string, y: Structure<Tensor>): Tensor {
  const targets = leavesOf<Tensor>(y);
  if (targets.length === 1) return targets[0];
  throw new ArgumentError(
    `${operation}: classWeight is for models with one output; give sampleWeight for each of the ${targets.length} outputs.`,
  );
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
