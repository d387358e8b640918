import { inferWorkloads, trainWorkloads } from "../catalogue.ts";
import { isLoaded } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { summarize } from "../statistics.ts";
import { WorkerProcess } from "../worker-process.ts";
import type { FigureOptions } from "./neighbour.ts";

/** Training and inference of every network, at its smallest batch size; the largest network of all besides. */
const networks = [
  ...trainWorkloads.map(({ name, batches }) => ({ suite: "train", name, batch: Math.min(...batches) })),
  { suite: "train", name: "resnet152", batch: 2 },
  ...inferWorkloads.map(({ name, batches }) => ({ suite: "infer", name, batch: Math.min(...batches) })),
];

/** Time that compiling a network's programs takes, each in a fresh process. */
export async function runCompileTime({ rounds, threads, say }: FigureOptions): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { suite, name, batch } of networks) {
    const times: number[] = [];
    let loaded = false;
    for (let round = 0; round < rounds; round++) {
      loaded = (await isLoaded()) || loaded;
      const worker = new WorkerProcess("trivium", threads);
      try {
        await worker.setup({ suite, workload: name, batch, setting: "default", warmup: 0 });
        times.push((await worker.statistics()).compileMilliseconds!);
      } finally {
        worker.close();
      }
    }
    const value = summarize(times);
    const label = `compile time, ${suite === "train" ? "training" : "inference"} of ${name}`;
    say(`${label}: ${value.median} ms`);
    figures.push({ suite: "system", name: label, value, unit: "ms", loaded });
  }
  return figures;
}
