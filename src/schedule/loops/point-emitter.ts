/** What a pointwise kernel emits for one vector of 16 lanes: loads, the members' expressions, stores; with what a row and a task share. */
import { bytesPerElement } from "../../graph/dtype.ts";
import { sizeOf, stridesOf } from "../../graph/shape.ts";
import type { KernelBuilder } from "../../kernel/builder.ts";
import type { Address, IntOperand, VectorRegister } from "../../kernel/ir.ts";
import type { ScalarExpression } from "../../kernel/scalar.ts";
import { ExpressionScope, emitInTurn, hoistConstants } from "../emit-expression.ts";
import { type Lanes, storeLanes } from "../emit-memory.ts";
import { type LoopBody, memberBase, usedAxes, type Variation, VariationOf } from "./body.ts";
import { collapse } from "./collapse.ts";
import { loadGuarded, type Operand, type Pointers, StrideLanes } from "./nest.ts";

/** How far ahead what streams from memory is fetched. */
const pageBytes = 4096;

/** A collapsed space: loads first, then one operand per store. */
export interface Layout {
  readonly extents: readonly number[];
  readonly axisOf: readonly number[];
  readonly operands: readonly Operand[];
  readonly stores: readonly { readonly member: number; readonly operand: number }[];
}

/** The space of a body with axes merged where every operand walks them as one; `lanes`: an axis that stays as it is. */
export function layOut(body: LoopBody, lanes?: number): Layout {
  const { extents, fullLoads, members } = body;
  const identity = stridesOf(extents);
  const stores = members.flatMap((member, index) => member.stores.map((store) => ({ ...store, member: index })));
  const pinned = usedAxes([...members.map((member) => member.expression), ...fullLoads.map((load) => load.guard)]);
  const kinds = extents.map((_, axis) => (axis === lanes ? 1 : 0));
  const space = collapse(extents, kinds, [...fullLoads.map((load) => load.strides), identity], pinned);
  const operands: Operand[] = fullLoads.map((load, index) => ({ ...load, strides: space.strides[index] }));
  const storeOperands = stores.map(({ member, ...store }, index) => {
    operands.push({ ...store, dtype: members[member].dtype, offset: 0, strides: space.strides[fullLoads.length] });
    return { member, operand: fullLoads.length + index };
  });
  return { extents: space.extents, axisOf: space.axisOf, operands, stores: storeOperands };
}

/** A load that was done already. */
export interface GivenLoad {
  readonly operand: number;
  readonly register: VectorRegister;
}

/** Emits the vectors of a pointwise body; scopes for the task, the row and one vector. */
export class PointEmitter {
  private readonly k: KernelBuilder;
  private readonly body: LoopBody;
  private readonly layout: Layout;
  private readonly inner: number;
  private readonly lanes: StrideLanes;
  private readonly variation: VariationOf;
  /** Loads that walk through more than the second-level cache holds, from end to end. */
  private readonly streamed: readonly number[];
  private task: ExpressionScope;
  private positions: readonly IntOperand[] = [];

  constructor(k: KernelBuilder, body: LoopBody, layout: Layout, inner: number) {
    this.k = k;
    this.body = body;
    this.layout = layout;
    this.inner = inner;
    this.lanes = new StrideLanes(k);
    this.variation = new VariationOf(
      (index) =>
        index >= memberBase
          ? this.variation.of(body.members[index - memberBase].expression)
          : this.loadVariation(index),
      (axis) => (layout.axisOf[axis] === -1 ? 0 : layout.axisOf[axis] === inner ? 2 : 1),
    );
    const ends = stridesOf(layout.extents);
    const bytes = 4 * sizeOf(layout.extents);
    this.streamed = [...body.fullLoads.keys()].filter((index) => {
      const { guard, dtype } = body.fullLoads[index];
      const { strides } = layout.operands[index];
      if (guard || bytesPerElement[dtype] !== 4 || bytes < body.machine.l2Bytes) return false;
      return strides.every((stride, axis) => stride === ends[axis]);
    });
    // In order, so that no walk goes deeper than one member.
    for (const member of body.members) this.variation.of(member.expression);
    this.task = hoistConstants(k, []);
  }

  private loadVariation(index: number): Variation {
    const { strides } = this.layout.operands[index];
    const { guard } = this.body.fullLoads[index];
    const own: Variation = strides[this.inner] !== 0 ? 2 : strides.some((stride) => stride !== 0) ? 1 : 0;
    return guard ? (Math.max(own, this.variation.of(guard)) as Variation) : own;
  }

  /** Everything that a whole task shares. */
  enterTask(pointers: Pointers): void {
    const { k, body, layout } = this;
    const expressions = body.members.map((member) => member.expression);
    const strides = new Set<number>();
    body.fullLoads.forEach((load, index) => {
      const stride = layout.operands[index].strides[this.inner];
      if (stride !== 0 && stride !== 1) strides.add(stride);
      if (stride === 0 && load.guard) strides.add(0);
    });
    if (usesLanePosition(body, layout, this.inner)) strides.add(1);
    this.lanes.prepare(strides);
    const constants = hoistConstants(k, body.machine.vectorRegisters >= 32 ? expressions : []);
    this.task = new ExpressionScope(
      k,
      { input: (index) => this.input(this.task, pointers, index, 0, 0, {}), position: () => k.constant(0, "i32") },
      constants,
    );
    this.hoist(this.task, 0);
  }

