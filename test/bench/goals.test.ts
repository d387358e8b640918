import { describe, expect, it } from "vitest";
import { inferWorkloads, trainWorkloads } from "../../bench/catalogue.ts";
import { findingsOf, unmeasured } from "../../bench/goal-findings.ts";
import { type FigureGoal, figureGoals, goals, keeps, titleOf } from "../../bench/goals.ts";
import { kernelCases } from "../../bench/kernel-cases.ts";
import { renderMarkdown } from "../../bench/markdown.ts";
import { parseNotes, readNotes } from "../../bench/notes.ts";
import type { Report, Row } from "../../bench/rows.ts";
import { budgetOf } from "../../bench/step-budget.ts";
import type { StepProfile } from "../../bench/step-profile.ts";

const one = (median: number) => ({ median, min: median, max: median });

/** Training of the seeds' network at batch 32: 10 ms a step. */
const row = (fields: Partial<Row>): Row => ({
  ...{ suite: "train", workload: "seeds-cnn", batch: 32, threads: 2, peer: "torch", setting: "default", better: true },
  ...{ trivium: one(3200), peerResult: one(1600), ratio: one(2), unit: "images/s", loaded: false },
  ...fields,
});
const profile: StepProfile = {
  ...{ suite: "train", workload: "seeds-cnn", batch: 32, milliseconds: 8, outside: 0.5 },
  kernels: [
    { label: "dense", count: 1, milliseconds: 5, share: 0.625, rooflineShare: 0.8, bound: "fma" },
    { label: "winograd", count: 1, milliseconds: 2, share: 0.25, rooflineShare: 2, bound: "fma" },
    { label: "pool", count: 2, milliseconds: 1, share: 0.125, rooflineShare: 0.5, bound: "mem" },
  ],
};
const report = (rows: readonly Row[], others: Partial<Report> = {}): Report => ({
  ...{ date: "2026-01-01", command: "npm run bench -- train", machine: {}, versions: {}, figures: [] },
  ...others,
  rows,
});
const scaling = (median: number) => ({
  ...{ suite: "system", name: figureGoals.scaling.name, goal: ">= 1.5", unit: "times", loaded: false },
  value: one(median),
});

describe("goals", () => {
  it("have names of their own and are about what there is", () => {
    expect(new Set(goals.map(titleOf)).size).toBe(goals.length);
    for (const goal of goals) {
      if (goal.kind === "ratio") {
        const all = goal.suite === "train" ? trainWorkloads : inferWorkloads;
        const workload = all.find(({ name }) => name === goal.workload);
        expect(workload?.batches, titleOf(goal)).toContain(goal.batch);
        expect(workload?.settings[goal.peer], titleOf(goal)).toBeDefined();
      } else if (goal.kind === "share") {
        const shapes = kernelCases.map(({ group, dims, form }) => `${group} ${dims.join("x")} ${form}`.trim());
        expect(shapes).toContain(`${goal.workload} ${goal.shape}`);
      }
    }
  });
  it("are bounds on one side", () => {
    expect(keeps(0.9, ">= 0.9")).toBe(true);
    expect(keeps(0.89, ">= 0.9")).toBe(false);
    expect(keeps(250, "<= 250 (more words)")).toBe(true);
    expect(keeps(251, "<= 250")).toBe(false);
    expect(keeps(1, "fast")).toBeUndefined();
  });
  it("are held against a peer's better setting alone", () => {
    const [finding, ...others] = findingsOf([
      report([row({ ratio: one(2) }), row({ setting: "slow", better: false, ratio: one(9) })]),
    ]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ asked: ">= 2.2", reached: false, found: one(2) });
  });
  it("are stated for two threads", () => {
    expect(findingsOf([report([row({ threads: 1 })])])).toEqual([]);
  });
  it("take kernels by their share of the limit", () => {
    const softmax = row({ suite: "kernels", workload: "softmax", shape: "4096x4096", batch: 4096, rooflineShare: 0.8 });
    expect(findingsOf([report([softmax])])).toMatchObject([{ reached: true, found: one(0.8), asked: ">= 0.75" }]);
  });
  it("count what was measured last, and the bound that is stated now", () => {
    const found = findingsOf([report([], { figures: [scaling(1.95)] }), report([], { figures: [scaling(1.8)] })]);
    expect(found).toMatchObject([{ found: one(1.8), asked: ">= 1.9", reached: false }]);
    expect(unmeasured(found)).toHaveLength(goals.length - 1);
  });
  it("have notes for nothing else", () => {
    const titles = goals.map(titleOf);
    for (const heading of readNotes().keys()) expect(titles).toContain(heading);
  });
});

