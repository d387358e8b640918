/** Code for pointwise kernels: 16 lanes along the innermost axis, invariants hoisted out of the lane loop, tasks over outer tiles. */
import { sizeOf } from "../../graph/shape.ts";
import { KernelBuilder } from "../../kernel/builder.ts";
import type { IntOperand } from "../../kernel/ir.ts";
import { countCalls, type LoopBody, type LoopKernel } from "./body.ts";
import { type LanePiece, lanePieces } from "./lane-pieces.ts";
import { emitTaskPositions, Pointers, splitTasks, type TaskPositions, type TaskSplit } from "./nest.ts";
import { type Layout, layOut, PointEmitter } from "./point-emitter.ts";
import { findTransposed, transposingKernel } from "./transposing.ts";

/**
 * Elements per task: enough work to be worth a task, little enough to share between threads. Of many elements a task has more, so that what it
 * fetches ahead is mostly its own.
 */
export function grainFor(calls: number, points: number): number {
  return Math.max(calls > 40 ? 4096 : calls > 12 ? 8192 : 16384, Math.min(65536, Math.floor(points / 256)));
}

/**
 * Vectors that one turn of the lane loop computes. Long chains of operations, each waiting for the one before, need several side by side and
 * registers for them; where there is little to compute, the code is kept short.
 */
function vectorsTogether({ extents, machine }: LoopBody, calls: number, length: number): number {
  if (length < 64) return 1;
  if (calls <= 10) return 2;
  return machine.vectorRegisters >= 32 && length >= 256 && sizeOf(extents) >= 16384 ? 4 : 1;
}

export function pointwiseKernel(body: LoopBody): LoopKernel {
  const calls = countCalls(body.members.map((member) => member.expression));
  const joining = joiningKernel(body, calls);
  if (joining !== undefined) return joining;
  const layout = layOut(body);
  const transposed = findTransposed(body, layout);
  if (transposed !== undefined) return transposingKernel(body, layout, transposed);
  const { extents } = layout;
  const inner = extents.length - 1;
  const unroll = vectorsTogether(body, calls, extents[inner]);
  const split = splitTasks(extents, extents.length, 1, grainFor(calls, sizeOf(extents)), 16 * unroll);
  const k = new KernelBuilder(body.name, body.argumentCount);
  // made first: what all tasks share comes before the task's number
  const emitter = new PointEmitter(k, body, layout, inner);
  const task = emitTaskPositions(k, extents, split);
  emitNest(k, emitter, layout, split, task, { unroll, written: writtenTurns(calls) });
  return { kernel: k.build(), tasks: split.tasks };
}

/**
 * A kernel whose lanes are joined from pieces that lie in different places: within a task's rows, a nest of loops for each piece. `undefined` where lanes
 * are one piece, or are not read as they lie.
 */
function joiningKernel(body: LoopBody, calls: number): LoopKernel | undefined {
  const axis = body.extents.findLastIndex((extent) => extent > 1);
  const pieces = axis > 0 ? lanePieces(body, axis) : undefined;
  if (pieces === undefined) return undefined;
  const whole = layOut(body, axis);
  const inner = whole.extents.length - 1;
  if (inner === 0 || whole.operands.some(({ strides }) => strides[inner] !== 0 && strides[inner] !== 1))
    return undefined;
  const rows = whole.extents.slice(0, -1);
  const split = splitTasks(rows, rows.length, whole.extents[inner], grainFor(calls, sizeOf(whole.extents)));
  const k = new KernelBuilder(body.name, body.argumentCount);
  const task = emitTaskPositions(k, rows, split);
  for (const piece of pieces) {
    const layout = layoutOf(piece, whole);
    const emitter = new PointEmitter(k, piece.body, layout, inner);
    const unroll = vectorsTogether(piece.body, calls, piece.length);
    emitNest(k, emitter, layout, split, task, { unroll, written: writtenTurns(calls) });
  }
  return { kernel: k.build(), tasks: split.tasks };
}

/** The part of a layout that a piece of its lanes walks. */
function layoutOf({ first, length, loads }: LanePiece, { extents, axisOf, operands, stores }: Layout): Layout {
  const inner = extents.length - 1;
  const part = (index: number, wholeLines: boolean) => {
    const { streaming, ...operand } = operands[index];
    const moved = { ...operand, offset: operand.offset + first * operand.strides[inner] };
    return streaming && wholeLines ? { ...moved, streaming } : moved;
  };
  return {
    extents: [...extents.slice(0, -1), length],
    axisOf,
    operands: [
      ...loads.map((load) => part(load, false)),
      ...stores.map(({ operand }) => part(operand, first % 16 === 0)),
    ],
    stores: stores.map(({ member }, index) => ({ member, operand: loads.length + index })),
  };
}

/** How many turns of a lane loop are written out one after the other instead, where there is little to compute. */
const writtenTurns = (calls: number): number => (calls <= 12 ? 4 : 1);

/** The loops inside of a task, from its block of the split axis inwards. */
function emitNest(
  k: KernelBuilder,
  emitter: PointEmitter,
  { extents, operands }: Layout,
  split: TaskSplit,
  task: TaskPositions,
  { unroll, written }: { readonly unroll: number; readonly written: number },
): void {
  const inner = extents.length - 1;
  const length = extents[inner];
  let pointers = Pointers.start(k, operands);
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
      const turns = main / (16 * unroll);
      if (whole && turns > 1 && turns <= written) {
        for (let turn = 0; turn < turns; turn++) emitter.vectors(row, pointers, 16 * unroll * turn, unroll);
      } else if (main > 0) {
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
}
