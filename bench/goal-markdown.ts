/** The goals on the page: which are reached, and for those that are not where the time goes, which limit was hit and what was tried. */
import { type Finding, unmeasured } from "./goal-findings.ts";
import { titleOf } from "./goals.ts";
import { rangeOf, tableOf } from "./markdown-table.ts";
import { renderProfile } from "./profile-markdown.ts";

/** A table of all goals that were measured; with `complete` also those that were not. */
export function renderGoals(findings: readonly Finding[], complete: boolean): string[] {
  const missing = complete ? unmeasured(findings) : [];
  const count = findings.filter(({ reached }) => reached).length;
  const rows = findings.map((finding) => [
    finding.title,
    finding.asked,
    rangeOf(finding.found),
    finding.unit,
    finding.reached ? "reached" : "**not reached**",
    finding.loaded ? "loaded" : "",
  ]);
  return [
    `${count} of ${findings.length} goals that were measured are reached.`,
    ...["", tableOf(["goal", "asked", "measured", "unit", "", ""], rows)],
    ...(missing.length > 0 ? ["", `Not measured in these runs: ${missing.map(titleOf).join("; ")}.`] : []),
  ];
}

/** What follows a goal that is not reached; `withProfile` unless the same table has just been shown. */
export function renderShortfall(finding: Finding, notes: ReadonlyMap<string, string>, withProfile: boolean): string[] {
  const { title, asked, found, goal, row, profile } = finding;
  const heading = `### Not reached: ${title}: ${found.median}, asked ${asked}`;
  const held = row && goal.kind === "ratio" ? { row, least: goal.least } : undefined;
  const where = profile && withProfile ? ["", ...renderProfile(profile, held)] : [];
  return [heading, ...where, "", notes.get(title) ?? "Nothing is noted in bench/notes.md about this goal."];
}
