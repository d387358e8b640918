/** Workloads of this framework by suite and name, with the weights and data that the peers get. */
import { UnsupportedError } from "../src/errors.ts";
import { kerasBatchStep, kerasFitLoop, torchLoopStep } from "./door-workloads.ts";
import { networkPart } from "./network-parts.ts";
import { dispatchWorkloads } from "./workloads/dispatch.ts";
import { inferenceNetworks } from "./workloads/inference.ts";
import { kerasNetworks } from "./workloads/keras-networks.ts";
import { kernelWorkload } from "./workloads/kernel-operations.ts";
import { seedsTrainingStep } from "./workloads/seeds-network.ts";
import type { Part, Workload } from "./workloads/step.ts";
import { torchNetworks } from "./workloads/torch-networks.ts";

export type { Loop, Step } from "./workloads/step.ts";

const training: Readonly<Record<string, Workload>> = {
  "seeds-cnn": { make: seedsTrainingStep },
  ...kerasNetworks,
  ...torchNetworks,
  "seeds-cnn-keras": { make: kerasBatchStep },
  "seeds-cnn-keras-fit": { make: kerasBatchStep, loop: kerasFitLoop },
  "seeds-cnn-torch": { make: (batch) => torchLoopStep(batch, false) },
  "seeds-cnn-torch-compiled": { make: (batch) => torchLoopStep(batch, true) },
};

/** The workload of a suite. */
export function findWorkload(suite: string, name: string): Workload {
  if (suite === "kernels") return kernelWorkload(name);
  const known = { infer: inferenceNetworks, system: dispatchWorkloads }[suite] ?? training;
  if (!Object.hasOwn(known, name)) throw new UnsupportedError(`bench: no workload "${name}" in ${suite}.`);
  return known[name]!;
}

/** The part of a workload that the f64 interpreter computes in seconds. */
export function findPart(suite: string, name: string, batch: number): Part {
  const { make, part } = findWorkload(suite, name);
  return part?.() ?? networkPart(suite === "infer" ? "infer" : "train", name, batch, (size) => make(size, false));
}
