/** What the loop generators share: tasks over outer tiles, pointers per loop level, loads of each kind. */
import { bytesPerElement, type DType } from "../../graph/dtype.ts";
import type { KernelBuilder } from "../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../kernel/ir.ts";
import type { ScalarExpression } from "../../kernel/scalar.ts";
import type { ExpressionScope } from "../emit-expression.ts";
import { gatherLanes, type Lanes, loadBroadcast, loadLanes } from "../emit-memory.ts";

/** One walked buffer: element `offset + Σ strides[axis] · position[axis]`. */
export interface Operand {
  readonly argument: number;
  readonly dtype: DType;
  readonly offset: number;
  readonly strides: readonly number[];
  /** Stores only: as in `LoopStore`. */
  readonly streaming?: boolean;
}

/** How the outer axes are cut into tasks: axes before `axis` one by one, `axis` in blocks; the rest is looped inside. */
export interface TaskSplit {
  readonly axis: number;
  readonly block: number;
  readonly blocks: number;
  readonly tasks: number;
}

/**
 * Cuts `extents[0 … limit)` so that a task holds about `grain` points; `inner` points lie inside one point of those axes. `unit` is the
 * least block of the last axis (16 where it is the lane axis).
 */
export function splitTasks(
  extents: readonly number[],
  limit: number,
  inner: number,
  grain: number,
  unit = 1,
): TaskSplit {
  let below = inner;
  for (let axis = limit - 1; axis >= 0; axis--) {
    const points = below * extents[axis];
    if (points >= grain || axis === 0) {
      const least = axis === limit - 1 ? unit : 1;
      const wanted = Math.max(1, Math.floor(grain / Math.max(1, below)));
      const block = Math.min(extents[axis], Math.max(least, Math.floor(wanted / least) * least));
      const blocks = Math.ceil(extents[axis] / Math.max(1, block));
      let outer = 1;
      for (let before = 0; before < axis; before++) outer *= extents[before];
      return { axis, block: Math.max(1, block), blocks, tasks: outer * blocks };
    }
    below = points;
  }
  return { axis: 0, block: 1, blocks: 1, tasks: 1 };
}

/** The positions that a task fixes and the range of its block. */
export interface TaskPositions {
  /** One per axis before the split axis. */
  readonly outer: readonly IntRegister[];
  readonly start: IntOperand;
  readonly end: IntOperand;
}

/** Decomposes the task number. */
export function emitTaskPositions(k: KernelBuilder, extents: readonly number[], split: TaskSplit): TaskPositions {
  const outer = new Array<IntRegister>(split.axis);
  if (split.tasks === 1) {
    return { outer: split.axis > 0 ? outer.fill(k.intConstant(0)) : outer, start: 0, end: extents[split.axis] };
  }
  let rest = k.task();
  let start: IntOperand = 0;
  let end: IntOperand = extents[split.axis];
  if (split.blocks > 1) {
    const block = split.axis === 0 ? rest : k.intBinary("rem", rest, split.blocks);
    if (split.axis > 0) rest = k.intBinary("div", rest, split.blocks);
    start = split.block === 1 ? block : k.mul(block, split.block);
    end = k.add(start, split.block);
    if (extents[split.axis] % split.block !== 0) end = k.intBinary("min", end, extents[split.axis]);
  }
  for (let axis = split.axis - 1; axis >= 0; axis--) {
    outer[axis] = axis === 0 ? rest : k.intBinary("rem", rest, extents[axis]);
    if (axis > 0) rest = k.intBinary("div", rest, extents[axis]);
  }
  return { outer, start, end };
}

/**
 * Addresses of operands while loops are entered. Operands of one buffer with equal strides share a register and differ in displacement.
 */
export class Pointers {
  private readonly k: KernelBuilder;
  private readonly operands: readonly Operand[];
  private readonly registers: readonly IntRegister[];

  private constructor(k: KernelBuilder, operands: readonly Operand[], registers: readonly IntRegister[]) {
    this.k = k;
    this.operands = operands;
    this.registers = registers;
  }

  /** Pointers at position 0 of every axis. */
  static start(k: KernelBuilder, operands: readonly Operand[]): Pointers {
    const bases = new Map<number, IntRegister>();
    const registers = operands.map(({ argument }) => {
      const base = bases.get(argument) ?? k.argument(argument);
      bases.set(argument, base);
      return base;
    });
    return new Pointers(k, operands, registers);
  }

