/**
 * Code for row kernels: several reductions over the same trailing axes with elementwise work between and after (softmax, log-softmax with
 * cross-entropy, layer normalisation). A task owns whole rows; a row is passed over once per reduction that depends on another, while it
 * stays in the first-level cache. Rows of up to 64 elements stay in registers.
 */
import { bytesPerElement } from "../../graph/dtype.ts";
import { KernelBuilder } from "../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../kernel/ir.ts";
import { type ExpressionScope, emitInTurn, hoistConstants } from "../emit-expression.ts";
import { storeLanes } from "../emit-memory.ts";
import type { LoopBody, LoopKernel } from "./body.ts";
import { emitTaskPositions, Pointers, StrideLanes, splitTasks } from "./nest.ts";
import { canDelay, DelayedRow, type LateRow } from "./row-delay.ts";
import { firstLanes, inVectors, lineAt, nextRows, RowStash } from "./row-memory.ts";
import { RowReductions } from "./row-reductions.ts";
import { RowScopes } from "./row-scopes.ts";
import { keepShared } from "./row-shared.ts";
import { type RowSpace, rowSpaceOf } from "./row-space.ts";
import { type Stages, stagesOf } from "./row-stages.ts";

/** Longest row that a row kernel takes. Chosen by the row alone, so that a row's result never depends on the others. */
export const longestRow = 16384;

export function rowsKernel(body: LoopBody): LoopKernel {
  return new RowsEmitter(body).emit();
}

/** Whether a row is one axis of up to 4 vectors. */
const fitsRegisters = ({ extents, keptCount }: RowSpace): boolean =>
  extents.length - keptCount === 1 && extents[keptCount] <= 64;

/** Points that a task passes over: several rows, so that the row after one is often its own; enough tasks to share remain. */
function grainOf(extents: readonly number[], passes: number): number {
  const points = passes * extents.reduce((size, extent) => size * extent, 1);
  return Math.min(131072, Math.max(16384, Math.floor(points / 256)));
}

class RowsEmitter {
  private readonly body: LoopBody;
  private readonly k: KernelBuilder;
  private readonly stages: Stages;
  private readonly lanes: StrideLanes;
  private readonly space: RowSpace;
  private constants!: ExpressionScope;
  private scopes!: RowScopes;
  private memory: IntRegister | undefined;
  private stash: RowStash | undefined;

  constructor(body: LoopBody) {
    this.body = fitsRegisters(rowSpaceOf(body)) ? body : keepShared(body);
    this.k = new KernelBuilder(body.name, body.argumentCount);
    this.lanes = new StrideLanes(this.k);
    this.stages = stagesOf(this.body);
    this.space = rowSpaceOf(this.body);
  }

  emit(): LoopKernel {
    const { k, body } = this;
    const { extents, keptCount } = this.space;
    const order = extents.slice(0, keptCount);
    const points = extents.slice(keptCount).reduce((size, extent) => size * extent, 1);
    const split = splitTasks(order, order.length, points * this.stages.passes, grainOf(extents, this.stages.passes));
    const task = emitTaskPositions(k, order.length > 0 ? order : [1], split);
    const strides = new Set<number>([1]);
    for (let index = 0; index < body.fullLoads.length; index++) {
      const stride = this.space.operands[index].strides[extents.length - 1];
      if (stride !== 0 && stride !== 1) strides.add(stride);
    }
    this.lanes.prepare(strides);
    if (body.members.some((member) => member.combine === "prod" && member.dtype !== "f32")) this.memory = k.scratch(64);
    const inRegisters = fitsRegisters(this.space);
    if (!inRegisters && this.stages.stashed.length > 0) this.stash = new RowStash(k, this.space, this.stages);
    const expressions = body.members.map((member) => member.expression);
    this.constants = hoistConstants(k, body.machine.vectorRegisters >= 32 ? expressions : []);
    this.scopes = new RowScopes(k, body, this.space, this.lanes, this.constants);
    const delays = !inRegisters && canDelay(body, this.space, this.stages);
    const walk = (axis: number, pointers: Pointers): void => {
      if (delays && axis === keptCount - 1) {
        const [start, end] = axis === split.axis ? [task.start, task.end] : [0, extents[axis]];
        this.delayedRows(start, end, pointers);
        return;
      }
      if (axis === keptCount) {
        this.scopes.enter(pointers);
        if (inRegisters) this.rowInRegisters(pointers);
        else this.rowInPasses(pointers);
        return;
      }
      const enter = (position: IntOperand): void => {
        this.scopes.positions[axis] = position;
        walk(axis + 1, pointers.at(axis, position));
      };
      if (axis < split.axis) enter(task.outer[axis]);
      else if (axis === split.axis) k.loop(task.start, task.end, 1, enter);
      else k.loop(0, extents[axis], 1, enter);
    };
    walk(0, Pointers.start(k, this.space.operands));
    return { kernel: k.build(), tasks: split.tasks };
  }

