/** Pointwise kernels that read something across the lanes: 16 x 16 blocks are turned in registers. */
import { KernelBuilder } from "../../kernel/builder.ts";
import type { IntOperand, VectorRegister } from "../../kernel/ir.ts";
import type { LoopBody, LoopKernel } from "./body.ts";
import { emitTaskPositions, Pointers, splitTasks } from "./nest.ts";
import { type Layout, PointEmitter } from "./point-emitter.ts";

/** A load that walks across the lane axis while another axis is contiguous in memory: 16 x 16 blocks are turned in registers. */
export interface Transposed {
  readonly load: number;
  readonly axis: number;
}

export function findTransposed(body: LoopBody, layout: Layout): Transposed | undefined {
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

export function transposingKernel(body: LoopBody, layout: Layout, { load, axis: turned }: Transposed): LoopKernel {
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
