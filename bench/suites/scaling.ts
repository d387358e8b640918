import { figureGoals, nameAndGoal } from "../goals.ts";
import { isLoaded } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { summarize } from "../statistics.ts";
import { WorkerProcess } from "../worker-process.ts";
import type { FigureOptions } from "./neighbour.ts";

const [workload, batch] = ["seeds-cnn", 128];

/** Throughput of the training step on all threads over that on one: rounds in turn. */
export async function runScaling({
  rounds,
  threads,
  roundSeconds,
  say,
}: FigureOptions & { readonly roundSeconds: number }): Promise<Figure[]> {
  const workers = [new WorkerProcess("trivium", 1), new WorkerProcess("trivium", threads)] as const;
  const ratios: number[] = [];
  let loaded = false;
  try {
    const steps: number[] = [];
    for (const worker of workers) {
      await worker.setup({ workload, batch, setting: "default" });
      steps.push(Math.max(1, Math.ceil((2 * roundSeconds) / (await worker.round(2)).seconds)));
    }
    for (let round = 0; round < rounds; round++) {
      loaded = (await isLoaded()) || loaded;
      const [one, many] = [await workers[0].round(steps[0]!), await workers[1].round(steps[1]!)];
      ratios.push(one.seconds / steps[0]! / (many.seconds / steps[1]!));
    }
  } finally {
    for (const worker of workers) worker.close();
  }
  const value = summarize(ratios);
  const name = `thread scaling 1 to ${threads}, training step, batch ${batch}`;
  const head = name === figureGoals.scaling.name ? nameAndGoal(figureGoals.scaling) : { suite: "system", name };
  say(`${name}: ${value.median}`);
  return [{ ...head, value, unit: "times", loaded }];
}
