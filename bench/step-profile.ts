/** Where the time of a whole step goes, kernel by kernel: what a workload's distance from its goal is made of. */
import { addUp, type MachineLimits, rooflineShare, totalByName } from "../src/targets/roofline.ts";
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
      ...(limits && milliseconds > 0 && { rooflineShare: rounded(rooflineShare(line, milliseconds, limits)) }),
    };
  });
  return { milliseconds: rounded(total), kernels };
}

/** The fastest of several timings of a step: noise only ever adds. */
export function fastest(timings: readonly (readonly StepTiming[])[]): readonly StepTiming[] {
  const total = (steps: readonly StepTiming[]) => steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return timings.reduce((best, steps) => (total(steps) < total(best) ? steps : best));
}
