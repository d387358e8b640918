/**
 * Code for reductions that read their elements once: several reductions over the same axes, with elementwise work before and after.
 *
 * Lanes run along a reduced axis (folded at the end) or along the last kept axis. Long reductions run in fixed blocks, whose partial
 * results a second step combines. Which way is taken, and every order of combination, follows from shapes and strides alone.
 */
import { InternalError } from "../../errors.ts";
import { bytesPerElement } from "../../graph/dtype.ts";
import { sizeOf, stridesOf } from "../../graph/shape.ts";
import { KernelBuilder } from "../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../kernel/ir.ts";
import { type ScalarExpression, scalarInput } from "../../kernel/scalar.ts";
import { ExpressionScope, hoistConstants } from "../emit-expression.ts";
import { type Lanes, storeLanes } from "../emit-memory.ts";
import type { LoweredStep, Lowering, StepArgument } from "../strategy.ts";
import { countCalls, keptLoadBase, type LoopBody, type LoopMember, memberBase, usedAxes } from "./body.ts";
import { collapse } from "./collapse.ts";
import { type Accumulator, Combiner } from "./combine.ts";
import { emitTaskPositions, loadGuarded, type Operand, Pointers, StrideLanes, splitTasks } from "./nest.ts";

const kept = 0;
const reduced = 1;

/** Elements per lane-wise block of a long reduction, and the length from which one is cut. */
const innerBlock = 8192;
const innerLong = 32768;
/** The same in rows, where lanes run along a kept axis. */
const outerBlock = 128;
const outerLong = 512;

/** Lowers a body whose members are reductions of expressions of loads, and kept work on their results. */
export function lowerReduction(body: LoopBody): Lowering {
  const operands = Array.from({ length: body.argumentCount }, (_, index): StepArgument => ({ kind: "operand", index }));
  const whole = planReduction(body);
  if (!whole.long) return { steps: [reductionStep(body, whole, operands)], temporaries: [] };

  // First step: one partial result per block; second step: the same reductions over the blocks, then the kept work.
  const reductions = body.members.filter((member) => member.combine);
  const partial: LoopBody = {
    ...body,
    name: `${body.name}_blocks`,
    members: reductions.map((member, index) => ({ ...member, stores: [{ argument: body.argumentCount + index }] })),
    keptLoads: [],
    argumentCount: body.argumentCount + reductions.length,
  };
  const first = planReduction(partial);
  if (!first.long) throw new InternalError(`${body.name}: the blocks of a long reduction depend on its kept work`);
  const { blocks } = first.long;
  const keptExtents = body.extents.filter((_, axis) => !body.reduceAxes.includes(axis));
  const extents = first.lanesReduced ? [...keptExtents, blocks] : [blocks, ...keptExtents];
  let number = 0;
  const combined: LoopBody = {
    ...body,
    name: `${body.name}_combine`,
    extents,
    reduceAxes: [first.lanesReduced ? keptExtents.length : 0],
    fullLoads: reductions.map((member, index) => ({
      argument: body.argumentCount + index,
      dtype: member.dtype,
      offset: 0,
      strides: stridesOf(extents),
    })),
    members: body.members.map((member) =>
      member.combine ? { ...member, expression: scalarInput(number++, member.dtype) } : member,
    ),
    argumentCount: body.argumentCount + reductions.length,
  };
  const all = [...operands, ...reductions.map((_, index): StepArgument => ({ kind: "temporary", index }))];
  return {
    steps: [reductionStep(partial, first, all), reductionStep(combined, planReduction(combined, false), all)],
    temporaries: reductions.map((member) => sizeOf(extents) * bytesPerElement[member.dtype]),
  };
}

