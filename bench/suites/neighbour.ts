import { type ChildProcess, spawn } from "node:child_process";
import { figureGoals, nameAndGoal } from "../goals.ts";
import { isLoaded } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { rounded, summarize } from "../statistics.ts";
import { WorkerProcess } from "../worker-process.ts";

/** What a suite without peers is asked to do. */
export interface FigureOptions {
  readonly rounds: number;
  readonly threads: number;
  readonly say: (text: string) => void;
}

/** A process that keeps one core busy until it is ended; it ends itself after a minute, should nobody be left to do so. */
export const occupyOneCore = (): ChildProcess =>
  spawn(process.execPath, ["-e", "for (const end = Date.now() + 60_000; Date.now() < end; );"], { stdio: "ignore" });

/** Throughput of the training step with one core taken by another process, as a share of the free throughput: free and busy rounds in turn. */
export async function runNeighbour(options: FigureOptions): Promise<Figure[]> {
  const { rounds, threads, say } = options;
  const batch = 128;
  let loaded = false;
  const worker = new WorkerProcess("trivium", threads);
  const shares: number[] = [];
  try {
    await worker.setup({ workload: "seeds-cnn", batch, setting: "default" });
    const { seconds: two } = await worker.round(2);
    const steps = Math.max(2, Math.ceil((2 * 1.5) / two));
    for (let round = 0; round < rounds; round++) {
      loaded = (await isLoaded()) || loaded;
      const free = await worker.round(steps);
      const neighbour = occupyOneCore();
      try {
        await new Promise((resolve) => setTimeout(resolve, 200));
        const busy = await worker.round(steps);
        shares.push(free.seconds / busy.seconds);
      } finally {
        neighbour.kill();
      }
    }
  } finally {
    worker.close();
  }
  const value = summarize(shares);
  say(`beside a busy process ${rounded(100 * value.median)} % of the free throughput is kept`);
  return [
    {
      ...nameAndGoal(figureGoals.neighbour),
      value,
      unit: "share",
      loaded,
    },
  ];
}
