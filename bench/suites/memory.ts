import type { PeerName } from "../catalogue.ts";
import type { Figure } from "../rows.ts";
import { rounded, summarize } from "../statistics.ts";
import { WorkerProcess } from "../worker-process.ts";
import type { FigureOptions } from "./neighbour.ts";

const [workload, batch] = ["seeds-cnn", 512];
const mebibytes = (bytes: number) => rounded(bytes / 2 ** 20);

/** What the seeds' training step needs: the engine's tracked bytes, and by how much each process grew while it ran its first steps. */
export async function runMemory(options: FigureOptions & { readonly peers: readonly PeerName[] }): Promise<Figure[]> {
  const { threads, say } = options;
  const found: (readonly [name: string, bytes: number, goal?: string])[] = [];
  const measure = async (name: string, setting: string) => {
    const worker = new WorkerProcess(name, threads);
    try {
      const ready = await worker.setup({ workload, batch, setting, threads, warmup: 0 });
      return ready.unavailable === undefined ? await worker.statistics() : undefined;
    } finally {
      worker.close();
    }
  };
  const own = (await measure("trivium", "default"))!;
  found.push(["bytes tracked by the engine", own.trackedBytes!, "<= PyTorch's growth"]);
  found.push(["most resident growth of the process", own.growth!]);
  for (const setting of options.peers.includes("torch") ? ["default", "channels_last"] : []) {
    const statistics = await measure("torch", setting);
    if (statistics !== undefined) found.push([`PyTorch ${setting}, most resident growth`, statistics.growth!]);
  }
  return found.map(([name, bytes, goal]): Figure => {
    const value = summarize([mebibytes(bytes)]);
    const label = `memory of the training step, batch ${batch}: ${name}`;
    say(`${label}: ${value.median} MiB`);
    return { suite: "system", name: label, value, unit: "MiB", ...(goal !== undefined && { goal }), loaded: false };
  });
}
