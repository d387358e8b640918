import type { PeerName, SystemWorkload } from "../catalogue.ts";
import type { TimingOptions } from "../compare.ts";
import type { Figure } from "../rows.ts";
import { runCompileTime } from "./compile-time.ts";
import { runDependencies } from "./dependencies.ts";
import { runDispatch } from "./dispatch.ts";
import { runMemory } from "./memory.ts";
import { runNeighbour } from "./neighbour.ts";
import { runScaling } from "./scaling.ts";
import { runStartup } from "./startup.ts";
import { runSteady } from "./steady.ts";

/** What the system suite is asked to do. */
export interface SystemOptions extends TimingOptions {
  readonly peers: readonly PeerName[];
  readonly workloads: readonly SystemWorkload[];
  /** Length of the run that looks for drift. */
  readonly minutes: number;
}

const runners: Readonly<Record<SystemWorkload, (options: SystemOptions) => Promise<Figure[]>>> = {
  startup: runStartup,
  "compile-time": runCompileTime,
  memory: runMemory,
  dispatch: runDispatch,
  dependencies: runDependencies,
  scaling: runScaling,
  neighbour: runNeighbour,
  steady: runSteady,
};

/** Everything about a process rather than a kernel: one workload after the other. */
export async function runSystem(options: SystemOptions): Promise<{ figures: Figure[] }> {
  const figures: Figure[] = [];
  for (const peer of options.peers) if (peer !== "torch") options.say(`system: not written for ${peer}, left out`);
  for (const workload of options.workloads) figures.push(...(await runners[workload](options)));
  return { figures };
}
