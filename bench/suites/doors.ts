import { isLoaded } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { rounded, summarize } from "../statistics.ts";
import { WorkerProcess } from "../worker-process.ts";
import type { FigureOptions } from "./neighbour.ts";

const batch = 32;
const loop = "seeds-cnn-torch";
const others = {
  "seeds-cnn-keras": "Keras' trainOnBatch",
  "seeds-cnn-torch-compiled": "torch.compile",
} as const;

/** Throughput of the loop that PyTorch users write as a share of that of the same step in other forms: rounds in turn. */
export async function runDoors({ rounds, threads, say }: FigureOptions): Promise<Figure[]> {
  const names = [loop, ...Object.keys(others)];
  const workers = new Map(names.map((name) => [name, new WorkerProcess("trivium", threads)]));
  let loaded = false;
  const seconds = new Map<string, number[]>(names.map((name) => [name, []]));
  try {
    let steps = 10;
    for (const [name, worker] of workers) {
      await worker.setup({ workload: name, batch, setting: "default", threads });
      // an epoch of MNIST is 1,875 steps: the loop builds its graph in JavaScript, which V8 optimises during the first of them
      await worker.round(1500);
      const { seconds: ten } = await worker.round(10);
      steps = Math.max(steps, Math.ceil(15 / ten));
    }
    for (let round = 0; round < rounds; round++) {
      loaded ||= await isLoaded();
      for (const [name, worker] of workers) seconds.get(name)?.push((await worker.round(steps)).seconds);
    }
  } finally {
    for (const worker of workers.values()) worker.close();
  }
  const own = seconds.get(loop) ?? [];
  return Object.entries(others).map(([name, label]): Figure => {
    const value = summarize((seconds.get(name) ?? []).map((other, round) => other / (own[round] ?? Number.NaN)));
    say(`the PyTorch loop has ${rounded(100 * value.median)} % of the throughput of ${label}`);
    return {
      suite: "doors",
      name: `PyTorch loop, batch ${batch}: throughput as a share of that of ${label}`,
      value,
      unit: "share",
      goal: ">= 0.9",
      loaded,
    };
  });
}
