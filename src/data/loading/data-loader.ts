/** Batches from a data set: grouped, shuffled, made ahead by threads, and resumable. */
import { ArgumentError } from "../../errors.ts";
import { defaultGenerator, Generator as RandomGenerator } from "../../tensor/index.ts";
import { mixSeed } from "../host-random.ts";
import type { SampleKey } from "../sample-context.ts";
import type { Collated } from "./collate.ts";
import { isMapStyle, type MapStyleDataset } from "./dataset.ts";
import { type Collation, fetchBatch, StreamPass } from "./fetch.ts";
import { type CheckedOptions, checkOptions, type DataLoaderOptions, type LocalDataset } from "./loader-options.ts";
import { moduleAddress } from "./module-threads.ts";
import { BatchSampler, RandomSampler, type Sampler, type SamplerState, SequentialSampler } from "./samplers.ts";
import { type Received, WorkerPool } from "./worker-pool.ts";

/** Where a loader stands: with it, the rest of an epoch and all that follow come out as they would have. */
export interface DataLoaderState {
  readonly seed: number | undefined;
  readonly epoch: number;
  /** Batches of the epoch that have been given out. */
  readonly position: number;
  readonly sampler?: SamplerState;
}

/** One epoch under way. */
interface Pass {
  readonly key: SampleKey;
  /** Batches that an earlier run has given out. */
  readonly skip: number;
}

/**
 * Iterates over a data set in batches: `for (const [x, y] of loader)`, or `for await`.
 *
 * Order and augmentation depend on the seed and the epoch only, so any number of workers gives the same batches in the same order. With `numWorkers` above 0 the
 * data set is the URL of a module whose default export makes it; that works with `for…of` too, which waits for the threads. Leaving a loop stops them.
 * After torch.utils.data.DataLoader.
 *
 * @example
 * ```ts
 * const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 32, shuffle: true });
 * for (const [images, labels] of loader) console.log(images.shape, labels.shape);
 * ```
 */
export class DataLoader<Sample, Batch = Collated<Sample>> implements Iterable<Batch>, AsyncIterable<Batch> {
  /** The data set, unless workers have it. */
  readonly dataset: LocalDataset<Sample> | undefined;
  readonly batchSize: number | undefined;
  readonly numWorkers: number;
  private readonly checked: CheckedOptions;
  private readonly options: DataLoaderOptions<Sample, Batch>;
  private readonly address: string | undefined;
  private readonly local: MapStyleDataset<Sample> | Iterable<Sample> | undefined;
  private pool: WorkerPool | undefined;
  /** Whether a pass is using the workers: one that starts meanwhile has its own. */
  private busy = false;
  /** What the workers' data set is. */
  private found: { readonly length: number | undefined; readonly stream: boolean } | undefined;
  private seed: number | undefined;
  private batches: Sampler<readonly number[]> | undefined;
  /** Numbers of the shuffled order, keyed by (seed, epoch). */
  private readonly order = new RandomGenerator(0);
  private next = { epoch: 0, position: 0 };
  private progress = { epoch: 0, position: 0 };

  /** @throws ArgumentError for options that contradict each other. */
  constructor(module: URL | string, options: DataLoaderOptions<Sample, Batch>);
  constructor(dataset: LocalDataset<Sample>, options?: DataLoaderOptions<Sample, Batch>);
  constructor(dataset: LocalDataset<Sample> | URL | string, options: DataLoaderOptions<Sample, Batch> = {}) {
    const threaded = typeof dataset === "string" || dataset instanceof URL;
    this.checked = checkOptions(options, threaded);
    this.options = options;
    this.batchSize = this.checked.batchSize;
    this.numWorkers = this.checked.numWorkers;
    this.seed = options.seed;
    if (threaded) {
      this.address = moduleAddress(dataset);
      return;
    }
    this.dataset = dataset;
    this.local = Array.isArray(dataset)
      ? arrayDataset(dataset as readonly Sample[])
      : (dataset as MapStyleDataset<Sample>);
    if (!isMapStyle(this.local)) {
      const iterable = typeof dataset === "object" && dataset !== null && Symbol.iterator in dataset;
      if (!iterable) {
        throw new ArgumentError(
          "DataLoader: a data set has length and get(index) (Dataset), or is an iterable of examples (IterableDataset).",
        );
      }
      refuseOrder(options);
    }
  }

