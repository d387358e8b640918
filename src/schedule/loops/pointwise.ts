/** Code for pointwise kernels: 16 lanes along the innermost axis, invariants hoisted out of the lane loop, tasks over outer tiles. */
import { stridesOf } from "../../graph/shape.ts";
import { KernelBuilder } from "../../kernel/builder.ts";
import type { IntOperand, Kernel, VectorRegister } from "../../kernel/ir.ts";
import type { ScalarExpression } from "../../kernel/scalar.ts";
import { ExpressionScope, emitInTurn, hoistConstants } from "../emit-expression.ts";
import { type Lanes, storeLanes } from "../emit-memory.ts";
import { countCalls, type LoopBody, memberBase, usedAxes, type Variation, VariationOf } from "./body.ts";
import { collapse } from "./collapse.ts";
import { emitTaskPositions, loadGuarded, type Operand, Pointers, StrideLanes, splitTasks } from "./nest.ts";

/** A kernel and its number of tasks. */
export interface LoopKernel {
  readonly kernel: Kernel;
  readonly tasks: number;
}

/** Elements per task: enough work to be worth a task, little enough to share between threads. */
export function grainFor(calls: number): number {
  return calls > 40 ? 4096 : calls > 12 ? 8192 : 16384;
}

/**
 * Vectors that one turn of the lane loop computes. Long chains of operations, each waiting for the one before, need several side by side and
 * registers for them; where there is little to compute, the code is kept short.
 */
function vectorsTogether({ extents, machine }: LoopBody, calls: number, length: number): number {
  if (length < 64) return 1;
  if (calls <= 10) return 2;
  const points = extents.reduce((product, extent) => product * extent, 1);
  return machine.vectorRegisters >= 32 && length >= 256 && points >= 16384 ? 4 : 1;
}

export function pointwiseKernel(body: LoopBody): LoopKernel {
  const expressions = body.members.map((member) => member.expression);
  const calls = countCalls(expressions);
  const layout = layOut(body);
  const transposed = findTransposed(body, layout);
  if (transposed !== undefined) return transposingKernel(body, layout, transposed);
  const { extents } = layout;
  const inner = extents.length - 1;
  const length = extents[inner];
  const unroll = vectorsTogether(body, calls, length);
  const split = splitTasks(extents, extents.length, 1, grainFor(calls), 16 * unroll);
  const k = new KernelBuilder(body.name, body.argumentCount);
  const emitter = new PointEmitter(k, body, layout, inner);
  const task = emitTaskPositions(k, extents, split);
  let pointers = Pointers.start(k, layout.operands);
  emitter.enterTask(pointers);
  const positions: IntOperand[] = [];
  for (let axis = 0; axis < split.axis; axis++) {
    positions.push(task.outer[axis]);
    pointers = pointers.at(axis, task.outer[axis]);
  }
  const walk = (axis: number, pointers: Pointers): void => {
    if (axis === inner) {
      const row = emitter.enterRow(pointers, positions);
      const main = length - (length % (16 * unroll));
      const whole = axis !== split.axis || split.blocks === 1;
      const start = whole ? 0 : task.start;
      const end =
        whole || typeof task.end === "number" ? main : main === length ? task.end : k.intBinary("min", task.end, main);
      if (main > 0) {
        k.loop(start, end, 16 * unroll, (position) => {
          emitter.vectors(row, pointers, position, unroll);
        });
      }
      const rest = (): void => {
        for (let first = main; first < length; first += 16) {
          emitter.vector(row, pointers, first, 0, length - first < 16 ? { lanes: length - first } : {});
        }
      };
      if (main < length) {
        if (whole || typeof task.end === "number") rest();
        else k.if(k.compare("ge", task.end, length), rest);
      }
      return;
    }
    const [start, end] = axis === split.axis ? [task.start, task.end] : [0, extents[axis]];
    k.loop(start, end, 1, (position) => {
      positions[axis] = position;
      walk(axis + 1, pointers.at(axis, position));
    });
  };
  walk(split.axis, pointers);
  return { kernel: k.build(), tasks: split.tasks };
}

/** A collapsed space: loads first, then one operand per store. */
interface Layout {
  readonly extents: readonly number[];
  readonly axisOf: readonly number[];
  readonly operands: readonly Operand[];
  readonly stores: readonly { readonly member: number; readonly operand: number }[];
}

function layOut(body: LoopBody): Layout {
  const { extents, fullLoads, members } = body;
  const identity = stridesOf(extents);
  const stores = members.flatMap((member, index) => member.stores.map((store) => ({ ...store, member: index })));
  const pinned = usedAxes([...members.map((member) => member.expression), ...fullLoads.map((load) => load.guard)]);
  const kinds = new Array<number>(extents.length).fill(0);
  const space = collapse(extents, kinds, [...fullLoads.map((load) => load.strides), identity], pinned);
  const operands: Operand[] = fullLoads.map((load, index) => ({ ...load, strides: space.strides[index] }));
  const storeOperands = stores.map(({ member, ...store }, index) => {
    operands.push({ ...store, dtype: members[member].dtype, offset: 0, strides: space.strides[fullLoads.length] });
    return { member, operand: fullLoads.length + index };
  });
  return { extents: space.extents, axisOf: space.axisOf, operands, stores: storeOperands };
}

/** A load that was done already. */
interface GivenLoad {
  readonly operand: number;
  readonly register: VectorRegister;
}

