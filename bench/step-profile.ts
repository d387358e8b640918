/** Where the time of a whole step goes, kernel by kernel: what a workload's distance from its goal is made of. */
import type { StepTiming } from "../src/targets/target.ts";
import type { MachineLimits } from "./machine.ts";
import { rooflineShare } from "./roofline.ts";
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

interface Sum {
  count: number;
  milliseconds: number;
  flops: number;
  bytes: number;
}

function add(sums: Map<string, Sum>, label: string, { count, milliseconds, flops, bytes }: Sum): void {
  const sum = sums.get(label) ?? { count: 0, milliseconds: 0, flops: 0, bytes: 0 };
  sum.count += count;
  sum.milliseconds += milliseconds;
  sum.flops += flops;
  sum.bytes += bytes;
  sums.set(label, sum);
}

/** Sums the kernels of a step by name, the longest first. */
export function profileOf(steps: readonly StepTiming[], limits: MachineLimits | undefined) {
  const byLabel = new Map<string, Sum>();
  for (const { label, milliseconds, flops, bytes } of steps) {
    add(byLabel, label, { count: 1, milliseconds, flops, bytes });
  }
  const sorted = [...byLabel].sort(([, left], [, right]) => right.milliseconds - left.milliseconds);
  const lines = new Map(sorted.slice(0, shown));
  for (const [, sum] of sorted.slice(shown)) add(lines, "all others", sum);
  const total = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const kernels = [...lines].map(([label, { count, milliseconds, flops, bytes }]): KernelTime => {
    const work = { flops, bytes };
    return {
      label,
      count,
      milliseconds: rounded(milliseconds),
      share: rounded(milliseconds / total),
      ...(limits && milliseconds > 0 && { rooflineShare: rooflineShare(work, 1000 / milliseconds, limits) }),
    };
  });
  return { milliseconds: rounded(total), kernels };
}

/** The fastest of several timings of a step: noise only ever adds. */
export function fastest(timings: readonly (readonly StepTiming[])[]): readonly StepTiming[] {
  const total = (steps: readonly StepTiming[]) => steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return timings.reduce((best, steps) => (total(steps) < total(best) ? steps : best));
}
