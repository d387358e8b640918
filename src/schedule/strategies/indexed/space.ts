/** Walks an iteration space 16 lanes at a time, tasks over its outer axes: the frame of every kernel here that visits each result once. */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand } from "../../../kernel/ir.ts";
import type { Lanes } from "../../emit-memory.ts";
import { emitTaskPositions, type Operand, Pointers, splitTasks } from "../../loops/nest.ts";

const grain = 8192;

/** Number of tasks that `emitSpace` cuts a space into. */
export function spaceTasks(extents: readonly number[]): number {
  return splitTasks(extents, extents.length, 1, grain, 16).tasks;
}

/**
 * Emits loops over `extents` (at least one axis, none of them 0). `enterRow` is called where all axes but the last are fixed, with pointers to the
 * operands there, and returns what to do with 16 lanes (fewer at the end) from a position along the last axis.
 */
export function emitSpace(
  k: KernelBuilder,
  extents: readonly number[],
  operands: readonly Operand[],
  enterRow: (pointers: Pointers, outer: readonly IntOperand[]) => (position: IntOperand, lanes: Lanes) => void,
): void {
  const split = splitTasks(extents, extents.length, 1, grain, 16);
  const inner = extents.length - 1;
  const length = extents[inner];
  const main = length - (length % 16);
  const task = emitTaskPositions(k, extents, split);
  const positions: IntOperand[] = [];
  let pointers = Pointers.start(k, operands);
  for (let axis = 0; axis < split.axis; axis++) {
    positions.push(task.outer[axis]);
    pointers = pointers.at(axis, task.outer[axis]);
  }
  const row = (at: Pointers): void => {
    const visit = enterRow(at, positions.slice(0, inner));
    const blocked = split.axis === inner && split.blocks > 1;
    const start = blocked ? task.start : 0;
    const end = !blocked || typeof task.end === "number" ? main : k.intBinary("min", task.end, main);
    if (main > 0) k.loop(start, end, 16, (position) => visit(position, {}));
    if (main === length) return;
    const rest = (): void => visit(main, { lanes: length - main });
    if (blocked && typeof task.end !== "number") k.if(k.compare("ge", task.end, length), rest);
    else rest();
  };
  const walk = (axis: number, at: Pointers): void => {
    if (axis === inner) {
      row(at);
      return;
    }
    const [start, end] = axis === split.axis ? [task.start, task.end] : [0, extents[axis]];
    k.loop(start, end, 1, (position) => {
      positions[axis] = position;
      walk(axis + 1, at.at(axis, position));
    });
  };
  walk(split.axis, pointers);
}
