import type { PeerName } from "../catalogue.ts";
import { figureGoals } from "../goals.ts";
import type { Figure } from "../rows.ts";
import { rounded, summarize } from "../statistics.ts";
import { WorkerProcess } from "../worker-process.ts";
import type { FigureOptions } from "./neighbour.ts";

const [workload, batch] = ["seeds-cnn", 512];
const mebibytes = (bytes: number) => rounded(bytes / 2 ** 20);

/**
 * What the seeds' training step needs: the engine's tracked bytes, and by how much each process grew while it ran its first steps. Bytes do not
 * depend on what else runs: these figures are never loaded.
 */
export async function runMemory(options: FigureOptions & { readonly peers: readonly PeerName[] }): Promise<Figure[]> {
  const { threads, say } = options;
  const measure = async (name: string, setting: string) => {
    const worker = new WorkerProcess(name, threads);
    try {
      const ready = await worker.setup({ workload, batch, setting, warmup: 0 });
      return ready.unavailable === undefined ? await worker.statistics() : undefined;
    } finally {
      worker.close();
    }
  };
  const figure = (name: string, bytes: number, goal?: string): Figure => {
    const value = summarize([mebibytes(bytes)]);
    say(`${name}: ${value.median} MiB`);
    return { suite: "system", name, value, unit: "MiB", ...(goal !== undefined && { goal }), loaded: false };
  };
  const prefix = `memory of the training step, batch ${batch}`;
  const own = (await measure("trivium", "default"))!;
  const peers: { readonly setting: string; readonly growth: number }[] = [];
  for (const setting of options.peers.includes("torch") ? ["default", "channels_last"] : []) {
    const growth = (await measure("torch", setting))?.growth;
    if (growth !== undefined) peers.push({ setting, growth });
  }
  const least = Math.min(...peers.map(({ growth }) => growth));
  const goal = peers.length > 0 ? `<= ${mebibytes(least)} (PyTorch's least growth)` : undefined;
  return [
    figure(figureGoals.engineBytes.name, own.trackedBytes!, goal),
    figure(`${prefix}: most resident growth of the process`, own.growth!),
    ...peers.map(({ setting, growth }) => figure(`${prefix}: PyTorch ${setting}, most resident growth`, growth)),
  ];
}
