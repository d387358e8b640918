/** Reductions with lanes along the last kept axis: rows are added up vector by vector, even and odd rows apart. */
import type { IntOperand, VectorRegister } from "../../kernel/ir.ts";
import type { Lanes } from "../emit-memory.ts";
import { countCalls, type LoopBody } from "./body.ts";
import { emitTaskPositions, Pointers, splitTasks } from "./nest.ts";
import { ReductionEmitter } from "./reduction-emitter.ts";

/**
 * Vectors of a tile over all its reductions. Of long rows a tile takes more, as far as registers go: reading a few lines of each row and then leaving
 * it is what memory does worst. Of short ones it takes few, which leaves tasks enough to share.
 */
function vectorsWide({ machine, members }: LoopBody, length: number): number {
  if (machine.vectorRegisters < 32) return 2;
  return length >= 4096 && countCalls(members.map((member) => member.expression)) <= 4 ? 12 : 4;
}

export class LanesAlongKept extends ReductionEmitter {
  /** Emits the kernel's body and returns the number of tasks. */
  emit(): number {
    const { k, plan, body } = this;
    const { extents, keptAxes, reducedAxes, laneAxis, long } = plan;
    const reductions = body.members.filter((member) => member.combine).length;
    const length = extents[laneAxis];
    const wide = vectorsWide(body, length);
    const vectors = Math.max(1, Math.min(Math.floor(wide / reductions), Math.ceil(length / 16)));
    const points = reducedAxes.reduce((size, axis) => size * extents[axis], 1);
    const outerKept = keptAxes.filter((axis) => axis !== laneAxis);
    const tiles = Math.ceil(length / (16 * vectors));
    const order = [...(long ? [long.blocks] : []), ...outerKept.map((axis) => extents[axis]), tiles];
    const perTile = (long ? points / long.blocks : points) * 16 * vectors;
    const split = splitTasks(order, order.length, perTile, 16384);
    const task = emitTaskPositions(k, order, split);
    this.prepare();
    const firstKept = long ? 1 : 0;
    let block: IntOperand | undefined;
    const walk = (level: number, pointers: Pointers): void => {
      const inTask = level < split.axis;
      const [start, end] = level === split.axis ? [task.start, task.end] : [0, order[level]];
      const enter = (position: IntOperand): void => {
        if (level < firstKept) {
          block = position;
          walk(level + 1, pointers);
        } else {
          const axis = outerKept[level - firstKept];
          this.positions[axis] = position;
          walk(level + 1, pointers.at(axis, position));
        }
      };
      if (level < order.length - 1) {
        if (inTask) enter(task.outer[level]);
        else if (start === 0 && end === 1) enter(0);
        else k.loop(start, end, 1, enter);
        return;
      }
      const whole = Math.floor(length / (16 * vectors));
      const bound =
        typeof end === "number" ? Math.min(end, whole) : whole < tiles ? k.intBinary("min", end, whole) : end;
      if (whole > 0)
        k.loop(start, bound, 1, (tile) => this.tile(pointers, k.mul(tile, 16 * vectors), vectors, 16, block));
      if (whole < tiles) {
        const first = whole * 16 * vectors;
        const count = Math.ceil((length - first) / 16);
        const last = (): void => this.tile(pointers, first, count, length - first - 16 * (count - 1), block);
        if (typeof end === "number") last();
        else k.if(k.compare("gt", end, whole), last);
      }
    };
    walk(0, Pointers.start(k, plan.operands));
    return split.tasks;
  }

  /** `vectors` vectors along the kept lane axis, the last one with `lastLanes` lanes. */
  private tile(
    pointers: Pointers,
    first: IntOperand,
    vectors: number,
    lastLanes: number,
    block: IntOperand | undefined,
  ): void {
    const { k, plan, body } = this;
    const { reducedAxes, laneAxis, flat, extents, long } = plan;
    const positional = body.members.some((member) => member.combine === "argmax" || member.combine === "argmin");
    const inner = reducedAxes[reducedAxes.length - 1];
    // Even and odd rows accumulate apart.
    const rows = positional || inner === undefined || extents[inner] < 2 ? 1 : 2;
    const lanesOf = (vector: number): Lanes => (vector === vectors - 1 && lastLanes < 16 ? { lanes: lastLanes } : {});
    const groups = Array.from({ length: vectors }, () => this.startReductions(rows));
    const moved = pointers.at(laneAxis, first);
    const rowAt = (pointers: Pointers, copy: number): void => {
      const scope = this.rowScope(pointers);
      for (let vector = 0; vector < vectors; vector++) {
        const here = this.vectorScope(scope, pointers, 0, 16 * vector, lanesOf(vector), first);
        for (const { member, combiner, accumulators } of groups[vector]) {
          const { expression } = body.members[member];
          const element = combiner.prepare(k, here.emit(expression), expression.dtype);
          const at = combiner.positional ? this.flatPosition(-1, 0, 0, flat, undefined) : undefined;
          combiner.step(k, accumulators[copy], element, at);
        }
      }
    };
    const walk = (index: number, pointers: Pointers): void => {
      if (index === reducedAxes.length) {
        rowAt(pointers, 0);
        return;
      }
      const axis = reducedAxes[index];
      const enter = (position: IntOperand, copy: number): void => {
        this.positions[axis] = position;
        const there = pointers.at(axis, position);
        if (index === reducedAxes.length - 1) rowAt(there, copy);
        else walk(index + 1, there);
      };
      const [start, end] = this.blockRange(axis, block);
      if (axis !== inner || rows === 1) {
        k.loop(start, end, 1, (position) => enter(position, 0));
        return;
      }
      const length = extents[axis];
      const main = length - (length % 2);
      const blocked = long?.axis === axis;
      if (blocked && long.block === 1) {
        k.loop(start, end, 1, (position) => enter(position, 0));
        return;
      }
      const bound = typeof end === "number" ? Math.min(end, main) : main < length ? k.intBinary("min", end, main) : end;
      k.loop(start, bound, 2, (position) => {
        enter(position, 0);
        enter(k.add(position, 1), 1);
      });
      if (main < length) {
        if (typeof end === "number") enter(main, 0);
        else k.if(k.compare("ge", end, length), () => enter(main, 0));
      }
    };
    walk(0, moved);
    for (let vector = 0; vector < vectors; vector++) {
      const results = new Map<number, VectorRegister>();
      for (const { member, combiner, accumulators } of groups[vector]) {
        if (accumulators.length > 1) combiner.step(k, accumulators[0], accumulators[1].value);
        results.set(member, combiner.finish(k, combiner.result(accumulators[0])));
      }
      this.finish(moved, results, first, 0, 16 * vector, lanesOf(vector), block, long ? 2 : 0);
    }
  }
}
