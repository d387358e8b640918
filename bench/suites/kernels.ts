import type { KernelWorkload, PeerName } from "../catalogue.ts";
import { compare, type Outcome, type TimingOptions } from "../compare.ts";
import { type KernelCase, kernelCases, nameOf } from "../kernel-cases.ts";
import { Oracle } from "../oracle.ts";
import { type Figure, type LeftOut, type Row, rowsOf } from "../rows.ts";
import type { StepProfile } from "../step-profile.ts";
import { WorkerProcess } from "../worker-process.ts";
import { runBudget } from "./budget.ts";

/** What the kernels suite is asked to do. */
export interface KernelOptions extends TimingOptions {
  readonly peers: readonly PeerName[];
  readonly trivium: boolean;
  readonly groups: readonly KernelWorkload[];
}

/** A kernel's round is this part of a network's: there are hundreds of them, and each is far shorter. */
const roundShare = 1 / 5;
/** Kernels between two measurements of the limits. */
const between = 20;

function taskOf(entry: KernelCase, peers: readonly PeerName[]) {
  const { group, operation, dims, form, work, arithmetic, settings } = entry;
  const own = Object.fromEntries(peers.flatMap((peer) => (settings[peer] ? [[peer, settings[peer]]] : [])));
  return {
    suite: "kernels",
    workload: group === "convolution" ? operation : group,
    assignment: nameOf(entry),
    shape: [dims.join("x"), form].filter((part) => part !== "").join(" "),
    batch: dims[0]!,
    unit: arithmetic ? "GFLOP/s" : "GB/s",
    unitsPerStep: (arithmetic ? work.flops : work.bytes) / 1e9,
    work,
    settings: own,
    tolerance: 1e-4,
  };
}

async function runCases(options: KernelOptions) {
  const { limits, threads, groups } = options;
  const cases = kernelCases.filter(({ group }) => groups.includes(group));
  for (const peer of options.peers) {
    if (cases.every(({ settings }) => settings[peer] === undefined))
      options.say(`kernels: not written for ${peer}, left out`);
  }
  const peers = options.peers.filter((peer) => cases.some(({ settings }) => settings[peer] !== undefined));
  const versions: Record<string, string> = {};
  const outcomes: Outcome[] = [];
  const workers: WorkerProcess[] = [];
  const oracle = new Oracle();
  const timing = { ...options, roundSeconds: options.roundSeconds * roundShare };
  try {
    const names = [...(options.trivium ? ["trivium"] : []), ...peers];
    if (cases.length > 0) for (const name of names) workers.push(new WorkerProcess(name, threads));
    for (const worker of workers) Object.assign(versions, await worker.versions());
    for (const [index, entry] of cases.entries()) {
      if (index % between === 0) await limits.measure();
      const task = taskOf(entry, peers);
      const taking = workers.filter(({ name }) => name === "trivium" || task.settings[name] !== undefined);
      if (taking.length > 0) outcomes.push(await compare({ workers: taking, oracle }, task, timing));
      for (const worker of taking) await worker.forget();
    }
  } finally {
    for (const each of [...workers, oracle]) each.close();
  }
  if (cases.length > 0) await limits.measure();
  return { outcomes, versions };
}

/** Single operations as shares of the machine's limits, and the contractions of the seeds' training step as they run inside it. */
export async function runKernels(options: KernelOptions): Promise<{
  rows: Row[];
  figures: Figure[];
  profiles: StepProfile[];
  leftOut: LeftOut[];
  versions: Record<string, string>;
}> {
  const budget = options.trivium && options.groups.includes("budget") ? await runBudget(options) : undefined;
  const { outcomes, versions } = await runCases(options);
  const rows = outcomes.flatMap(({ comparison, contestants }) =>
    rowsOf(comparison, contestants, options.limits.limits),
  );
  return { rows, figures: [], profiles: [], ...budget, leftOut: outcomes.flatMap(({ leftOut }) => leftOut), versions };
}
