/** How much of a network's step the f64 interpreter computes in seconds. */
import { flopsPerExample } from "./flop-table.ts";
import type { Part, Step } from "./workloads/step.ts";

/** FLOP of a part at most, about. */
const affordable = 6e9;
/** Losses that are compared of a training step. */
const comparedSteps = 3;
/** Fewest examples: a network that normalises over the batch needs some to have a spread. */
const fewest = { train: 2, infer: 1 } as const;

/**
 * Inference: the first examples of the batch that is timed, since rows do not depend on each other. Training: as many examples as can be
 * afforded, as a batch of their own.
 */
export function networkPart(
  suite: "train" | "infer",
  name: string,
  batch: number,
  make: (batch: number) => Step,
): Part {
  const training = suite === "train";
  const flops = (flopsPerExample(name, training) ?? affordable) * (training ? comparedSteps : 1);
  const some = Math.min(batch, Math.max(fewest[suite], Math.floor(affordable / flops)));
  return {
    about: some === batch ? "whole" : training ? `a batch of ${some}` : `${some} of ${batch} examples`,
    make: () => make(some),
    ...(!training && { pick: (whole) => Array.prototype.slice.call(whole, 0, (whole.length / batch) * some) }),
  };
}
