/** The plan as text: kernels in order with what was fused and why, what each moves, and the arena map. */
import { type GroupGraph, keptExtents } from "./groups.ts";
import type { Preparation } from "./plan.ts";
import type { Storage, Storing, Unit } from "./storage.ts";
import type { Lowering } from "./strategy.ts";

export interface ExplainedUnit {
  readonly unit: Unit;
  readonly lowering: Lowering;
  readonly operands: readonly Storage[];
  readonly temporaries: readonly Storage[];
}

export function explain(
  state: GroupGraph,
  storing: Storing,
  units: readonly ExplainedUnit[],
  arena: readonly Storage[],
  arenaBytes: number,
  preparations: readonly Preparation[],
): string {
  const steps = units.reduce((count, { lowering }) => count + lowering.steps.length, 0);
  const groups = units.filter(({ unit }) => unit.kind !== "group" || unit.group.members.length > 0).length;
  const lines = [
    `${state.graph.values.length} values in ${groups} groups, ${steps} kernels, arena ${megabytes(arenaBytes)}`,
  ];
  units.forEach(({ unit, lowering, operands, temporaries }, position) => {
    if (unit.kind === "group" && unit.group.members.length === 0) return;
    lines.push(`${String(position).padStart(3)}  ${describe(state, unit)}`);
    const buffers = operands.map((storage) => place(storage)).join(", ");
    if (buffers) lines.push(`       buffers ${buffers}`);
    if (temporaries.length > 0)
      lines.push(`       temporaries ${temporaries.map((storage) => place(storage)).join(", ")}`);
    for (const line of lowering.summary ?? []) lines.push(`       ${line}`);
    for (const { kernel, tasks, flops, bytes } of lowering.summary ? [] : lowering.steps) {
      lines.push(
        `       kernel ${kernel.name}: ${tasks} tasks, ${megabytes(bytes)}, ${(flops / 1e6).toFixed(3)} Mflop`,
      );
    }
    if (unit.kind === "group") {
      for (const note of unit.group.notes) lines.push(`       ${note}`);
      for (const { value } of unit.group.members) {
        const reason = state.roots.reasons.get(value);
        if (reason) lines.push(`       ${state.graph.values[value].opName} is computed here: ${reason}`);
      }
    }
  });
  for (const note of storing.notes) lines.push(note);
  if (preparations.length > 0) {
    const kernels = preparations.reduce((count, preparation) => count + preparation.steps.length, 0);
    const bytes = preparations.reduce((sum, preparation) => sum + preparation.bytes, 0);
    lines.push(
      `results of ${kernels} kernels (${megabytes(bytes)}) depend on variables alone: kept while these stay the same`,
    );
  }
  lines.push("arena:");
  for (const storage of [...arena].sort((a, b) => a.byteOffset - b.byteOffset || a.from - b.from)) {
    lines.push(`  ${place(storage)} +${storage.bytes}: ${storage.label}, groups ${storage.from} to ${storage.to}`);
  }
  return lines.join("\n");
}

function describe(state: GroupGraph, unit: Unit): string {
  if (unit.kind === "guard") return `guard of ${state.graph.guards[unit.guard].opName}`;
  if (unit.kind === "copy") return `copy into output ${unit.output}`;
  const { group } = unit;
  const names = group.members.map(({ value }) => state.graph.values[value].opName).join(" + ");
  const space = `[${group.space.join("x")}]`;
  if (group.kind === "strategy") return `${names} ${space}`;
  if (group.reduceAxes.length === 0) return `pointwise ${names} over ${space}`;
  return `reduction ${names} over ${space} to [${keptExtents(group).join("x")}]`;
}

const place = (storage: Storage): string =>
  storage.kind === "arena" ? `arena@${storage.byteOffset}` : `${storage.kind}${storage.index}`;

function megabytes(bytes: number): string {
  return bytes >= 1e5 ? `${(bytes / 1e6).toFixed(2)} MB` : `${bytes} B`;
}
