/** Assembles the steps of a lowering: temporaries, argument tables, task numbers taken apart. */
import { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { EpilogueEmitter, type EpilogueTile } from "../../emit-epilogue.ts";
import type { Epilogue, LoweredStep, Lowering, OperandView, StepArgument, StrategyRequest } from "../../strategy.ts";

const same = (left: StepArgument, right: StepArgument): boolean =>
  left.kind === right.kind && (left.kind === "status" || right.kind === "status" || left.index === right.index);

/** The address of an argument inside a kernel; call it where the address is used, it is one load. */
export type AddressOf = (argument: StepArgument) => IntRegister;

export const operand = (index: number): StepArgument => ({ kind: "operand", index });
export const temporary = (index: number): StepArgument => ({ kind: "temporary", index });

/** A lowering under construction. */
export class LoweringBuilder {
  private readonly steps: LoweredStep[] = [];
  private readonly temporaries: number[] = [];

  /** Reserves a temporary of so many floats. */
  temporary(floats: number): StepArgument {
    this.temporaries.push(Math.ceil((floats * 4) / 64) * 64);
    return temporary(this.temporaries.length - 1);
  }

  /** Adds one kernel; `emit` writes its body. */
  step(
    name: string,
    source: readonly StepArgument[],
    work: { readonly tasks: number; readonly flops: number; readonly bytes: number },
    emit: (k: KernelBuilder, address: AddressOf, indexOf: (argument: StepArgument) => number) => void,
  ): void {
    const distinct: StepArgument[] = [];
    const indexOf = (argument: StepArgument): number => distinct.findIndex((other) => same(other, argument));
    for (const argument of source) if (indexOf(argument) < 0) distinct.push(argument);
    const k = new KernelBuilder(name, distinct.length);
    emit(k, (argument) => k.argument(indexOf(argument)), indexOf);
    this.steps.push({ kernel: k.build(), arguments: distinct, ...work });
  }

  /** Adds a kernel that was made elsewhere. */
  add(step: LoweredStep): void {
    this.steps.push(step);
  }

  build(): Lowering {
    return { steps: this.steps, temporaries: this.temporaries };
  }
}

/** The operands that an epilogue reads and writes. */
export function epilogueArguments(request: StrategyRequest): StepArgument[] {
  const { loads, stores } = request.epilogue;
  return [...loads, ...stores.map((store) => store.view)].map((view) => operand(view.operand));
}

/**
 * What an epilogue reads or writes along the lanes and along `axis`, each place once: worth fetching before a tile is done. Two at most, for
 * every one costs registers and load slots.
 */
export function touchedViews(epilogue: Epilogue, axis: number): OperandView[] {
  const found: OperandView[] = [];
  for (const view of [...epilogue.loads, ...epilogue.stores.map((store) => store.view)]) {
    const known = found.some(
      (other) =>
        other.operand === view.operand &&
        other.offset === view.offset &&
        other.strides.every((stride, index) => stride === view.strides[index]),
    );
    if (!known && !view.streaming && view.dtype === "f32" && view.strides[axis] !== 0 && view.strides.at(-1) === 1)
      found.push(view);
  }
  return found.slice(0, 2);
}

/** Applies a request's epilogue to a register tile; `offsets(row)` places a row relative to the tile's first element. */
export function finishTile(
  k: KernelBuilder,
  request: StrategyRequest,
  address: AddressOf,
  at: { readonly outer: readonly IntOperand[]; readonly last: IntOperand },
  accumulators: readonly (readonly VectorRegister[])[],
  offsets: (row: number) => readonly number[],
  lastLanes: number,
): void {
  const emitter = new EpilogueEmitter(k, request.epilogue, request.output, (index) => address(operand(index)));
  const tile: EpilogueTile = emitter.at(at.outer, at.last);
  accumulators.forEach((row, r) => {
    row.forEach((accumulator, v) => {
      const lanes = v === row.length - 1 && lastLanes < 16 ? { lanes: lastLanes } : {};
      tile.finish(accumulator, [...offsets(r), 16 * v], lanes);
    });
  });
}

/** Takes a task number apart, last extent fastest: one register per extent (0 where the extent is 1). */
export function splitTask(k: KernelBuilder, task: IntRegister, extents: readonly number[]): IntOperand[] {
  const result: IntOperand[] = extents.map(() => 0);
  let rest: IntRegister = task;
  let outer = extents.reduce((product, extent) => product * extent, 1);
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    const extent = extents[axis];
    outer /= extent;
    if (extent === 1) continue;
    if (outer === 1) result[axis] = rest;
    else {
      result[axis] = k.intBinary("rem", rest, extent);
      rest = k.intBinary("div", rest, extent);
    }
  }
  return result;
}

/** `base + displacement + Σ index · bytes`; constant indices cost nothing. */
export function offsetAddress(
  k: KernelBuilder,
  base: IntRegister,
  terms: readonly (readonly [index: IntOperand, bytes: number])[],
  displacement = 0,
): IntRegister {
  let constant = displacement;
  let result = base;
  for (const [index, bytes] of terms) {
    if (bytes === 0) continue;
    if (typeof index === "number") constant += index * bytes;
    else if (bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8) result = k.address(k.at(result, index, bytes));
    else result = k.add(result, k.mul(index, bytes));
  }
  return constant === 0 && result !== base ? result : k.address(k.at(result, constant));
}

/** A constant or a register as a register. */
export const asRegister = (k: KernelBuilder, value: IntOperand): IntRegister =>
  typeof value === "number" ? k.intConstant(value) : value;