  /** Pointers moved to a position along one axis. */
  at(axis: number, position: IntOperand): Pointers {
    const { k, operands } = this;
    const moved = new Map<string, IntRegister>();
    const registers = operands.map((operand, index) => {
      const bytes = operand.strides[axis] * bytesPerElement[operand.dtype];
      const base = this.registers[index];
      if (bytes === 0 || position === 0) return base;
      const key = `${base.id} ${bytes}`;
      let register = moved.get(key);
      if (!register) {
        if (typeof position === "number") register = k.address(k.at(base, position * bytes));
        else if (bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8)
          register = k.address(k.at(base, position, bytes));
        else register = k.add(base, k.mul(position, bytes));
        moved.set(key, register);
      }
      return register;
    });
    return new Pointers(k, operands, registers);
  }

  register(operand: number): IntRegister {
    return this.registers[operand];
  }

  /** Byte displacement of an operand's first element from its register. */
  displacement(operand: number): number {
    return this.operands[operand].offset * bytesPerElement[this.operands[operand].dtype];
  }

  /**
   * Loads 16 lanes along `axis` from lane position `position + extra`. `strideLanes` gives `laneIndex · stride`, hoisted by the caller.
   */
  load(
    operand: number,
    axis: number,
    position: IntOperand,
    extra: number,
    lanes: Lanes,
    strideLanes: (stride: number) => VectorRegister,
  ): VectorRegister {
    const { k } = this;
    const { dtype, strides } = this.operands[operand];
    const size = bytesPerElement[dtype] as 1 | 4;
    const stride = strides[axis] ?? 0;
    const base = this.registers[operand];
    const displacement = this.displacement(operand);
    if (stride === 0) {
      const here = k.at(base, displacement);
      if (!lanes.mask) return loadBroadcast(k, here, dtype);
      // A broadcast cannot be masked; a gather of the same element can.
      return gatherLanes(k, displacement ? k.address(here) : base, strideLanes(0), dtype, { mask: lanes.mask });
    }
    if (stride === 1) {
      const address =
        typeof position === "number"
          ? k.at(base, displacement + (position + extra) * size)
          : k.at(base, position, size, displacement + extra * size);
      return loadLanes(k, address, dtype, lanes);
    }
    const bytes = stride * size;
    const first =
      typeof position === "number"
        ? k.address(k.at(base, displacement + (position + extra) * bytes))
        : k.address(k.at(k.add(base, k.mul(position, bytes)), displacement + extra * bytes));
    return gatherLanes(k, first, strideLanes(stride), dtype, lanes);
  }
}

/** A load that may have a guard: lanes outside it (and outside the tail) are not touched and read as 0. */
export function loadGuarded(
  k: KernelBuilder,
  scope: ExpressionScope,
  pointers: Pointers,
  operand: number,
  guard: ScalarExpression | undefined,
  axis: number,
  position: IntOperand,
  extra: number,
  lanes: Lanes,
  strideLanes: StrideLanes,
): VectorRegister {
  if (!guard) return pointers.load(operand, axis, position, extra, lanes, strideLanes.get);
  const inside = scope.emit(guard);
  const mask = lanes.lanes === undefined ? inside : k.binary("and", inside, strideLanes.first(lanes.lanes));
  return pointers.load(operand, axis, position, extra, { mask }, strideLanes.get);
}

/** `laneIndex · stride` registers, made where they are first asked for: call `prepare` outside the loops for the strides that occur. */
export class StrideLanes {
  private readonly k: KernelBuilder;
  private readonly registers = new Map<number, VectorRegister>();

  constructor(k: KernelBuilder) {
    this.k = k;
  }

  prepare(strides: Iterable<number>): void {
    for (const stride of strides) if (!this.registers.has(stride)) this.registers.set(stride, this.make(stride));
  }

  readonly get = (stride: number): VectorRegister => this.registers.get(stride) ?? this.make(stride);

  /** The mask of the first lanes. */
  first(lanes: number): VectorRegister {
    return this.k.binary("ilt", this.get(1), this.k.constant(lanes, "i32"));
  }

  private make(stride: number): VectorRegister {
    const { k } = this;
    if (stride === 0) return k.constant(0, "i32");
    if (stride === 1) return k.laneIndex();
    return k.binary("imul", k.laneIndex(), k.constant(stride, "i32"));
  }
}