/** Emits the vectors of a pointwise body; scopes for the task, the row and one vector. */
class PointEmitter {
  private readonly k: KernelBuilder;
  private readonly body: LoopBody;
  private readonly layout: Layout;
  private readonly inner: number;
  private readonly lanes: StrideLanes;
  private readonly variation: VariationOf;
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
    const expressions = this.body.members.map((member) => member.expression);
    emitInTurn(this.body.machine, scopes, expressions);
    scopes.forEach((scope, copy) => {
      this.store(scope, pointers, position, 16 * copy, {});
    });
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
      const size = layout.operands[operand].dtype === "f32" || layout.operands[operand].dtype === "i32" ? 4 : 1;
      const base = pointers.register(operand);
      const address =
        typeof position === "number" ? k.at(base, (position + extra) * size) : k.at(base, position, size, extra * size);
      const { streaming } = layout.operands[operand];
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
      else if (expression.kind === "call") for (const input of expression.inputs) visit(input);
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

/** A load that walks across the lane axis while another axis is contiguous in memory: 16 x 16 blocks are turned in registers. */
interface Transposed {
  readonly load: number;
  readonly axis: number;
}

function findTransposed(body: LoopBody, layout: Layout): Transposed | undefined {
  const { extents, operands } = layout;
  const inner = extents.length - 1;
  if (extents[inner] < 8) return undefined;
  const loads = operands.length - layout.stores.length;
  let found: Transposed | undefined;
  for (let load = 0; load < loads; load++) {
    const { strides, dtype } = operands[load];
    if (strides[inner] === 0 || strides[inner] === 1 || body.fullLoads[load].guard) continue;
    const axis = strides.findIndex((stride, at) => stride === 1 && at !== inner && extents[at] >= 8);
    if (axis < 0 || found || dtype === "u8" || dtype === "bool") return undefined;
    found = { load, axis };
  }
  return found;
}

function transposingKernel(body: LoopBody, layout: Layout, { load, axis: turned }: Transposed): LoopKernel {
  const { extents, operands } = layout;
  const inner = extents.length - 1;
  // Axes in loop order: the untouched outer ones, then blocks of the turned axis, then blocks of the lane axis.
  const outer = extents.map((_, axis) => axis).filter((axis) => axis !== turned && axis !== inner);
  const blocks = (extent: number): number => Math.ceil(extent / 16);
  const order = [...outer.map((axis) => extents[axis]), blocks(extents[turned])];
  const split = splitTasks(order, order.length, extents[inner] * 16, 16384);
  const k = new KernelBuilder(body.name, body.argumentCount);
  const emitter = new PointEmitter(k, body, layout, inner);
  const task = emitTaskPositions(k, order, split);
  emitter.enterTask(Pointers.start(k, operands));
  const positions: IntOperand[] = new Array(extents.length).fill(0);
  const source = operands[load];

  /** One block: `rows` along the turned axis, `columns` along the lane axis. */
  const block = (
    pointers: Pointers,
    firstRow: IntOperand,
    firstColumn: IntOperand,
    rows: number,
    columns: number,
  ): void => {
    const start = pointers.at(turned, firstRow).at(inner, firstColumn);
    const registers: VectorRegister[] = [];
    for (let column = 0; column < 16; column++) {
      const displacement = start.displacement(load) + Math.min(column, columns - 1) * source.strides[inner] * 4;
      registers.push(
        column < columns
          ? k.load(
              k.at(start.register(load), displacement),
              source.dtype as "f32" | "i32",
              rows < 16 ? { lanes: rows } : {},
            )
          : k.constant(0, "i32"),
      );
    }
    k.transpose(registers);
    for (let row = 0; row < rows; row++) {
      const position = row === 0 ? firstRow : typeof firstRow === "number" ? firstRow + row : k.add(firstRow, row);
      positions[turned] = position;
      const rowPointers = pointers.at(turned, position);
      const scope = emitter.enterRow(rowPointers, positions);
      const lanes = columns < 16 ? { lanes: columns } : {};
      emitter.vector(scope, rowPointers, firstColumn, 0, lanes, { operand: load, register: registers[row] });
    }
  };
  const rowOfBlocks = (pointers: Pointers, firstRow: IntOperand, rows: number): void => {
    const whole = extents[inner] - (extents[inner] % 16);
    if (whole > 0) k.loop(0, whole, 16, (column) => block(pointers, firstRow, column, rows, 16));
    if (whole < extents[inner]) block(pointers, firstRow, whole, rows, extents[inner] - whole);
  };
  const walk = (level: number, pointers: Pointers): void => {
    const [start, end] = level === split.axis ? [task.start, task.end] : [0, order[level]];
    if (level === outer.length) {
      const whole = Math.floor(extents[turned] / 16);
      const rest = extents[turned] % 16;
      const bound = typeof end === "number" ? Math.min(end, whole) : rest ? k.intBinary("min", end, whole) : end;
      if (whole > 0) k.loop(start, bound, 1, (index) => rowOfBlocks(pointers, k.mul(index, 16), 16));
      if (rest > 0) {
        const last = (): void => rowOfBlocks(pointers, whole * 16, rest);
        if (typeof end === "number") last();
        else k.if(k.compare("gt", end, whole), last);
      }
      return;
    }
    k.loop(start, end, 1, (position) => {
      positions[outer[level]] = position;
      walk(level + 1, pointers.at(outer[level], position));
    });
  };
  let pointers = Pointers.start(k, operands);
  for (let level = 0; level < split.axis; level++) {
    positions[outer[level]] = task.outer[level];
    pointers = pointers.at(outer[level], task.outer[level]);
  }
  walk(split.axis, pointers);
  return { kernel: k.build(), tasks: split.tasks };
}