  /** Number of batches in an epoch. Starts the workers when they have the data set. */
  get length(): number {
    if (this.options.batchSampler) return this.options.batchSampler.length;
    const { length, stream } = this.source();
    if (!stream) return this.sampler().length;
    if (typeof length !== "number") {
      throw new ArgumentError("DataLoader: a stream has no length, unless its data set has one.");
    }
    const exact = length / (this.batchSize ?? 1);
    return this.checked.dropLast ? Math.floor(exact) : Math.ceil(exact);
  }

  /** Makes the next pass that of `epoch`. Passes count up by themselves otherwise. */
  setEpoch(epoch: number): void {
    if (!Number.isInteger(epoch) || epoch < 0) {
      throw new ArgumentError(`DataLoader.setEpoch: expected 0 or a positive integer, received ${epoch}.`);
    }
    this.next = { epoch, position: 0 };
    this.progress = this.next;
  }

  /** Where the loader stands; inside a loop, the batch at hand counts as given out. */
  stateDict(): DataLoaderState {
    const { epoch, position } = this.progress;
    const state = this.customSampler()?.stateDict?.();
    const sampler = state && position === 0 ? { generator: state.generator } : state;
    return { seed: this.seed, epoch, position, ...(sampler ? { sampler } : {}) };
  }
  /**
   * The next loop goes on where the state was taken.
   * @throws ArgumentError when it is no state of a loader.
   */
  loadStateDict(state: DataLoaderState): void {
    const { seed, epoch, position, sampler } = state;
    const valid = [epoch, position].every((value) => Number.isInteger(value) && value >= 0);
    if (!valid || (seed !== undefined && !Number.isInteger(seed))) {
      throw new ArgumentError(`DataLoader.loadStateDict: not the state of a loader: ${JSON.stringify(state)}.`);
    }
    this.seed = seed ?? this.seed;
    this.next = { epoch, position };
    this.progress = this.next;
    if (sampler) this.customSampler()?.loadStateDict?.(sampler);
  }

  /** Stops workers that were kept. */
  close(): void {
    this.pool?.close();
    this.pool = undefined;
    this.busy = false;
  }
  [Symbol.dispose](): void {
    this.close();
  }

