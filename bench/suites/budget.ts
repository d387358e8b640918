import type { StepTiming } from "../../src/targets/target.ts";
import type { TimingOptions } from "../compare.ts";
import { figureGoals, nameAndGoal } from "../goals.ts";
import { isLoaded } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { summarize } from "../statistics.ts";
import { profileOf, type StepProfile, type TimedStep, typical } from "../step-profile.ts";
import { WorkerProcess } from "../worker-process.ts";

/** What the budget of the training step is asked to do. */
export type BudgetOptions = Pick<TimingOptions, "rounds" | "threads" | "limits" | "say">;

const batch = 128;
const convolutionFlops = 2 * batch * 24 * 24 * 3 * 3 * 32 * 64;
const denseFlops = 2 * batch * 9216 * 1024;

/** The contractions that goals name, by the label of their kernel in the training step at batch 128. */
const kernels = [
  { goal: figureGoals.convolutionForward, label: "conv2d_forward_26x26x32_64", flops: convolutionFlops },
  {
    goal: figureGoals.convolutionInputGradient,
    label: "conv2d_input_gradient_24x24x64_32",
    flops: convolutionFlops,
  },
  {
    goal: figureGoals.convolutionWeightGradient,
    label: "conv2d_weight_gradient_26x26x32_64",
    flops: convolutionFlops,
  },
  { goal: figureGoals.denseForward, label: "matmul_128x9216x1024", flops: denseFlops },
  { goal: figureGoals.denseInputGradient, label: "matmul_128x1024x9216", flops: denseFlops },
  { goal: figureGoals.denseWeightGradient, label: "matmul_9216x128x1024", flops: denseFlops },
] as const;

/** Time of a kernel with what was packed for it just before and summed up for it just after. */
function timeOf(steps: readonly StepTiming[], label: string): number | undefined {
  const at = steps.findIndex((step) => step.label === label || step.label === `${label}_winograd`);
  if (at < 0) return undefined;
  let first = at;
  while (first > 0 && steps[first - 1]!.label.startsWith("pack_")) first--;
  let last = at;
  while (steps[last + 1]?.label.startsWith("sum_") === true) last++;
  return steps.slice(first, last + 1).reduce((sum, step) => sum + step.milliseconds, 0);
}

/**
 * Each contraction's speed inside the training step, as a share of the FMA peak measured just before: clocks drift from round to round, for both alike. A
 * process of its own each round.
 */
export async function runBudget(options: BudgetOptions): Promise<{ figures: Figure[]; profiles: StepProfile[] }> {
  const { rounds, threads, limits, say } = options;
  let loaded = false;
  const timings: TimedStep[] = [];
  const shares = new Map<string, number[]>(kernels.map(({ label }) => [label, []]));
  for (let round = 0; round < rounds; round++) {
    const peak = (await limits.measure())?.fmaPeak;
    if (peak === undefined) return { figures: [], profiles: [] };
    loaded = (await isLoaded()) || loaded;
    // where the system places a process's memory decides how fast it is written, for the whole life of the process
    const worker = new WorkerProcess("trivium", threads);
    try {
      await worker.setup({ workload: "seeds-cnn", batch, setting: "default", warmup: 60 });
      for (const step of await worker.profile(20)) {
        timings.push(step);
        for (const { label, flops } of kernels) {
          const time = timeOf(step.kernels, label);
          if (time === undefined)
            say(
              `kernels: the step has no kernel ${label}; it has ${step.kernels.map((kernel) => kernel.label).join(", ")}`,
            );
          else shares.get(label)!.push(flops / time / 1e6 / peak);
        }
      }
    } finally {
      worker.close();
    }
  }
  const figures = kernels.flatMap(({ goal, label }): Figure[] => {
    const measured = shares.get(label)!;
    if (measured.length === 0) return [];
    const value = summarize(measured);
    say(`${goal.name}: ${(100 * value.median).toFixed(0)} % of the peak`);
    return [{ ...nameAndGoal(goal), value, unit: "of the peak in its round", loaded }];
  });
  const head = { suite: "kernels", workload: "seeds-cnn", batch };
  return { figures, profiles: [{ ...head, ...profileOf(typical(timings), limits.limits) }] };
}
