/** Making a batch: the same code in the main thread and in workers, so that both give the same bits. */
import { ArgumentError } from "../../errors.ts";
import { type SampleKey, withSample } from "../sample-context.ts";
import { defaultCollate } from "./collate.ts";
import type { MapStyleDataset } from "./dataset.ts";

/** What becomes of a list of examples: "default" is `defaultCollate`; "list" leaves them to another thread; "single" gives the one example itself. */
export type Collation = "default" | "list" | "single" | ((samples: unknown[]) => unknown);

/** Where a fetch stands, so that an error can name the example. */
export interface FetchProgress {
  index: number | undefined;
}

function collate(samples: unknown[], collation: Collation): unknown {
  if (collation === "default") return defaultCollate(samples);
  if (collation === "list") return samples;
  if (collation === "single") return samples[0];
  return collation(samples);
}

/** The batch of the examples at `indices`. */
export function fetchBatch(
  dataset: MapStyleDataset<unknown>,
  indices: readonly number[],
  key: SampleKey,
  collation: Collation,
  progress: FetchProgress = { index: undefined },
): unknown {
  if (collation === "default" && dataset.getBatch) {
    const batch = dataset.getBatch(indices, {
      sample: (position, body) => {
        progress.index = indices[position];
        return withSample(key, indices[position]!, body);
      },
    });
    if (batch !== undefined) return batch;
  }
  const samples = indices.map((index) => {
    progress.index = index;
    return withSample(key, index, () => dataset.get(index));
  });
  progress.index = undefined;
  return collate(samples, collation);
}

/** One pass through a stream, batch by batch. The examples' randomness is keyed by their number in the stream. */
export class StreamPass {
  private readonly iterator: Iterator<unknown>;
  private readonly key: SampleKey;
  private readonly batchSize: number | undefined;
  private readonly dropLast: boolean;
  private taken = 0;

  constructor(dataset: Iterable<unknown>, key: SampleKey, batchSize: number | undefined, dropLast: boolean) {
    if (typeof dataset[Symbol.iterator] !== "function") {
      throw new ArgumentError("DataLoader: a data set needs length and get(index), or [Symbol.iterator] for a stream.");
    }
    this.iterator = dataset[Symbol.iterator]();
    this.key = key;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
  }

  /** The examples of the next batch, or undefined at the end. */
  private samples(progress: FetchProgress): unknown[] | undefined {
    const size = this.batchSize ?? 1;
    const samples: unknown[] = [];
    while (samples.length < size) {
      progress.index = this.taken;
      const next = withSample(this.key, this.taken, () => this.iterator.next());
      if (next.done) break;
      this.taken++;
      samples.push(next.value);
    }
    progress.index = undefined;
    return samples.length === 0 || (samples.length < size && this.dropLast) ? undefined : samples;
  }
  /** Whether there was a batch to leave out. */
  skip(progress: FetchProgress = { index: undefined }): boolean {
    return this.samples(progress) !== undefined;
  }
  /** The next batch, or undefined at the end. */
  next(collation: Collation, progress: FetchProgress = { index: undefined }): { readonly batch: unknown } | undefined {
    const samples = this.samples(progress);
    return samples && { batch: collate(samples, collation) };
  }
  /** Lets the stream clean up, where it has something to clean up. */
  close(): void {
    this.iterator.return?.();
  }
}
