/** Where the time of a whole step goes, kernel by kernel: what a workload's distance from its goal is made of. */
import { addUp, boundOf, type MachineLimits, rooflineShare, totalByName } from "../src/targets/roofline.ts";
import type { StepTiming } from "../src/targets/target.ts";
import { rounded } from "./statistics.ts";

/** Kernels of one name in a step. */
export interface KernelTime {
  readonly label: string;
  readonly count: number;
  readonly milliseconds: number;
  /** Part of the step's time in kernels. */
  readonly share: number;
  /** Share of the machine's limits, from the kernel's own FLOP and bytes. */
  readonly rooflineShare?: number;
  /** Which of the limits binds: arithmetic or traffic. */
  readonly bound?: "fma" | "mem";
}

/** A step's kernels; the times add up to `milliseconds`. */
export interface StepProfile {
  readonly suite: string;
  readonly workload: string;
  readonly batch: number;
  readonly milliseconds: number;
  readonly kernels: readonly KernelTime[];
}

/** Kernels that are shown on their own; the rest is one line. */
const shown = 12;

/** Sums the kernels of a step by name, the longest first. */
export function profileOf(steps: readonly StepTiming[], limits: MachineLimits | undefined) {
  const totals = totalByName(steps);
  const rest = totals.slice(shown);
  const lines = rest.length === 0 ? totals : [...totals.slice(0, shown), addUp("all others", rest)];
  const { milliseconds: total } = addUp("step", totals);
  const kernels = lines.map((line): KernelTime => {
    const { label, calls, milliseconds } = line;
    return {
      label,
      count: calls,
      milliseconds: rounded(milliseconds),
      share: rounded(milliseconds / total),
      ...(limits &&
        milliseconds > 0 && {
          rooflineShare: rounded(rooflineShare(line, milliseconds, limits)),
          bound: boundOf(line, limits),
        }),
    };
  });
  return { milliseconds: rounded(total), kernels };
}

/** The timing of a step whose whole time is in the middle, as that of the throughputs beside which it stands. */
export function typical(timings: readonly (readonly StepTiming[])[]): readonly StepTiming[] {
  const total = (steps: readonly StepTiming[]) => steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return [...timings].sort((left, right) => total(left) - total(right))[timings.length >> 1]!;
}