  *[Symbol.iterator](): Iterator<Batch> {
    const pass = this.begin();
    let finished = false;
    const pool = this.address === undefined ? undefined : this.acquire();
    try {
      for (const batch of pool ? this.threadedPass(pool, pass) : this.localPass(pass)) {
        this.progress = { epoch: pass.key.epoch, position: this.progress.position + 1 };
        yield batch as Batch;
      }
      finished = true;
    } finally {
      this.end(pass, finished, pool);
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Batch> {
    if (this.address === undefined) {
      for (const batch of this) yield batch;
      return;
    }
    const pass = this.begin();
    let finished = false;
    const pool = this.acquire();
    try {
      await pool.readyAsync();
      for await (const batch of this.threadedPassAsync(pool, pass)) {
        this.progress = { epoch: pass.key.epoch, position: this.progress.position + 1 };
        yield batch as Batch;
      }
      finished = true;
    } finally {
      this.end(pass, finished, pool);
    }
  }

  private begin(): Pass {
    const { epoch, position } = this.next;
    this.next = { epoch: epoch + 1, position: 0 };
    this.progress = { epoch, position };
    if (this.seed === undefined) {
      const generator = this.options.generator ?? defaultGenerator;
      this.seed = mixSeed(generator.currentSeed(), generator.next());
    }
    this.order.state = { seed: mixSeed(this.seed), counter: epoch };
    return { key: { seed: this.seed, epoch }, skip: position };
  }
  private end({ key }: Pass, finished: boolean, pool: WorkerPool | undefined): void {
    if (finished && this.progress.epoch === key.epoch) this.progress = { epoch: key.epoch + 1, position: 0 };
    if (!pool) return;
    if (pool !== this.pool) pool.close();
    else {
      this.busy = false;
      if (!this.checked.persistentWorkers || !finished) this.close();
    }
  }
  /** Workers for a pass. */
  private acquire(): WorkerPool {
    if (this.busy && this.pool) return this.startWorkers();
    const pool = this.threads();
    this.busy = true;
    return pool;
  }

  /** What becomes of the examples where the batch is made, and afterwards in this thread. */
  private collation(): { readonly there: Collation; readonly here?: (samples: Sample[]) => unknown } {
    const { collateFn } = this.options;
    if (this.batchSize === undefined && !this.options.batchSampler) {
      return typeof collateFn === "function"
        ? { there: "single", here: (sample) => collateFn(sample) }
        : { there: "single" };
    }
    return typeof collateFn === "function" ? { there: "list", here: collateFn } : { there: "default" };
  }

  private *localPass({ key, skip }: Pass): Generator<unknown> {
    const { there, here = (batch: unknown) => batch } = this.collation();
    const finish = here as (batch: unknown) => unknown;
    const { local } = this;
    if (isMapStyle(local)) {
      let position = 0;
      for (const indices of this.sampler()) {
        if (position++ < skip) continue;
        yield finish(fetchBatch(local, indices, key, there));
      }
      return;
    }
    const stream = new StreamPass(local as Iterable<unknown>, key, this.batchSize, this.checked.dropLast);
    try {
      for (let position = 0; position < skip; position++) if (!stream.skip()) return;
      for (let made = stream.next(there); made; made = stream.next(there)) yield finish(made.batch);
    } finally {
      stream.close();
    }
  }

  /** The tasks of a pass, handed to the workers in turn as long as `ahead` of them are under way. */
  private *tasks(pool: WorkerPool, { key, skip }: Pass): Generator<number> {
    const pass = pool.beginPass();
    this.found = pool.ready();
    const { stream } = this.source();
    const ahead = pool.size * this.checked.prefetchFactor;
    const order = stream ? undefined : this.sampler()[Symbol.iterator]();
    for (let position = 0; position < skip; position++) order?.next();
    let asked = skip;
    let ended = false;
    for (let wanted = skip; ; wanted++) {
      while (!ended && asked < wanted + ahead) {
        const next = order?.next();
        if (next?.done) ended = true;
        else {
          pool.request(asked % pool.size, { pass, key, batch: asked, indices: next?.value });
          asked++;
        }
      }
      if (wanted >= asked) return;
      yield wanted % pool.size;
    }
  }
  private finish(received: NonNullable<Received>): unknown {
    const { here } = this.collation();
    return here ? here(received.batch as Sample[]) : received.batch;
  }
  private *threadedPass(pool: WorkerPool, pass: Pass): Generator<unknown> {
    for (const worker of this.tasks(pool, pass)) {
      const received = pool.receive(worker);
      if (!received) return;
      yield this.finish(received);
    }
  }
  private async *threadedPassAsync(pool: WorkerPool, pass: Pass): AsyncGenerator<unknown> {
    for (const worker of this.tasks(pool, pass)) {
      const received = await pool.receiveAsync(worker);
      if (!received) return;
      yield this.finish(received);
    }
  }

  private threads(): WorkerPool {
    this.pool ??= this.startWorkers();
    return this.pool;
  }
  private startWorkers(): WorkerPool {
    const { options, checked } = this;
    const { there } = this.collation();
    return new WorkerPool({
      numWorkers: checked.numWorkers,
      timeout: checked.timeout,
      seed: this.seed ?? 0,
      url: this.address!,
      datasetOptions: options.datasetOptions,
      collation:
        typeof options.collateFn === "string"
          ? { exported: options.collateFn }
          : (there as "default" | "list" | "single"),
      initializer: options.workerInitFn,
      batchSize: checked.batchSize,
      dropLast: checked.dropLast,
    });
  }

  private source(): { readonly length: number | undefined; readonly stream: boolean } {
    if (this.address !== undefined) {
      this.found ??= this.threads().ready();
      if (this.found.stream) refuseOrder(this.options);
      return this.found;
    }
    const { length } = this.local as { readonly length?: number };
    return { length, stream: !isMapStyle(this.local) };
  }
  private customSampler(): Sampler | Sampler<readonly number[]> | undefined {
    return this.options.batchSampler ?? this.options.sampler;
  }
  /** The batches of positions. */
  private sampler(): Sampler<readonly number[]> {
    if (this.batches) return this.batches;
    const { batchSampler, sampler, shuffle } = this.options;
    const source = this.address === undefined ? (this.local as MapStyleDataset<Sample>) : this.source();
    const data = source as { readonly length: number };
    const single =
      sampler ?? (shuffle ? new RandomSampler(data, { generator: this.order }) : new SequentialSampler(data));
    this.batches = batchSampler ?? new BatchSampler(single, this.batchSize ?? 1, this.checked.dropLast);
    return this.batches;
  }
}

function arrayDataset<Sample>(samples: readonly Sample[]): MapStyleDataset<Sample> {
  return {
    get length() {
      return samples.length;
    },
    get: (index) => samples[index] as Sample,
  };
}

function refuseOrder<Sample, Batch>(options: DataLoaderOptions<Sample, Batch>): void {
  for (const name of ["shuffle", "sampler", "batchSampler"] as const) {
    if (options[name])
      throw new ArgumentError(
        `DataLoader: a stream has an order of its own; ${name} needs a data set with length and get(index).`,
      );
  }
}