  /** The members that a pass computes over the whole row. */
  private membersOf(pass: number) {
    const { stage, stashed } = this.stages;
    const { members } = this.body;
    const indices = members.map((_, index) => index);
    const reductions = indices.filter((index) => members[index].combine && stage[index] === pass + 1);
    const stores = this.space.stores.filter(({ member }) => members[member].level === "full" && stage[member] === pass);
    const kept = stashed.filter((member) => stage[member] === pass);
    return { reductions, stores, kept };
  }

  private storeKept(pointers: Pointers): void {
    const { k, body } = this;
    for (const { member, operand } of this.space.stores) {
      if (body.members[member].level !== "kept") continue;
      const { dtype } = body.members[member];
      storeLanes(k, this.scopes.keptMember(member), k.at(pointers.register(operand), 0), dtype, { lanes: 1 });
    }
  }

  /** Rows of up to 4 vectors: every value of the row is computed once and stays in registers. */
  private rowInRegisters(pointers: Pointers): void {
    const { k, body } = this;
    const { extents } = this.space;
    const axis = extents.length - 1;
    const length = extents[axis];
    const vectors = Math.ceil(length / 16);
    const lanesOf = (vector: number): number => Math.min(16, length - 16 * vector);
    const scopes = Array.from({ length: vectors }, (_, vector) =>
      this.scopes.vector(pointers, { position: 0, extra: 16 * vector, lanes: lanesOf(vector) }, (scope, member) =>
        scope.emit(body.members[member].expression),
      ),
    );
    for (let pass = 0; pass < this.stages.passes; pass++) {
      const { reductions: members, stores } = this.membersOf(pass);
      this.scopes.hoist([...members, ...stores.map(({ member }) => member)]);
      const reductions = new RowReductions(k, body, this.lanes, members);
      for (let vector = 0; vector < vectors; vector++) {
        const lanes = lanesOf(vector);
        reductions.accumulate(scopes[vector], vector, lanes, () => this.scopes.flatPosition(0, 16 * vector));
        for (const { member, operand } of stores) {
          const { dtype } = body.members[member];
          const address = k.at(pointers.register(operand), 16 * vector * bytesPerElement[dtype]);
          const value = scopes[vector].emit(body.members[member].expression);
          storeLanes(k, value, address, dtype, { lanes, streaming: this.space.operands[operand].streaming });
        }
      }
      reductions.finish(this.scopes.results, () => this.memory!);
    }
    this.storeKept(pointers);
  }

  /** Longer rows: one loop per pass; full values that a later pass reads are kept in scratch. */
  private rowInPasses(pointers: Pointers): void {
    for (let pass = 0; pass < this.stages.passes; pass++) this.pass(pointers, pass);
    this.storeKept(pointers);
  }

  /** Rows of which each is finished while the next one is computed. */
  private delayedRows(start: IntOperand, end: IntOperand, outer: Pointers): void {
    const { k, stages, space } = this;
    const axis = space.keptCount - 1;
    const last = stages.passes - 1;
    const finished = this.membersOf(last).stores.map(({ member }) => member);
    const invariants = this.scopes.invariantsOf(finished, stages.stashed);
    const delayed = new DelayedRow(k, invariants, this.constants);
    const before = (position: IntOperand): LateRow => {
      const at = typeof position === "number" ? position - 1 : k.add(position, -1);
      return { scope: delayed.scope, pointers: outer.at(axis, at) };
    };
    k.loop(start, end, 1, (position) => {
      this.scopes.positions[axis] = position;
      const pointers = outer.at(axis, position);
      this.scopes.enter(pointers);
      for (let pass = 0; pass < last - 1; pass++) this.pass(pointers, pass);
      const late = before(position);
      this.pass(pointers, last - 1, (vectors) => {
        k.if(
          k.compare("gt", position, start),
          () => vectors(late),
          () => vectors(),
        );
      });
      delayed.keep(this.scopes.row);
      this.storeKept(pointers);
    });
    this.finishLate(before(end));
  }

