import type { KernelWorkload, PeerName } from "../catalogue.ts";
import type { TimingOptions } from "../compare.ts";
import type { Figure, Row } from "../rows.ts";
import { runBudget } from "./budget.ts";

/** What the kernels suite is asked to do. */
export interface KernelOptions extends TimingOptions {
  readonly peers: readonly PeerName[];
  readonly trivium: boolean;
  readonly groups: readonly KernelWorkload[];
}

/** Single operations as shares of the machine's limits, and the contractions of the seeds' training step as they run inside it. */
export async function runKernels(options: KernelOptions): Promise<{ rows: Row[]; figures: Figure[] }> {
  const figures = options.groups.includes("budget") ? await runBudget(options) : [];
  return { rows: [], figures };
}
