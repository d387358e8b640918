/** When a row kernel computes what: one pass over the row per reduction that depends on another. */
import { type LoopBody, membersIn } from "./body.ts";

/** When each member is available: full and kept members in pass `stage` and later, reductions after pass `stage - 1`. */
export interface Stages {
  readonly stage: readonly number[];
  readonly passes: number;
  /** Full members that a later pass reads. */
  readonly stashed: readonly number[];
}

export function stagesOf(body: LoopBody): Stages {
  const stage: number[] = [];
  const pass: number[] = [];
  const stashed = new Set<number>();
  let passes = 0;
  body.members.forEach((member, index) => {
    const needs = membersIn(member.expression);
    const ready = needs.reduce((latest, other) => Math.max(latest, stage[other]), 0);
    pass[index] = ready;
    stage[index] = member.combine ? ready + 1 : ready;
    if (member.combine || (member.level === "full" && member.stores.length > 0)) passes = Math.max(passes, ready + 1);
  });
  body.members.forEach((member, index) => {
    if (member.level === "kept" && !member.combine) return;
    for (const other of membersIn(member.expression))
      if (body.members[other].level === "full" && stage[other] < pass[index]) stashed.add(other);
  });
  return { stage, passes, stashed: [...stashed] };
}