  /** The last pass over a row that waited for it. */
  private finishLate(late: LateRow): void {
    const [length] = this.space.extents.slice(-1);
    inVectors(this.k, length, (position, count, lanes) => this.finishVectors(late, position, count, lanes));
  }

  private finishVectors({ scope: row, pointers }: LateRow, position: IntOperand, count: number, lanes: number): void {
    const { k, body, stages, stash } = this;
    const { stores } = this.membersOf(stages.passes - 1);
    for (let copy = 0; copy < count; copy++) {
      const extra = 16 * copy;
      const full = (scope: ExpressionScope, member: number) =>
        stash?.holds(member)
          ? k.load(stash.slot(stash.base, member, position, extra), "i32", firstLanes(lanes))
          : scope.emit(body.members[member].expression);
      const scope = this.scopes.vector(pointers, { position, extra, lanes }, full, row);
      this.storeVector(scope, stores, pointers, position, extra, lanes);
    }
  }

  private storeVector(
    scope: ExpressionScope,
    stores: RowSpace["stores"],
    pointers: Pointers,
    position: IntOperand,
    extra: number,
    lanes: number,
  ): void {
    const { k, body } = this;
    for (const { member, operand } of stores) {
      const { dtype } = body.members[member];
      const address = lineAt(k, pointers.register(operand), position, bytesPerElement[dtype] as 1 | 4, extra, 0);
      const { streaming } = this.space.operands[operand];
      storeLanes(k, scope.emit(body.members[member].expression), address, dtype, { lanes, streaming });
    }
  }

  /** One pass over a row; `around` may do its vectors in several ways. */
  private pass(
    pointers: Pointers,
    pass: number,
    around: (vectors: (late?: LateRow) => void) => void = (vectors) => vectors(),
  ): void {
    const { k, body } = this;
    const { extents, keptCount } = this.space;
    const { reductions: members, stores, kept } = this.membersOf(pass);
    this.scopes.hoist([...members, ...stores.map(({ member }) => member), ...kept]);
    const reductions = new RowReductions(k, body, this.lanes, members);
    const axis = extents.length - 1;
    const next = pass === 1 ? nextRows(k, body, this.space, pointers) : [];
    const computed = [...new Set([...kept, ...members, ...stores.map(({ member }) => member)])].sort((a, b) => a - b);
    const expressions = computed.map((member) => body.members[member].expression);
    /** Vectors from `position`, `lanes` lanes each, the first one `copy`. */
    const vectorsAt = (
      pointers: Pointers,
      run: IntRegister | undefined,
      position: IntOperand,
      count: number,
      lanes: number,
      first: number,
      late: LateRow | undefined,
    ): void => {
      // Before anything of this row takes the place of what was kept of the other.
      if (late) this.finishVectors(late, position, count, lanes);
      const taken = firstLanes(lanes);
      const slot = (member: number, extra: number) => this.stash!.slot(run!, member, position, extra);
      const extras = Array.from({ length: count }, (_, copy) => 16 * copy);
      const scopes = extras.map((extra) =>
        this.scopes.vector(pointers, { position, extra, lanes }, (scope, member) =>
          this.stages.stage[member] < pass && this.stages.stashed.includes(member)
            ? k.load(slot(member, extra), "i32", taken)
            : scope.emit(body.members[member].expression),
        ),
      );
      emitInTurn(body.machine, scopes, expressions);
      scopes.forEach((scope, copy) => {
        const extra = extras[copy];
        for (const start of next) k.prefetch(lineAt(k, start, position, 4, extra, 0), 2);
        reductions.accumulate(scope, first + copy, lanes, () => this.scopes.flatPosition(position, extra));
        for (const member of kept)
          k.store(scope.emit(body.members[member].expression), slot(member, extra), "i32", taken);
        this.storeVector(scope, stores, pointers, position, extra, lanes);
      });
    };
    const walk = (at: number, pointers: Pointers, run: IntRegister | undefined, late?: LateRow): void => {
      if (at < axis) {
        k.loop(0, extents[at], 1, (position) => {
          this.scopes.positions[at] = position;
          const bytes = this.space.flat[at] * 4;
          walk(at + 1, pointers.at(at, position), run && k.add(run, k.mul(position, bytes)));
        });
        return;
      }
      inVectors(k, extents[axis], (position, count, lanes, first) =>
        vectorsAt(pointers, run, position, count, lanes, first, late),
      );
    };
    around((late) => walk(keptCount, pointers, this.stash?.base, late));
    reductions.finish(this.scopes.results, () => this.memory!);
  }
}