  /** Everything that the vectors of one row share. */
  enterRow(pointers: Pointers, positions: readonly IntOperand[]): ExpressionScope {
    this.positions = positions;
    const row: ExpressionScope = new ExpressionScope(
      this.k,
      {
        input: (index) => this.input(row, pointers, index, 0, 0, {}),
        position: (axis) => this.position(axis, 0, 0),
      },
      this.task,
    );
    this.hoist(row, 1);
    return row;
  }

  /** Loads, computes and stores `count` whole vectors from `position`. */
  vectors(row: ExpressionScope, pointers: Pointers, position: IntOperand, count: number): void {
    const scopes = Array.from({ length: count }, (_, copy) =>
      this.vectorScope(row, pointers, position, 16 * copy, {}, undefined),
    );
    this.fetchAhead(pointers, position, count);
    const expressions = this.body.members.map((member) => member.expression);
    emitInTurn(this.body.machine, scopes, expressions);
    scopes.forEach((scope, copy) => {
      this.store(scope, pointers, position, 16 * copy, {});
    });
  }

  /**
   * Has lines brought to the second-level cache that vectors will read a page later. A processor's own prefetching ends with a page and begins anew
   * after the first misses of the next; where much is computed for each element, what it looks ahead over does not reach that far.
   */
  private fetchAhead(pointers: Pointers, position: IntOperand, count: number): void {
    for (const operand of this.streamed) {
      for (let copy = 0; copy < count; copy++) {
        this.k.prefetch(this.address(pointers, operand, position, 4, 64 * copy + pageBytes), 2);
      }
    }
  }

  private address(
    pointers: Pointers,
    operand: number,
    position: IntOperand,
    size: 1 | 4,
    displacement: number,
  ): Address {
    const base = pointers.register(operand);
    const first = pointers.displacement(operand) + displacement;
    if (typeof position === "number") return this.k.at(base, first + position * size);
    return this.k.at(base, position, size, first);
  }

  /** Loads, computes and stores 16 lanes from `position + extra`. */
  vector(
    row: ExpressionScope,
    pointers: Pointers,
    position: IntOperand,
    extra: number,
    lanes: Lanes,
    given?: GivenLoad,
  ): void {
    this.store(this.vectorScope(row, pointers, position, extra, lanes, given), pointers, position, extra, lanes);
  }

  private vectorScope(
    row: ExpressionScope,
    pointers: Pointers,
    position: IntOperand,
    extra: number,
    lanes: Lanes,
    given: GivenLoad | undefined,
  ): ExpressionScope {
    const scope: ExpressionScope = new ExpressionScope(
      this.k,
      {
        input: (index) =>
          given?.operand === index ? given.register : this.input(scope, pointers, index, position, extra, lanes),
        position: (axis) => this.position(axis, position, extra),
      },
      row,
    );
    return scope;
  }

  private store(scope: ExpressionScope, pointers: Pointers, position: IntOperand, extra: number, lanes: Lanes): void {
    const { k, body, layout } = this;
    const values = body.members.map((member) => scope.emit(member.expression));
    for (const { member, operand } of layout.stores) {
      const { streaming, dtype } = layout.operands[operand];
      const size = bytesPerElement[dtype] as 1 | 4;
      const address = this.address(pointers, operand, position, size, extra * size);
      storeLanes(k, values[member], address, body.members[member].dtype, { ...lanes, streaming });
    }
  }

  private input(
    scope: ExpressionScope,
    pointers: Pointers,
    index: number,
    position: IntOperand,
    extra: number,
    lanes: Lanes,
  ): VectorRegister {
    if (index >= memberBase) return scope.emit(this.body.members[index - memberBase].expression);
    const { guard } = this.body.fullLoads[index];
    return loadGuarded(this.k, scope, pointers, index, guard, this.inner, position, extra, lanes, this.lanes);
  }

  private position(axis: number, position: IntOperand, extra: number): VectorRegister {
    const { k } = this;
    const at = this.layout.axisOf[axis];
    if (at === -1) return k.constant(0, "i32");
    if (at !== this.inner) {
      const outer = this.positions[at];
      return typeof outer === "number" ? k.constant(outer, "i32") : k.splatInt(outer);
    }
    const lane = this.lanes.get(1);
    if (typeof position === "number")
      return position + extra === 0 ? lane : k.binary("iadd", lane, k.constant(position + extra, "i32"));
    return k.binary("iadd", lane, k.splatInt(extra === 0 ? position : k.add(position, extra)));
  }

  /** Emits the largest subexpressions that vary no more than `level`. */
  private hoist(scope: ExpressionScope, level: Variation): void {
    const seen = new Set<ScalarExpression>();
    const visit = (expression: ScalarExpression): void => {
      if (seen.has(expression) || expression.kind === "constant") return;
      seen.add(expression);
      if (this.variation.of(expression) <= level) scope.emit(expression);
      else if (expression.kind === "call") expression.inputs.forEach(visit);
      else if (expression.kind === "input" && expression.index < memberBase) {
        const { guard } = this.body.fullLoads[expression.index];
        if (guard) visit(guard);
      }
    };
    for (const member of this.body.members) visit(member.expression);
  }
}

function usesLanePosition(body: LoopBody, layout: Layout, inner: number): boolean {
  const guards = body.fullLoads.map((load) => load.guard);
  const axes = usedAxes([...body.members.map((member) => member.expression), ...guards]);
  return guards.some(Boolean) || [...axes].some((axis) => layout.axisOf[axis] === inner);
}
