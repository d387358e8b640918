/** The options of a data loader, and what is wrong with some combinations of them. */
import { ArgumentError } from "../../errors.ts";
import type { Generator } from "../../tensor/index.ts";
import type { IterableDataset, MapStyleDataset } from "./dataset.ts";
import type { Sampler } from "./samplers.ts";

/** A data set in this thread: by position, a stream, or an array of examples. */
export type LocalDataset<Sample> = MapStyleDataset<Sample> | IterableDataset<Sample> | readonly Sample[];

/** Options of `DataLoader`; names and defaults are PyTorch's. */
export interface DataLoaderOptions<Sample, Batch> {
  /** Examples in a batch. Default 1. `null`: no batches, the examples as they are. */
  readonly batchSize?: number | null;
  /** A new random order in every epoch. Default false. */
  readonly shuffle?: boolean;
  /** The order of the examples, instead of `shuffle`. */
  readonly sampler?: Sampler;
  /** The examples of each batch, instead of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  readonly batchSampler?: Sampler<readonly number[]>;
  /** Threads that make batches. Default 0: the calling thread. More need the URL of a module in place of the data set. */
  readonly numWorkers?: number;
  /** Makes a batch of examples. Default `defaultCollate`. With workers it runs in the calling thread; the name of an export of the module runs in the worker. */
  readonly collateFn?: ((samples: Sample[]) => Batch) | (string & {});
  /** Leaves out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
  /** Batches that each worker makes ahead. Default 2. */
  readonly prefetchFactor?: number;
  /** Where the seed is drawn from, once. Default: the default generator (`manualSeed`). */
  readonly generator?: Generator;
  /** The seed of order and augmentation: both are functions of (seed, epoch) and (seed, epoch, index). */
  readonly seed?: number;
  /** Keeps the workers from one epoch to the next. Default false. */
  readonly persistentWorkers?: boolean;
  /** Seconds to wait for a batch of a worker. Default 0: for ever. */
  readonly timeout?: number;
  /** Name of an export of the module that every worker calls with its number before it makes the data set. */
  readonly workerInitFn?: string;
  /** Accepted for PyTorch's sake: batches are always where they are used. */
  readonly pinMemory?: boolean;
  /** What the module's factory is called with: plain data. */
  readonly datasetOptions?: unknown;
}

/** What is needed later, checked. */
export interface CheckedOptions {
  readonly batchSize: number | undefined;
  readonly dropLast: boolean;
  readonly numWorkers: number;
  readonly prefetchFactor: number;
  readonly persistentWorkers: boolean;
  readonly timeout: number;
}

function refuse(problem: string): never {
  throw new ArgumentError(`DataLoader: ${problem}`);
}

/** Checks everything that does not need the data set. `threaded`: a module's URL was given. */
export function checkOptions<Sample, Batch>(
  options: DataLoaderOptions<Sample, Batch>,
  threaded: boolean,
): CheckedOptions {
  const { batchSize = 1, numWorkers = threaded ? 1 : 0, prefetchFactor = 2, timeout = 0, dropLast = false } = options;
  if (batchSize !== null && (!Number.isInteger(batchSize) || batchSize < 1)) {
    refuse(`batchSize must be a positive integer or null, received ${batchSize}.`);
  }
  if (!Number.isInteger(numWorkers) || numWorkers < 0) refuse(`numWorkers must be 0 or more, received ${numWorkers}.`);
  if (numWorkers > 0 && !threaded) {
    refuse(
      `numWorkers is ${numWorkers}, but a data set cannot move to another thread. Pass the URL of a module that exports a factory: ` +
        "new DataLoader(new URL('./dataset.ts', import.meta.url), { numWorkers, datasetOptions }), with `export default (options) => dataset` in it.",
    );
  }
  if (numWorkers === 0) {
    if (threaded) refuse("a module's URL needs numWorkers of at least 1; for 0 pass the data set itself.");
    for (const name of ["prefetchFactor", "timeout", "persistentWorkers", "workerInitFn", "datasetOptions"] as const) {
      if (options[name]) refuse(`${name} is for workers, but numWorkers is 0.`);
    }
    if (typeof options.collateFn === "string") refuse("collateFn by name is for workers; pass the function.");
  }
  if (!Number.isInteger(prefetchFactor) || prefetchFactor < 1) {
    refuse(`prefetchFactor must be a positive integer, received ${prefetchFactor}.`);
  }
  if (!(timeout >= 0)) refuse(`timeout must be 0 or more seconds, received ${timeout}.`);
  if (options.sampler && options.shuffle) refuse("give sampler or shuffle, not both.");
  if (options.batchSampler) {
    for (const name of ["batchSize", "shuffle", "sampler", "dropLast"] as const) {
      if (options[name]) refuse(`batchSampler decides about batches; ${name} cannot be given with it.`);
    }
  }
  if (batchSize === null && dropLast) refuse("dropLast means nothing without batches (batchSize: null).");
  if (options.seed !== undefined && !Number.isInteger(options.seed))
    refuse(`seed must be an integer, received ${options.seed}.`);
  if (options.workerInitFn !== undefined && typeof options.workerInitFn !== "string") {
    refuse("workerInitFn is the name of an export of the module; functions cannot move to another thread.");
  }
  return {
    batchSize: batchSize ?? undefined,
    dropLast,
    numWorkers,
    prefetchFactor,
    persistentWorkers: options.persistentWorkers ?? false,
    timeout,
  };
}
