import { ArgumentError } from "../../src/errors.ts";
import type { MachineLimits } from "../../src/targets/roofline.ts";
import type { NetworkWorkload, PeerName } from "../catalogue.ts";
import { compare, type Outcome, type TimingOptions } from "../compare.ts";
import { workOfStep } from "../flop-table.ts";
import { Oracle } from "../oracle.ts";
import { type LeftOut, type Row, rowsOf } from "../rows.ts";
import { profileOf, type StepProfile, typicalOfRounds } from "../step-profile.ts";
import { WorkerProcess } from "../worker-process.ts";

/** What the suites of networks (train, infer) are asked to do. */
export interface NetworkOptions extends TimingOptions {
  readonly peers: readonly PeerName[];
  readonly trivium: boolean;
  readonly workloads: readonly NetworkWorkload[];
  /** Batch sizes to keep to; each workload's own otherwise. */
  readonly batches?: readonly number[];
}

/** Logits may differ by what summation order does in f32; losses of a third step by what two updates make of that. */
const tolerances = { infer: 1e-4, train: 5e-4 } as const;

/** Steps timed kernel by kernel after each round. */
const profiledSteps = 5;

/** What the suites of networks find out. */
export interface NetworkFindings {
  readonly rows: Row[];
  readonly profiles: StepProfile[];
  readonly leftOut: LeftOut[];
  readonly versions: Readonly<Record<string, string>>;
}

/** Time per kernel of this framework's step, as it was in the rounds. */
function profilesOf({ comparison, contestants }: Outcome, limits: MachineLimits | undefined): StepProfile[] {
  const { suite, workload, batch } = comparison;
  return contestants.flatMap(({ throughputs, profiles }) =>
    profiles?.length ? [{ suite, workload, batch, ...profileOf(typicalOfRounds(throughputs, profiles), limits) }] : [],
  );
}

/** Networks against peers, one after the other; a network's contenders are fresh processes. */
export async function runNetworks(suite: "train" | "infer", options: NetworkOptions): Promise<NetworkFindings> {
  const { limits, say, threads } = options;
  const versions: Record<string, string> = {};
  const outcomes: Outcome[] = [];
  const sizes = new Set(options.workloads.flatMap(({ batches }) => batches));
  if (options.batches?.every((size) => !sizes.has(size))) {
    throw new ArgumentError(
      `--batches ${options.batches.join()}: the workloads of ${suite} that were chosen have ${[...sizes].join(", ")}.`,
    );
  }
  for (const { name, batches, unit, settings, peerBatches, tolerance = tolerances[suite] } of options.workloads) {
    const peers = options.peers.filter((peer) => settings[peer] !== undefined);
    for (const peer of options.peers) if (!peers.includes(peer)) say(`${name}: not written for ${peer}, left out`);
    const names = [...(options.trivium ? ["trivium"] : []), ...peers];
    const workers: WorkerProcess[] = [];
    const oracle = new Oracle();
    try {
      // a peer that cannot be started ends the others too
      for (const contender of names) workers.push(new WorkerProcess(contender, threads));
      for (const worker of workers) Object.assign(versions, await worker.versions());
      for (const batch of batches.filter((size) => options.batches?.includes(size) ?? true)) {
        await limits.measure();
        const work = workOfStep(name, batch, suite === "train");
        const common = { suite, workload: name, batch, unit, unitsPerStep: batch, profiledSteps, settings };
        const task = { ...common, tolerance, ...(work !== undefined && { work }) };
        const taking = workers.filter((worker) => peerBatches?.[worker.name as PeerName]?.includes(batch) ?? true);
        for (const { name: left } of workers.filter((worker) => !taking.includes(worker))) {
          say(`${name} batch ${batch}: too long for ${left}, left out`);
        }
        outcomes.push(await compare({ workers: taking, oracle }, task, options));
      }
    } finally {
      for (const each of [...workers, oracle]) each.close();
    }
  }
  await limits.measure();
  const rows = outcomes.flatMap(({ comparison, contestants }) => rowsOf(comparison, contestants, limits.limits));
  const profiles = outcomes.flatMap((outcome) => profilesOf(outcome, limits.limits));
  return { rows, profiles, leftOut: outcomes.flatMap(({ leftOut }) => leftOut), versions };
}
