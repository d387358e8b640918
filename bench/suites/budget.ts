import type { StepTiming } from "../../src/targets/target.ts";
import type { TimingOptions } from "../compare.ts";
import { figureGoals, nameAndGoal } from "../goals.ts";
import { isLoaded } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { rounded, summarize } from "../statistics.ts";
import { profileOf, type StepProfile, typical } from "../step-profile.ts";
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

/** Each contraction's speed inside the training step, as a share of the FMA peak measured between the rounds; a process of its own each round. */
export async function runBudget(options: BudgetOptions): Promise<{ figures: Figure[]; profiles: StepProfile[] }> {
  const { rounds, threads, limits, say } = options;
  let loaded = false;
  const timings: (readonly StepTiming[])[] = [];
  const times = new Map<string, number[]>(kernels.map(({ label }) => [label, []]));
  for (let round = 0; round < rounds; round++) {
    await limits.measure();
    loaded = (await isLoaded()) || loaded;
    // where the system places a process's memory decides how fast it is written, for the whole life of the process
    const worker = new WorkerProcess("trivium", threads);
    try {
      await worker.setup({ workload: "seeds-cnn", batch, setting: "default", warmup: 60 });
      for (let repeat = 0; repeat < 20; repeat++) {
        const steps = await worker.profile();
        timings.push(steps);
        for (const { label } of kernels) {
          const time = timeOf(steps, label);
          if (time === undefined)
            say(`kernels: the step has no kernel ${label}; it has ${steps.map((step) => step.label).join(", ")}`);
          else times.get(label)!.push(time);
        }
      }
    } finally {
      worker.close();
    }
  }
  const peak = limits.limits?.fmaPeak;
  if (peak === undefined) return { figures: [], profiles: [] };
  const figures = kernels.flatMap(({ goal, label, flops }): Figure[] => {
    const measured = times.get(label)!;
    if (measured.length === 0) return [];
    const speed = summarize(measured.map((milliseconds) => flops / milliseconds / 1e6));
    const share = {
      median: rounded(speed.median / peak),
      min: rounded(speed.min / peak),
      max: rounded(speed.max / peak),
    };
    say(`${goal.name}: ${speed.median} GFLOP/s, ${(100 * share.median).toFixed(0)} % of the peak`);
    return [
      {
        ...nameAndGoal(goal),
        value: share,
        unit: `of ${peak} GFLOP/s`,
        loaded,
      },
    ];
  });
  const head = { suite: "kernels", workload: "seeds-cnn", batch };
  return { figures, profiles: [{ ...head, ...profileOf(typical(timings), limits.limits) }] };
}
