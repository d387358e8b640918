/** Data sets by position and as streams, and data sets made of others. */
import { ArgumentError, IndexRangeError, ShapeError } from "../../errors.ts";
import { evaluate, type Generator, hostView, type Tensor, tensor, tensorView } from "../../tensor/index.ts";
import { HostRandom } from "../host-random.ts";
import { drawKey } from "./samplers.ts";

/** How a data set that makes a whole batch at once gives each example the randomness it would have alone. */
export interface BatchContext {
  /** Runs `body`, which makes the example at `position` of the batch. */
  readonly sample: <T>(position: number, body: () => T) => T;
}

/** Anything with a length and examples by position: what samplers choose from. */
export interface MapStyleDataset<Sample> {
  readonly length: number;
  /** The example at `index`, from 0 to `length` − 1. */
  get(index: number): Sample;
  /**
   * Optional: a whole batch as `defaultCollate` would make it, to the bit, or undefined where the examples must be made one by one. Used when no
   * `collateFn` is given.
   */
  getBatch?(indices: readonly number[], context: BatchContext): unknown;
}

/**
 * Base of data sets by position. Give `length` (a getter) and `get(index)`; PyTorch's `__len__` and `__getitem__`.
 *
 * @example
 * ```ts
 * class Squares extends Dataset<[Tensor, number]> {
 *   get length() { return 100; }
 *   get(index: number): [Tensor, number] { return [tensor([index]), index * index]; }
 * }
 * ```
 */
export abstract class Dataset<Sample> implements MapStyleDataset<Sample> {
  /** Number of examples. */
  abstract get length(): number;
  /** The example at `index`. */
  abstract get(index: number): Sample;
  /** This data set, then another. */
  concat<Other>(other: MapStyleDataset<Other>): ConcatDataset<Sample | Other> {
    return new ConcatDataset<Sample | Other>([this, other]);
  }
}

/**
 * Base of data sets that are streams: `*[Symbol.iterator]()` starts a pass. In a loader with workers each worker runs through the stream and keeps the batches
 * that are its turn, so the batches are the same for any number of workers.
 */
export abstract class IterableDataset<Sample> implements Iterable<Sample> {
  abstract [Symbol.iterator](): Iterator<Sample>;
}

/** Tells the two kinds apart. Arrays are data sets by position. */
export function isMapStyle(value: unknown): value is MapStyleDataset<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as MapStyleDataset<unknown>).get === "function" &&
    typeof (value as MapStyleDataset<unknown>).length === "number"
  );
}

function checkIndex(name: string, index: number, length: number): number {
  const position = index < 0 ? index + length : index;
  if (!Number.isInteger(index) || position < 0 || position >= length) {
    throw new IndexRangeError(`${name}: index ${index} is outside its ${length} examples.`);
  }
  return position;
}

/** Examples that are rows of tensors with equally many rows: `get(i)` is `[x[i], y[i], …]`. Pending tensors are computed once, here. */
export class TensorDataset<Parts extends readonly Tensor[]> extends Dataset<{ -readonly [K in keyof Parts]: Tensor }> {
  readonly tensors: Parts;
  private readonly rows: readonly { readonly whole: Tensor; readonly width: number }[];

  /** @throws ShapeError when the numbers of rows differ. */
  constructor(...tensors: Parts) {
    super();
    if (tensors.length === 0) throw new ArgumentError("TensorDataset: expected at least one tensor.");
    const count = tensors[0]?.shape[0];
    for (const { shape } of tensors) {
      if (shape.length === 0 || shape[0] !== count) {
        throw new ShapeError(
          `TensorDataset: tensors must have the same number of rows, received shapes ${tensors.map((each) => `[${each.shape.join(", ")}]`).join(" and ")}.`,
        );
      }
    }
    this.tensors = tensors;
    evaluate(...tensors);
    this.rows = tensors.map((each) => ({
      // an assignment writes over a variable's storage
      whole: "cell" in each ? tensor(each.dataSync(), { shape: each.shape, dtype: each.dtype }) : each,
      width: count ? each.size / count : 0,
    }));
  }

