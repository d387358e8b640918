/** What each kernel may take if a whole step is to reach its goal. */
import type { Row } from "./rows.ts";
import { rounded } from "./statistics.ts";
import type { KernelTime, StepProfile } from "./step-profile.ts";

/** One line of a budget: a kernel, or what a step takes outside of them. */
export interface BudgetLine extends Pick<KernelTime, "label" | "rooflineShare" | "bound"> {
  readonly count?: number;
  readonly milliseconds: number;
  readonly budget: number;
}

/** The lines' times add up to `milliseconds`, their budgets to `goal`. */
export interface StepBudget {
  readonly milliseconds: number;
  readonly goal: number;
  /** The share of the machine's limits at which every kernel keeps its budget. */
  readonly share: number;
  readonly lines: readonly BudgetLine[];
}

/**
 * Shares the time that a goal leaves among the kernels of a step so that each has the same distance from the machine's limits. What a step takes
 * outside of its kernels, and what the steps of the rounds took longer than the profiled one, are lines of their own that keep their time, unless the
 * kernels could not make up for it.
 */
export function budgetOf(profile: StepProfile, row: Row, least: number): StepBudget | undefined {
  if (row.trivium === undefined || row.ratio === undefined) return undefined;
  const timed = (1000 * row.batch) / row.trivium.median;
  const goal = (timed * row.ratio.median) / least;
  const inKernels = profile.kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const outside = Math.max(0, timed - inKernels);
  // an algorithm that needs less than the limits count (Winograd) has what it takes now
  const leastOf = ({ milliseconds, rooflineShare = 1 }: KernelTime) => milliseconds * Math.min(1, rooflineShare);
  const atLimits = profile.kernels.reduce((sum, kernel) => sum + leastOf(kernel), 0);
  const fits = goal - outside >= atLimits;
  const scale = fits ? (goal - outside) / atLimits : goal / (atLimits + outside);
  const kernels = profile.kernels.map((kernel): BudgetLine => {
    const { label, count, milliseconds, rooflineShare, bound } = kernel;
    return {
      ...{ label, count, milliseconds, budget: rounded(leastOf(kernel) * scale) },
      ...(rooflineShare !== undefined && { rooflineShare }),
      ...(bound !== undefined && { bound }),
    };
  });
  const beside = Math.min(outside, profile.outside ?? 0);
  const others = [
    { label: "beside kernels: the step's JavaScript, threads that meet", milliseconds: beside },
    { label: "other steps of the rounds, slower than the profiled one", milliseconds: outside - beside },
  ].flatMap(({ label, milliseconds }): BudgetLine[] =>
    milliseconds > 0
      ? [{ label, milliseconds: rounded(milliseconds), budget: rounded(fits ? milliseconds : milliseconds * scale) }]
      : [],
  );
  return {
    milliseconds: rounded(inKernels + outside),
    goal: rounded(goal),
    share: rounded(1 / scale),
    lines: [...kernels, ...others],
  };
}
