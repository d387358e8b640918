import { isLoaded } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { rounded, summarize } from "../statistics.ts";
import { WorkerProcess } from "../worker-process.ts";
import type { FigureOptions } from "./neighbour.ts";

const batch = 32;
const loop = "seeds-cnn-torch";
const others = {
  "seeds-cnn-keras": "Keras' trainOnBatch",
  "seeds-cnn-keras-fit": "Keras' fit",
  "seeds-cnn-torch-compiled": "torch.compile",
} as const;

interface Contender {
  readonly worker: WorkerProcess;
  readonly workload: string;
  readonly setting?: string;
  readonly batch: number;
}

/** Seconds per step of each contender, round by round, in turn. */
async function timeInTurn(
  contenders: readonly Contender[],
  options: { readonly rounds: number; readonly warmup: number; readonly seconds: number },
): Promise<{ readonly seconds: readonly (readonly number[])[]; readonly loaded: boolean }> {
  const { rounds, warmup, seconds: roundSeconds } = options;
  const steps: number[] = [];
  for (const { worker, workload, batch: size, setting = "default" } of contenders) {
    await worker.setup({ workload, batch: size, setting });
    await worker.round(warmup);
    const trial = Math.max(10, warmup / 100);
    const { seconds: taken } = await worker.round(trial);
    steps.push(Math.max(10, Math.ceil((roundSeconds * trial) / taken)));
  }
  const seconds = contenders.map((): number[] => []);
  let loaded = false;
  for (let round = 0; round < rounds; round++) {
    loaded = (await isLoaded()) || loaded;
    for (const [index, { worker, workload, batch: size, setting = "default" }] of contenders.entries()) {
      await worker.setup({ workload, batch: size, setting });
      seconds[index]!.push((await worker.round(steps[index]!)).seconds / steps[index]!);
    }
  }
  return { seconds, loaded };
}

/** Throughput of the loop that PyTorch users write as a share of that of the same step in other forms: rounds in turn. */
export async function runDoors({ rounds, threads, say }: FigureOptions): Promise<Figure[]> {
  const names = [loop, ...Object.keys(others)];
  const contenders = names.map((workload): Contender => {
    return { worker: new WorkerProcess("trivium", threads), workload, batch };
  });
  try {
    // an epoch of MNIST is 1,875 steps: the loop builds its graph in JavaScript, which V8 optimises during the first of them
    const { seconds, loaded } = await timeInTurn(contenders, { rounds, warmup: 1500, seconds: 1.5 });
    const [own, ...rest] = seconds;
    return Object.values(others).map((label, index): Figure => {
      const value = summarize(rest[index]!.map((other, round) => other / own![round]!));
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
  } finally {
    for (const { worker } of contenders) worker.close();
  }
}