  get length(): number {
    return this.tensors[0]!.shape[0]!;
  }
  get(index: number): { -readonly [K in keyof Parts]: Tensor } {
    const at = checkIndex("TensorDataset", index, this.length);
    const parts = this.rows.map(({ whole, width }) =>
      tensorView(hostView(whole).subarray(at * width, (at + 1) * width), whole.shape.slice(1), whole.dtype),
    );
    return parts as { -readonly [K in keyof Parts]: Tensor };
  }
  /** Consecutive rows as views of the same memory, others gathered. */
  getBatch(indices: readonly number[]): Tensor[] {
    const first = indices[0] ?? 0;
    const consecutive = indices.every((index, position) => index === first + position);
    for (const index of indices) checkIndex("TensorDataset", index, this.length);
    return this.rows.map(({ whole, width }) => {
      const values = hostView(whole);
      const shape = [indices.length, ...whole.shape.slice(1)];
      if (consecutive && first >= 0) {
        return tensorView(values.subarray(first * width, (first + indices.length) * width), shape, whole.dtype);
      }
      const gathered = new (values.constructor as new (length: number) => typeof values)(indices.length * width);
      indices.forEach((index, position) => {
        const from = (index < 0 ? index + this.length : index) * width;
        if (width === 1) gathered[position] = values[from]!;
        else gathered.set(values.subarray(from, from + width), position * width);
      });
      return tensorView(gathered, shape, whole.dtype);
    });
  }
}

/** The examples of another data set at `indices`. */
export class Subset<Sample> extends Dataset<Sample> {
  readonly dataset: MapStyleDataset<Sample>;
  readonly indices: readonly number[];

  constructor(dataset: MapStyleDataset<Sample>, indices: ArrayLike<number>) {
    super();
    this.dataset = dataset;
    this.indices = Array.from(indices);
  }
  get length(): number {
    return this.indices.length;
  }
  get(index: number): Sample {
    return this.dataset.get(this.indices[checkIndex("Subset", index, this.length)]!);
  }
  getBatch(indices: readonly number[], context: BatchContext): unknown {
    return this.dataset.getBatch?.(
      indices.map((index) => this.indices[checkIndex("Subset", index, this.length)]!),
      context,
    );
  }
}

/** Several data sets, one after the other. */
export class ConcatDataset<Sample> extends Dataset<Sample> {
  readonly datasets: readonly MapStyleDataset<Sample>[];
  /** Number of examples up to and including each data set. */
  readonly cumulativeSizes: readonly number[];

  constructor(datasets: readonly MapStyleDataset<Sample>[]) {
    super();
    if (datasets.length === 0) throw new ArgumentError("ConcatDataset: expected at least one data set.");
    this.datasets = datasets;
    let total = 0;
    this.cumulativeSizes = datasets.map((each) => {
      total += each.length;
      return total;
    });
  }
  get length(): number {
    return this.cumulativeSizes[this.cumulativeSizes.length - 1]!;
  }
  get(index: number): Sample {
    const at = checkIndex("ConcatDataset", index, this.length);
    const which = this.cumulativeSizes.findIndex((size) => at < size);
    return this.datasets[which]!.get(at - (this.cumulativeSizes[which - 1] ?? 0));
  }
}

/**
 * Splits a data set at random into parts of `lengths` examples, or of shares that add up to 1 (what rounding leaves goes to the first parts, one each).
 * @throws ArgumentError when the lengths do not add up to the data set's.
 * @example
 * ```ts
 * const dataset = new TensorDataset(x, y);
 * const [train, validation] = randomSplit(dataset, [0.9, 0.1], { generator: new Generator(42) });
 * ```
 */
export function randomSplit<Sample>(
  dataset: MapStyleDataset<Sample>,
  lengths: readonly number[],
  options: { readonly generator?: Generator } = {},
): Subset<Sample>[] {
  const total = dataset.length;
  const sum = lengths.reduce((result, length) => result + length, 0);
  let counts = [...lengths];
  if (Math.abs(sum - 1) < 1e-6 && lengths.every((share) => share >= 0 && share <= 1)) {
    counts = lengths.map((share) => Math.floor(share * total + 1e-9));
    for (let left = total - counts.reduce((result, count) => result + count, 0), part = 0; left > 0; left--, part++) {
      counts[part % counts.length]! += 1;
    }
  } else if (sum !== total || !lengths.every((length) => Number.isInteger(length) && length >= 0)) {
    throw new ArgumentError(
      `randomSplit: lengths [${lengths.join(", ")}] add up to ${sum}, the data set has ${total} examples.`,
    );
  }
  const order = permutationFrom(total, options.generator);
  let start = 0;
  return counts.map((count) => {
    start += count;
    return new Subset(dataset, order.subarray(start - count, start));
  });
}

function permutationFrom(count: number, generator?: Generator): Int32Array {
  const [seed, counter] = drawKey(generator);
  return new HostRandom(seed, counter).permutation(count);
}