/** The collapsed space: full loads, then kept loads, then stores, then the flat position in the reduced axes. */
interface ReductionPlan {
  readonly extents: readonly number[];
  readonly kinds: readonly number[];
  readonly axisOf: readonly number[];
  readonly operands: readonly Operand[];
  readonly stores: readonly { readonly member: number; readonly operand: number }[];
  readonly flat: readonly number[];
  readonly keptAxes: readonly number[];
  readonly reducedAxes: readonly number[];
  /** The axis that lanes run along, and whether it is a reduced one. */
  readonly laneAxis: number;
  readonly lanesReduced: boolean;
  /** Blocks along one reduced axis, when the reduction is long. */
  readonly long: { readonly axis: number; readonly block: number; readonly blocks: number } | undefined;
}

function planReduction(body: LoopBody, mayBlock = true): ReductionPlan {
  const { extents, reduceAxes, fullLoads, keptLoads, members } = body;
  const kinds = extents.map((_, axis) => (reduceAxes.includes(axis) ? reduced : kept));
  const keptAxisNumbers = extents.map((_, axis) => axis).filter((axis) => kinds[axis] === kept);
  const spread = (axes: readonly number[], strides: readonly number[]): number[] => {
    const all = new Array<number>(extents.length).fill(0);
    axes.forEach((axis, index) => {
      all[axis] = strides[index];
    });
    return all;
  };
  const stores = members.flatMap((member, index) => member.stores.map(({ argument }) => ({ member: index, argument })));
  const keptIdentity = spread(keptAxisNumbers, stridesOf(keptAxisNumbers.map((axis) => extents[axis])));
  const flat = spread(reduceAxes, stridesOf(reduceAxes.map((axis) => extents[axis])));
  const fullMembers = members.filter((member) => member.combine).map((member) => member.expression);
  const pinned = usedAxes([...fullMembers, ...fullLoads.map((load) => load.guard)]);
  const keptExpressions = members.filter((member) => !member.combine).map((member) => member.expression);
  for (const axis of usedAxes([...keptExpressions, ...keptLoads.map((load) => load.guard)]))
    pinned.add(keptAxisNumbers[axis]);
  const space = collapse(
    extents,
    kinds,
    [
      ...fullLoads.map((load) => load.strides),
      ...keptLoads.map((load) => spread(keptAxisNumbers, load.strides)),
      keptIdentity,
      flat,
    ],
    pinned,
  );
  const operands: Operand[] = [...fullLoads, ...keptLoads].map((load, index) => ({
    ...load,
    strides: space.strides[index],
  }));
  const identityStrides = space.strides[operands.length];
  const flatStrides = space.strides[operands.length + 1];
  const storeOperands = stores.map(({ member, argument }) => {
    operands.push({ argument, dtype: members[member].dtype, offset: 0, strides: identityStrides });
    return { member, operand: operands.length - 1 };
  });
  const axes = space.extents.map((_, axis) => axis);
  const keptAxes = axes.filter((axis) => space.kinds[axis] === kept);
  const reducedAxes = axes.filter((axis) => space.kinds[axis] === reduced);
  const laneAxis = chooseLaneAxis(space.extents.length, keptAxes, reducedAxes, operands.slice(0, fullLoads.length));
  const lanesReduced = space.kinds[laneAxis] === reduced;
  const positional = members.some((member) => member.combine === "argmax" || member.combine === "argmin");
  const long = positional || !mayBlock ? undefined : chooseBlocks(space.extents, reducedAxes, laneAxis, lanesReduced);
  return {
    extents: space.extents,
    kinds: space.kinds,
    axisOf: space.axisOf,
    operands,
    stores: storeOperands,
    flat: flatStrides,
    keptAxes,
    reducedAxes,
    laneAxis,
    lanesReduced,
    long,
  };
}

/** The last kept axis or a reduced one: where most loads are contiguous, the later one when equal. */
function chooseLaneAxis(
  rank: number,
  keptAxes: readonly number[],
  reducedAxes: readonly number[],
  loads: readonly Operand[],
): number {
  const candidates = keptAxes.length > 0 ? [...reducedAxes, keptAxes[keptAxes.length - 1]] : reducedAxes;
  let best = rank - 1;
  let most = -1;
  for (const axis of [...candidates].sort((a, b) => a - b)) {
    const contiguous = loads.filter(({ strides }) => strides[axis] === 1).length;
    if (contiguous >= most) {
      best = axis;
      most = contiguous;
    }
  }
  return best;
}

