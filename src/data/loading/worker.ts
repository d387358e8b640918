/** The thread of one worker of a data loader: loads the module of the data set, then makes the batches it is asked for. */
import { workerData } from "node:worker_threads";
import { ArgumentError } from "../../errors.ts";
import { setWorkerInfo } from "../sample-context.ts";
import { isMapStyle, type MapStyleDataset } from "./dataset.ts";
import { reportError } from "./dataset-error.ts";
import { type Collation, type FetchProgress, fetchBatch, StreamPass } from "./fetch.ts";
import { control as places, type Reply, type Task, type WorkerStart } from "./protocol.ts";
import { encodeMessage } from "./transfer.ts";

const start = workerData as WorkerStart;
const { port, control } = start;

function reply(message: Reply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
  Atomics.add(control, places.signal, 1);
  Atomics.notify(control, places.signal);
}

type Exports = Readonly<Record<string, unknown>>;

function exported(module: Exports, name: string): (...args: unknown[]) => unknown {
  const value = module[name];
  if (typeof value !== "function") {
    throw new ArgumentError(
      `${start.url} has no function "${name}" among its exports (${Object.keys(module).join(", ") || "none"}).`,
    );
  }
  return value as (...args: unknown[]) => unknown;
}

async function loadDataset(): Promise<{ dataset: MapStyleDataset<unknown> | Iterable<unknown>; collation: Collation }> {
  const module = (await import(start.url)) as Exports;
  setWorkerInfo({ id: start.workerId, numWorkers: start.numWorkers, seed: start.seed });
  if (start.initializer !== undefined) await exported(module, start.initializer)(start.workerId);
  const factory = exported(module, typeof module.default === "function" ? "default" : "createDataset");
  const dataset: unknown = await factory(start.datasetOptions);
  const stream = typeof dataset === "object" && dataset !== null && Symbol.iterator in dataset;
  if (!isMapStyle(dataset) && !stream) {
    throw new ArgumentError(
      `the factory of ${start.url} must return a data set (length and get(index), or an iterable), it returned ${dataset === null ? "null" : typeof dataset}.`,
    );
  }
  const { collation } = start;
  return {
    dataset: Array.isArray(dataset) ? arrayDataset(dataset) : (dataset as MapStyleDataset<unknown> | Iterable<unknown>),
    collation: typeof collation === "object" ? exported(module, collation.exported) : collation,
  };
}

function arrayDataset(samples: readonly unknown[]): MapStyleDataset<unknown> {
  return { length: samples.length, get: (index) => samples[index] };
}

try {
  const { dataset, collation } = await loadDataset();
  const mapStyle = isMapStyle(dataset) ? dataset : undefined;
  let pass = -1;
  let stream: StreamPass | undefined;
  let position = 0;

  /** The batch of a stream that has this number; those before it are other workers' turns. */
  const streamBatch = (task: Task, progress: FetchProgress) => {
    if (pass !== task.pass || !stream) {
      stream?.close();
      pass = task.pass;
      stream = new StreamPass(dataset as Iterable<unknown>, task.key, start.batchSize, start.dropLast);
      position = 0;
    }
    for (; position < task.batch; position++) if (!stream.skip(progress)) return undefined;
    position++;
    return stream.next(collation, progress);
  };

  port.on("message", (task: Task) => {
    if (Atomics.load(control, places.pass) !== task.pass) return;
    const progress: FetchProgress = { index: undefined };
    try {
      const made = task.indices
        ? { batch: fetchBatch(mapStyle!, task.indices, task.key, collation, progress) }
        : streamBatch(task, progress);
      if (!made) return reply({ type: "end", pass: task.pass });
      const transfer: ArrayBuffer[] = [];
      reply({ type: "batch", pass: task.pass, payload: encodeMessage(made.batch, transfer) }, transfer);
    } catch (error) {
      reply({ type: "error", pass: task.pass, error: reportError(error, progress.index) });
    }
  });
  const length = (dataset as { readonly length?: unknown }).length;
  reply({ type: "ready", length: typeof length === "number" ? length : undefined, stream: mapStyle === undefined });
} catch (error) {
  reply({ type: "error", pass: -1, error: reportError(error) });
}
