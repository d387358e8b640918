import { watchLoad } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { rounded, summarize } from "../statistics.ts";
import { WorkerProcess } from "../worker-process.ts";
import type { FigureOptions } from "./neighbour.ts";

const [workload, batch] = ["seeds-cnn", 128];
const roundSeconds = 2;

/** Last tenth of a run over its first tenth, by medians: 1 where nothing drifts. */
export function driftOf(values: readonly number[]): number {
  const tenth = Math.max(1, Math.floor(values.length / 10));
  return rounded(summarize(values.slice(-tenth)).median / summarize(values.slice(0, tenth)).median);
}

/** Training steps for so many minutes: throughput, its drift and the growth of the process. */
export async function runSteady(options: FigureOptions & { readonly minutes: number }): Promise<Figure[]> {
  const { threads, minutes, say } = options;
  if (minutes <= 0) return [];
  const worker = new WorkerProcess("trivium", threads);
  const throughputs: number[] = [];
  const resident: number[] = [];
  let loaded = false;
  try {
    await worker.setup({ workload, batch, setting: "default" });
    const steps = Math.max(1, Math.ceil((2 * roundSeconds) / (await worker.round(2)).seconds));
    const end = performance.now() + minutes * 60_000;
    do {
      const load = watchLoad();
      const { seconds, cpu } = await worker.round(steps);
      loaded ||= load.other(cpu) > 0.1;
      throughputs.push((steps * batch) / seconds);
      resident.push((await worker.statistics()).rss! / 2 ** 20);
    } while (performance.now() < end);
  } finally {
    worker.close();
  }
  const figures = [
    { name: "throughput", value: summarize(throughputs), unit: "images/s" },
    { name: "last tenth over first tenth", value: summarize([driftOf(throughputs)]), unit: "share", goal: ">= 0.97" },
    {
      name: "memory of the process, last tenth over first tenth",
      value: summarize([driftOf(resident)]),
      unit: "share",
    },
  ];
  return figures.map(({ name, ...rest }): Figure => {
    const label = `${minutes} minutes of training, batch ${batch}: ${name}`;
    say(`${label}: ${rest.value.median} ${rest.unit}`);
    return { suite: "system", name: label, ...rest, loaded };
  });
}
