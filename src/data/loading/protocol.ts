/** What the main thread and the workers of a data loader say to each other. */
import type { MessagePort } from "node:worker_threads";
import type { SampleKey } from "../sample-context.ts";
import type { ErrorReport } from "./dataset-error.ts";

/** Places in the shared control block. */
export const control = {
  /** Counts messages to the main thread, which sleeps on it. */
  signal: 0,
  /** The pass that is wanted: tasks of others are dropped. */
  pass: 1,
  /** Number of places. */
  length: 2,
} as const;

/** What a worker is started with. */
export interface WorkerStart {
  readonly port: MessagePort;
  readonly control: Int32Array;
  readonly workerId: number;
  readonly numWorkers: number;
  readonly seed: number;
  /** Module whose default export (or `createDataset`) makes the data set. */
  readonly url: string;
  readonly datasetOptions: unknown;
  /** Name of the module's export that collates; undefined: the usual way; "list" and "single" as in `Collation`. */
  readonly collation: "default" | "list" | "single" | { readonly exported: string };
  /** Name of the module's export that is called with the worker's number before the data set is made. */
  readonly initializer: string | undefined;
  readonly batchSize: number | undefined;
  readonly dropLast: boolean;
}

/** A batch to make: examples by position, or the batch of that number in a stream. */
export interface Task {
  readonly pass: number;
  readonly key: SampleKey;
  readonly batch: number;
  readonly indices: readonly number[] | undefined;
}

export type Reply =
  | { readonly type: "ready"; readonly length: number | undefined; readonly stream: boolean }
  | { readonly type: "batch"; readonly pass: number; readonly payload: unknown }
  | { readonly type: "end"; readonly pass: number }
  | { readonly type: "error"; readonly pass: number; readonly error: ErrorReport };

/** Sent by the thread that watches the workers. */
export interface Death {
  readonly workerId: number;
  readonly error: ErrorReport;
}
