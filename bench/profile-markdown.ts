/** Where a step's time goes, as a table. */
import { percent, tableOf } from "./markdown-table.ts";
import type { Row } from "./rows.ts";
import { budgetOf } from "./step-budget.ts";
import type { KernelTime, StepProfile } from "./step-profile.ts";

const limits = { fma: "FMA", mem: "memory" } as const;

const shareText = (share: number | undefined) => (share === undefined ? "-" : percent(share));
const boundText = ({ bound }: Pick<KernelTime, "bound">) => (bound === undefined ? "-" : limits[bound]);

/** The kernels of a step; with a goal, what each may take to reach it. */
export function renderProfile(profile: StepProfile, goal?: { readonly row: Row; readonly least: number }): string[] {
  const budget = goal && budgetOf(profile, goal.row, goal.least);
  if (budget === undefined) {
    return [
      tableOf(
        ["kernel", "times", "ms", "part", "roofline", "limit"],
        profile.kernels.map((kernel) => [
          kernel.label,
          String(kernel.count),
          String(kernel.milliseconds),
          percent(kernel.share, 1),
          shareText(kernel.rooflineShare),
          boundText(kernel),
        ]),
      ),
    ];
  }
  const lines = budget.lines.map((line) => [
    line.label,
    String(line.count ?? ""),
    String(line.milliseconds),
    percent(line.milliseconds / budget.milliseconds, 1),
    shareText(line.rooflineShare),
    boundText(line),
    String(line.budget),
    line.milliseconds > line.budget ? "over" : "",
  ]);
  const sum = ["**whole step**", "", String(budget.milliseconds), "", "", "", String(budget.goal), ""];
  return [
    `The goal leaves ${budget.goal} ms for a step: every kernel at ${percent(budget.share)} of its limit.`,
    "",
    tableOf(["kernel", "times", "ms", "part", "roofline", "limit", "budget ms", ""], [...lines, sum]),
  ];
}
