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
  /** What the step took beside its kernels: its own JavaScript, binding of inputs, threads that meet between kernels. */
  readonly outside?: number;
  readonly kernels: readonly KernelTime[];
}

/** One step, timed. */
export interface TimedStep {
  readonly kernels: readonly StepTiming[];
  /** From the call of the step to its result. */
  readonly milliseconds: number;
}

/** Kernels that are shown on their own; the rest is one line. */
const shown = 12;

/** Sums the kernels of a step by name, the longest first. */
export function profileOf(step: TimedStep, limits: MachineLimits | undefined) {
  const totals = totalByName(step.kernels);
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
  return { milliseconds: rounded(total), outside: rounded(Math.max(0, step.milliseconds - total)), kernels };
}

/** The step whose time is in the middle, as that of the throughputs beside which it stands. */
export function typical(steps: readonly TimedStep[]): TimedStep {
  return [...steps].sort((left, right) => left.milliseconds - right.milliseconds)[steps.length >> 1]!;
}

/** The typical step of the round whose throughput is in the middle: a machine that is slower for some seconds is so for both. */
export function typicalOfRounds(throughputs: readonly number[], steps: readonly (readonly TimedStep[])[]): TimedStep {
  const rounds = throughputs.map((_, round) => round).sort((left, right) => throughputs[left]! - throughputs[right]!);
  return typical(steps[rounds[rounds.length >> 1]!]!);
}