function chooseBlocks(
  extents: readonly number[],
  reducedAxes: readonly number[],
  laneAxis: number,
  lanesReduced: boolean,
): ReductionPlan["long"] {
  const total = reducedAxes.reduce((size, axis) => size * extents[axis], 1);
  if (total < (lanesReduced ? innerLong : outerLong)) return undefined;
  const axis = reducedAxes.reduce((best, candidate) => (extents[candidate] > extents[best] ? candidate : best));
  const perIndex = total / extents[axis];
  let block = Math.max(1, Math.floor((lanesReduced ? innerBlock : outerBlock) / perIndex));
  if (axis === laneAxis) block = Math.max(64, block - (block % 64));
  else if (block > 1) block -= block % 2;
  const blocks = Math.ceil(extents[axis] / block);
  return blocks >= 4 ? { axis, block, blocks } : undefined;
}

function reductionStep(body: LoopBody, plan: ReductionPlan, stepArguments: readonly StepArgument[]): LoweredStep {
  const emitter = new ReductionEmitter(body, plan);
  const tasks = plan.lanesReduced ? emitter.lanesAlongReduced() : emitter.lanesAlongKept();
  const points = body.extents.reduce((size, extent) => size * extent, 1);
  const calls = countCalls(body.members.map((member) => member.expression)) + body.members.length;
  return { kernel: emitter.k.build(), arguments: stepArguments, tasks, flops: points * calls, bytes: 0 };
}

interface Reduction {
  readonly member: number;
  readonly combiner: Combiner;
  readonly accumulators: Accumulator[];
}

class ReductionEmitter {
  readonly k: KernelBuilder;
  private readonly body: LoopBody;
  private readonly plan: ReductionPlan;
  private readonly lanes: StrideLanes;
  private constants!: ExpressionScope;
  private readonly positions: IntOperand[];
  private memory: IntRegister | undefined;
  private readonly isPartial: boolean;

  constructor(body: LoopBody, plan: ReductionPlan) {
    this.body = body;
    this.plan = plan;
    this.k = new KernelBuilder(body.name, body.argumentCount);
    this.lanes = new StrideLanes(this.k);
    this.positions = new Array(plan.extents.length).fill(0);
    this.isPartial = plan.long !== undefined;
  }

  // ---- lanes along a reduced axis ----

