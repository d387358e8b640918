import type { PeerName } from "../catalogue.ts";
import { isLoaded } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { summarize } from "../statistics.ts";
import { WorkerProcess } from "../worker-process.ts";
import type { FigureOptions } from "./neighbour.ts";

const steps = 20_000;
const kinds = {
  "dispatch-eager": "one addition of two numbers, result read",
  "dispatch-compiled": "a compiled function of one addition, result read",
} as const;

/** What one call costs where there is next to nothing to compute. */
export async function runDispatch(options: FigureOptions & { readonly peers: readonly PeerName[] }): Promise<Figure[]> {
  const { rounds, threads, say } = options;
  const contenders = [
    ...Object.entries(kinds).map(([workload, label]) => ({ peer: "trivium", workload, label })),
    ...(options.peers.includes("torch")
      ? [{ peer: "torch", workload: "dispatch-eager", label: `PyTorch, ${kinds["dispatch-eager"]}` }]
      : []),
  ];
  const workers = contenders.map(({ peer }) => new WorkerProcess(peer, threads));
  const times = contenders.map((): number[] => []);
  let loaded = false;
  try {
    for (const [index, { workload }] of contenders.entries()) {
      await workers[index]!.setup({ suite: "system", workload, batch: 1, setting: "default" });
      await workers[index]!.round(steps); // V8 optimises what builds graphs during the first thousands
    }
    for (let round = 0; round < rounds; round++) {
      loaded = (await isLoaded()) || loaded;
      for (const [index, worker] of workers.entries()) {
        times[index]!.push((1e6 * (await worker.round(steps)).seconds) / steps);
      }
    }
  } finally {
    for (const worker of workers) worker.close();
  }
  return contenders.map(({ label }, index): Figure => {
    const value = summarize(times[index]!);
    say(`dispatch, ${label}: ${value.median} us`);
    return { suite: "system", name: `dispatch, ${label}`, value, unit: "us", loaded };
  });
}
