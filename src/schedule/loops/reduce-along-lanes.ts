/** Reductions with lanes along a reduced axis: four accumulators of 16 lanes, folded at the end. */
import type { IntOperand, VectorRegister } from "../../kernel/ir.ts";
import { emitTaskPositions, Pointers, splitTasks } from "./nest.ts";
import { ReductionEmitter } from "./reduction-emitter.ts";

export class LanesAlongReduced extends ReductionEmitter {
  /** Emits the kernel's body and returns the number of tasks. */
  emit(): number {
    const { k, plan } = this;
    const { extents, keptAxes, reducedAxes, long } = plan;
    const points = reducedAxes.reduce((size, axis) => size * extents[axis], 1);
    const order = keptAxes.map((axis) => extents[axis]);
    if (long) order.push(long.blocks);
    const split = splitTasks(order, order.length, long ? points / long.blocks : points, 16384);
    const task = emitTaskPositions(k, order.length > 0 ? order : [1], split);
    this.prepare();
    const unroll = this.unroll();
    const walk = (level: number, pointers: Pointers): void => {
      if (level >= order.length) {
        this.row(pointers, undefined, unroll);
        return;
      }
      const inTask = level < split.axis;
      const enter = (position: IntOperand): void => {
        if (level === keptAxes.length) this.row(pointers, position, unroll);
        else {
          this.positions[keptAxes[level]] = position;
          walk(level + 1, pointers.at(keptAxes[level], position));
        }
      };
      if (inTask) enter(task.outer[level]);
      else {
        const [start, end] = level === split.axis ? [task.start, task.end] : [0, order[level]];
        if (start === 0 && end === 1) enter(0);
        else k.loop(start, end, 1, enter);
      }
    };
    walk(0, Pointers.start(k, plan.operands));
    return split.tasks;
  }

  /** One kept position (and block): accumulate, fold, kept work on one lane. */
  private row(pointers: Pointers, block: IntOperand | undefined, unroll: number): void {
    const { k, plan, body } = this;
    const { extents, reducedAxes, laneAxis, long, flat } = plan;
    const reductions = this.startReductions(unroll);
    const length = extents[laneAxis];
    const loopAxes = reducedAxes.filter((axis) => axis !== laneAxis);
    const step = 16 * unroll;
    const walk = (index: number, pointers: Pointers): void => {
      if (index < loopAxes.length) {
        const axis = loopAxes[index];
        const [start, end] = this.blockRange(axis, block);
        k.loop(start, end, 1, (position) => {
          this.positions[axis] = position;
          walk(index + 1, pointers.at(axis, position));
        });
        return;
      }
      const scope = this.rowScope(pointers);
      const at = (position: IntOperand, copy: number, extra: number, lanes: number): void => {
        const here = this.vectorScope(scope, pointers, position, extra, lanes < 16 ? { lanes } : {});
        const inside = lanes < 16 ? k.binary("ilt", this.lanes.get(1), k.constant(lanes, "i32")) : undefined;
        let flatPosition: VectorRegister | undefined;
        for (const { member, combiner, accumulators } of reductions) {
          const { expression } = body.members[member];
          let element = combiner.prepare(k, here.emit(expression), expression.dtype);
          if (inside) element = k.select(inside, element, combiner.neutral(k));
          if (combiner.positional) {
            flatPosition ??= this.flatPosition(laneAxis, position, extra, flat, inside);
          }
          combiner.step(k, accumulators[copy], element, flatPosition);
        }
      };
      const main = length - (length % step);
      const [start, end] = this.blockRange(laneAxis, block);
      const dynamic = typeof end !== "number";
      if (main > 0) {
        const bound =
          typeof end === "number" ? Math.min(end, main) : main < length ? k.intBinary("min", end, main) : end;
        k.loop(start, bound, step, (position) => {
          for (let copy = 0; copy < unroll; copy++) at(position, copy, 16 * copy, 16);
        });
      }
      const rest = (): void => {
        for (let first = main, copy = 0; first < length; first += 16, copy++)
          at(first, copy, 0, Math.min(16, length - first));
      };
      if (main < length) {
        if (dynamic) k.if(k.compare("ge", end, length), rest);
        else rest();
      }
    };
    walk(0, pointers);
    const results = new Map<number, VectorRegister>();
    for (const { member, combiner, accumulators } of reductions) {
      // Pairs first: (0 + 1) + (2 + 3).
      for (let width = 1; width < accumulators.length; width *= 2) {
        for (let first = 0; first + width < accumulators.length; first += 2 * width)
          combiner.step(k, accumulators[first], accumulators[first + width].value);
      }
      const folded = combiner.fold(k, accumulators[0], () => this.memory!);
      results.set(member, combiner.finish(k, folded));
    }
    this.finish(pointers, results, undefined, 0, 0, { lanes: 1 }, block, long ? 1 : 0);
  }
}