  lanesAlongReduced(): number {
    const { k, plan } = this;
    const { extents, keptAxes, reducedAxes, laneAxis, long } = plan;
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
    if (extents[laneAxis] === undefined) throw new InternalError(`${this.body.name}: no lane axis`);
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

  // ---- lanes along the last kept axis ----

  lanesAlongKept(): number {
    const { k, plan, body } = this;
    const { extents, keptAxes, reducedAxes, laneAxis, long } = plan;
    const reductions = body.members.filter((member) => member.combine).length;
    const wide = body.machine.vectorRegisters >= 32 ? 4 : 2;
    const length = extents[laneAxis];
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

  // ---- shared ----

  private prepare(): void {
    const { k, body, plan } = this;
    const strides = new Set<number>();
    plan.operands.forEach((operand, index) => {
      const stride = operand.strides[plan.laneAxis];
      if (index < body.fullLoads.length && stride !== 0 && stride !== 1) strides.add(stride);
    });
    this.lanes.prepare(strides);
    if (body.members.some((member) => member.combine === "prod" && member.dtype !== "f32")) this.memory = k.scratch(64);
    const expressions = body.members.map((member) => member.expression);
    this.constants = hoistConstants(k, body.machine.vectorRegisters >= 32 ? expressions : []);
  }

  private unroll(): number {
    const reductions = this.body.members.filter((member) => member.combine);
    if (reductions.some(({ combine }) => combine === "argmax" || combine === "argmin")) return 1;
    return reductions.length > 1 ? 2 : 4;
  }

  private startReductions(count: number): Reduction[] {
    const reductions: Reduction[] = [];
    this.body.members.forEach(({ combine, expression }, member) => {
      if (!combine) return;
      const combiner = new Combiner(combine, expression.dtype);
      const accumulators = Array.from({ length: count }, () => combiner.start(this.k));
      reductions.push({ member, combiner, accumulators });
    });
    return reductions;
  }

  private blockRange(axis: number, block: IntOperand | undefined): [IntOperand, IntOperand] {
    const { k, plan } = this;
    const { long, extents } = plan;
    if (!long || long.axis !== axis || block === undefined) return [0, extents[axis]];
    if (typeof block === "number") return [block * long.block, Math.min(extents[axis], (block + 1) * long.block)];
    const start = k.mul(block, long.block);
    const end = k.add(start, long.block);
    return [start, extents[axis] % long.block === 0 ? end : k.intBinary("min", end, extents[axis])];
  }

  /** Values that do not vary along the lanes. */
  private rowScope(pointers: Pointers): ExpressionScope {
    const scope: ExpressionScope = new ExpressionScope(
      this.k,
      {
        input: (index) => this.input(scope, pointers, index, 0, 0, {}),
        position: (axis) => this.fullPosition(axis, 0, 0),
      },
      this.constants,
    );
    for (const member of this.body.members) if (member.combine) this.hoistRow(scope, member);
    return scope;
  }

  private hoistRow(scope: ExpressionScope, member: LoopMember): void {
    const { plan, body } = this;
    const memo = new Map<ScalarExpression, boolean>();
    const varies = (expression: ScalarExpression): boolean => {
      const known = memo.get(expression);
      if (known !== undefined) return known;
      let result = false;
      if (expression.kind === "position") result = plan.axisOf[expression.axis] === plan.laneAxis;
      else if (expression.kind === "input") {
        const { guard } = body.fullLoads[expression.index];
        result = plan.operands[expression.index].strides[plan.laneAxis] !== 0 || (guard !== undefined && varies(guard));
      } else if (expression.kind === "call") result = expression.inputs.some(varies);
      memo.set(expression, result);
      return result;
    };
    const seen = new Set<ScalarExpression>();
    const visit = (expression: ScalarExpression): void => {
      if (expression.kind === "constant" || seen.has(expression)) return;
      seen.add(expression);
      if (!varies(expression)) scope.emit(expression);
      else if (expression.kind === "call") expression.inputs.forEach(visit);
    };
    visit(member.expression);
  }

  private vectorScope(
    row: ExpressionScope,
    pointers: Pointers,
    position: IntOperand,
    extra: number,
    lanes: Lanes,
    origin: IntOperand = 0,
  ): ExpressionScope {
    const scope: ExpressionScope = new ExpressionScope(
      this.k,
      {
        input: (index) => this.input(scope, pointers, index, position, extra, lanes),
        position: (axis) => this.fullPosition(axis, origin === 0 ? position : origin, extra),
      },
      row,
    );
    return scope;
  }

  private input(
    scope: ExpressionScope,
    pointers: Pointers,
    index: number,
    position: IntOperand,
    extra: number,
    lanes: Lanes,
  ): VectorRegister {
    const { guard } = this.body.fullLoads[index];
    return loadGuarded(this.k, scope, pointers, index, guard, this.plan.laneAxis, position, extra, lanes, this.lanes);
  }

  private fullPosition(axis: number, position: IntOperand, extra: number): VectorRegister {
    return this.positionAt(this.plan.axisOf[axis], position, extra, true);
  }

  private positionAt(axis: number, position: IntOperand, extra: number, alongLanes: boolean): VectorRegister {
    const { k, plan } = this;
    if (axis === -1) return k.constant(0, "i32");
    if (axis !== plan.laneAxis || !alongLanes) return this.splat(this.positions[axis]);
    const first =
      typeof position === "number"
        ? k.constant(position + extra, "i32")
        : k.splatInt(extra ? k.add(position, extra) : position);
    return k.binary("iadd", this.lanes.get(1), first);
  }

  private splat(position: IntOperand): VectorRegister {
    return typeof position === "number" ? this.k.constant(position, "i32") : this.k.splatInt(position);
  }

  /** Row-major position in the reduced axes; lanes outside count as having none. */
  private flatPosition(
    laneAxis: number,
    position: IntOperand,
    extra: number,
    flat: readonly number[],
    inside: VectorRegister | undefined,
  ): VectorRegister {
    const { k, plan } = this;
    let sum: VectorRegister | undefined;
    for (const axis of plan.reducedAxes) {
      const at = axis === laneAxis ? this.positionAt(axis, position, extra, true) : this.splat(this.positions[axis]);
      const term = flat[axis] === 1 ? at : k.binary("imul", at, k.constant(flat[axis], "i32"));
      sum = sum ? k.binary("iadd", sum, term) : term;
    }
    const result = sum ?? k.constant(0, "i32");
    return inside ? k.select(inside, result, k.constant(2147483647, "i32")) : result;
  }

  /** Kept members and stores for 1 lane or 16. `blockLayout`: 1 blocks innermost, 2 blocks outermost (partial results only). */
  private finish(
    pointers: Pointers,
    results: ReadonlyMap<number, VectorRegister>,
    origin: IntOperand | undefined,
    position: IntOperand,
    extra: number,
    lanes: Lanes,
    block: IntOperand | undefined,
    blockLayout: 0 | 1 | 2,
  ): void {
    const { k, body, plan } = this;
    const alongLanes = origin !== undefined;
    const keptAxisNumbers = body.extents.map((_, axis) => axis).filter((axis) => !body.reduceAxes.includes(axis));
    const scope: ExpressionScope = new ExpressionScope(
      k,
      {
        input: (index) => {
          if (index >= memberBase) {
            const member = index - memberBase;
            return results.get(member) ?? scope.emit(body.members[member].expression);
          }
          const load = index - keptLoadBase;
          const operand = body.fullLoads.length + load;
          const { guard } = body.keptLoads[load];
          const axis = alongLanes ? plan.laneAxis : -1;
          return loadGuarded(
            k,
            scope,
            pointers,
            operand,
            guard,
            axis,
            position,
            extra,
            alongLanes ? lanes : {},
            this.lanes,
          );
        },
        position: (axis) => this.positionAt(plan.axisOf[keptAxisNumbers[axis]], origin ?? 0, extra, alongLanes),
      },
      this.constants,
    );
    const values = body.members.map((member, index) =>
      member.stores.length === 0 ? undefined : (results.get(index) ?? scope.emit(member.expression)),
    );
    const keptSize = keptAxisNumbers.reduce((size, axis) => size * body.extents[axis], 1);
    for (const { member, operand } of plan.stores) {
      const { dtype } = body.members[member];
      const size = bytesPerElement[dtype];
      let base = pointers.register(operand);
      if (this.isPartial && blockLayout === 1) {
        // [kept][block]: the pointer advanced by kept positions of one element each.
        const start = k.argument(plan.operands[operand].argument);
        const offset = k.intBinary("sub", base, start);
        base = k.add(start, k.mul(offset, plan.long!.blocks));
        base = typeof block === "number" ? k.address(k.at(base, block * size)) : k.add(base, k.mul(block!, size));
      } else if (this.isPartial && blockLayout === 2) {
        const bytes = keptSize * size;
        base = typeof block === "number" ? k.address(k.at(base, block * bytes)) : k.add(base, k.mul(block!, bytes));
      }
      storeLanes(k, values[member]!, k.at(base, extra * size), dtype, lanes);
    }
  }
}
