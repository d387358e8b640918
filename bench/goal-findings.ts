/** Goals held against what runs measured. */
import { type Goal, goals, keeps, type RatioGoal, titleOf } from "./goals.ts";
import type { Figure, Report, Row } from "./rows.ts";
import type { Summary } from "./statistics.ts";
import type { StepProfile } from "./step-profile.ts";

/** A goal that was measured. */
export interface Finding {
  readonly goal: Goal;
  readonly title: string;
  /** The bound, as text. */
  readonly asked: string;
  readonly found: Summary;
  readonly unit: string;
  readonly reached: boolean;
  readonly loaded: boolean;
  readonly heldTo?: "AVX2";
  /** Where the time of a step goes, where the goal is one of a whole step or of a kernel inside of one. */
  readonly profile?: StepProfile;
  /** The row that a ratio stands in. */
  readonly row?: Row;
  /** The run that measured it; no finding is made of two. */
  readonly report: Report;
}

const sameStep = (
  goal: RatioGoal,
  entry: { readonly suite: string; readonly workload: string; readonly batch: number },
) => entry.suite === goal.suite && entry.workload === goal.workload && entry.batch === goal.batch;

const one = (value: number): Summary => ({ median: value, min: value, max: value });

/** Threads that the goals are stated for. */
const statedThreads = 2;

/** The goal that a row is held against: ratios against the peer's better setting alone. */
function goalOfRow(row: Row): Exclude<Goal, { kind: "figure" }> | undefined {
  if (row.threads !== statedThreads) return undefined;
  for (const goal of goals) {
    if (goal.kind === "ratio" && row.better && row.peer === goal.peer && sameStep(goal, row)) return goal;
    const isKernel = goal.kind === "share" && row.suite === goal.suite && row.workload === goal.workload;
    if (isKernel && row.shape === goal.shape) return goal;
  }
  return undefined;
}

function findingOfRow(row: Row, report: Report): Finding | undefined {
  const goal = goalOfRow(row);
  if (goal === undefined) return undefined;
  const found = goal.kind === "ratio" ? row.ratio : row.rooflineShare !== undefined && one(row.rooflineShare);
  if (!found) return undefined;
  const stretch = goal.kind === "ratio" && goal.stretch !== undefined ? ` (stretch ${goal.stretch})` : "";
  const profile = goal.kind === "ratio" && report.profiles?.find((entry) => sameStep(goal, entry));
  return {
    ...{ goal, title: titleOf(goal), asked: `>= ${goal.least}${stretch}`, found, row, report },
    unit: goal.kind === "ratio" ? "times" : "share",
    reached: found.median >= goal.least,
    loaded: row.loaded,
    ...(row.heldTo !== undefined && { heldTo: row.heldTo }),
    ...(profile && { profile }),
  };
}

function findingOfFigure(figure: Figure, report: Report): Finding | undefined {
  const goal = goals.find((entry) => entry.kind === "figure" && entry.name === figure.name);
  // a bound that is stated here counts, whatever it was when the report was written
  const asked = (goal?.kind === "figure" ? goal.goal : undefined) ?? figure.goal;
  const reached = asked === undefined ? undefined : keeps(figure.value.median, asked);
  if (goal === undefined || asked === undefined || reached === undefined) return undefined;
  const held = report.machine["every contender"] !== undefined;
  // shares of single kernels are measured inside of a step
  const profile = goal.suite === "kernels" ? report.profiles?.find(({ suite }) => suite === goal.suite) : undefined;
  return {
    ...{ goal, title: figure.name, asked, found: figure.value, unit: figure.unit, reached, report },
    loaded: figure.loaded,
    ...(profile && { profile }),
    ...(held && { heldTo: "AVX2" as const }),
  };
}

/** What reports say about the goals, in the order of the goals; where a later report measured the same again, it counts. */
export function findingsOf(reports: readonly Report[]): Finding[] {
  const all = reports.flatMap((report) => [
    ...report.rows.flatMap((row) => findingOfRow(row, report) ?? []),
    ...report.figures.flatMap((figure) => findingOfFigure(figure, report) ?? []),
  ]);
  const latest = new Map(all.map((finding) => [`${finding.heldTo ?? ""} ${finding.title}`, finding]));
  const order = new Map(goals.map((goal, index) => [goal, index]));
  return [...latest.values()].sort((left, right) => order.get(left.goal)! - order.get(right.goal)!);
}

/** Goals of which the reports say nothing. */
export function unmeasured(findings: readonly Finding[]): Goal[] {
  return goals.filter((goal) => !findings.some((finding) => finding.goal === goal));
}