describe("the budget of a step", () => {
  it("adds up to the goal, every kernel equally far from its limit", () => {
    const budget = budgetOf(profile, row({ ratio: one(2.5) }), 2)!;
    // 10 ms a step, and a goal of 2 where the ratio is 2.5
    expect(budget).toMatchObject({ milliseconds: 10, goal: 12.5 });
    expect(budget.lines.reduce((sum, { milliseconds }) => sum + milliseconds, 0)).toBeCloseTo(10);
    expect(budget.lines.reduce((sum, line) => sum + line.budget, 0)).toBeCloseTo(12.5, 2);
    const [dense, winograd, pool, beside, slower] = budget.lines;
    expect(beside).toMatchObject({ milliseconds: 0.5, budget: 0.5 });
    expect(slower).toMatchObject({ milliseconds: 1.5, budget: 1.5 });
    // at their limits: 4, 2 (as fast as it is) and 0.5 ms
    expect(dense!.budget / winograd!.budget).toBeCloseTo(2, 2);
    expect(dense!.budget / pool!.budget).toBeCloseTo(8, 2);
    expect(budget.share).toBeCloseTo(6.5 / 10.5, 3);
  });
  it("adds up where not even the limits would do", () => {
    const budget = budgetOf(profile, row({ ratio: one(1) }), 4)!;
    expect(budget.goal).toBe(2.5);
    expect(budget.share).toBeGreaterThan(1);
    expect(budget.lines.reduce((sum, line) => sum + line.budget, 0)).toBeCloseTo(2.5, 2);
  });
  it("is not made without a peer", () => {
    const { ratio, ...alone } = row({});
    expect(ratio).toBeDefined();
    expect(budgetOf(profile, alone, 2)).toBeUndefined();
  });
});

describe("the page about goals", () => {
  const notes = parseNotes(
    "# Head\n\nwords\n\n## train seeds-cnn, batch 32, against torch\n\n**Limit.** Memory.\n\n## other\n\nnothing\n",
  );
  it("follows a goal that is not reached by its profile and its note", () => {
    const page = renderMarkdown([report([row({})], { profiles: [profile] })], { notes });
    expect(page).toContain("0 of 1 goals that were measured are reached.");
    expect(page).toContain("### Not reached: train seeds-cnn, batch 32, against torch: 2, asked >= 2.2");
    expect(page).toContain("| dense | 1 | 5 | 50.0 % | 80 % | FMA |");
    expect(page).toMatch(/\*\*whole step\*\* \| {2}\| 10 \|.*\| 9\.091 \|/);
    expect(page).toContain("**Limit.** Memory.");
    expect(page).not.toContain("nothing\n");
    expect(page).toContain(">= 2.2: **not reached**");
    // its kernels stand beside the goal, and there alone
    expect(page).not.toContain("### Kernels:");
  });
  it("shows the step of single kernels once, however many of them fall short", () => {
    const figure = ({ suite, name, goal }: FigureGoal) => {
      return { suite, name, goal, value: one(0.5), unit: "of 500 GFLOP/s", loaded: false };
    };
    const figures = [figure(figureGoals.denseForward), figure(figureGoals.denseWeightGradient)];
    const page = renderMarkdown([report([], { figures, profiles: [{ ...profile, suite: "kernels" }] })]);
    expect(page.match(/### Not reached/g)).toHaveLength(2);
    expect(page.match(/\| dense \| 1 \| 5 \|/g)).toHaveLength(1);
  });
  it("says that a note is missing", () => {
    expect(renderMarkdown([report([row({})])])).toContain("Nothing is noted");
  });
  it("gives a reached goal its budget among the kernels", () => {
    const page = renderMarkdown([report([row({ ratio: one(3) })], { profiles: [profile] })], { notes });
    expect(page).toContain("1 of 1 goals that were measured are reached.");
    expect(page).not.toContain("### Not reached");
    expect(page).toContain("### Kernels: train seeds-cnn, batch 32: 8 ms\n\nThe goal leaves 13.64 ms for a step");
  });
  it("keeps runs that are held to AVX2 out of the count", () => {
    const page = renderMarkdown([report([row({ heldTo: "AVX2" })])], { notes });
    expect(page).not.toContain("## Goals");
    expect(page).toContain(">= 2.2: **not reached**");
  });
  it("names what no run measured, where it is the whole report", () => {
    const page = renderMarkdown([report([row({})])], { complete: true });
    expect(page).toMatch(/Not measured in these runs: train seeds-cnn, batch 128, against torch; .*production/);
  });
  it("lists settings that were left out, with the reason", () => {
    const reason = "RuntimeError: 5 | 6";
    const leftOut = [{ suite: "train", workload: "net", batch: 8, peer: "torch", setting: "compile", reason }];
    expect(renderMarkdown([report([], { leftOut })])).toContain(
      "| net | 8 | torch | compile | RuntimeError: 5 \\| 6 |",
    );
  });
});
