import type { MachineFunction, MachineInstruction } from "./machine-code.ts";
import { operations } from "./operations.ts";

/** Drops instructions whose result nobody needs. Whole unneeded halves go this way: an accumulator of which only the low lanes are stored. */
export function removeDeadCode(machine: MachineFunction): void {
  const { instructions } = machine;
  const alive = new Uint8Array(instructions.length);
  const needed = new Uint8Array(machine.classes.length);
  // A use follows its definitions, unless they come round in a loop: then what was passed over may be needed, and the walk is done again.
  const passed = new Uint8Array(machine.classes.length);
  let again = true;
  const need = (register: number) => {
    if (needed[register] === 1) return;
    needed[register] = 1;
    if (passed[register] === 1) again = true;
  };
  while (again) {
    again = false;
    for (let at = instructions.length - 1; at >= 0; at--) {
      if (alive[at] === 1) continue;
      const instruction = instructions[at];
      const { target, operation } = instruction;
      if (!operation.effect && (target < 0 || needed[target] === 0)) {
        if (target >= 0) passed[target] = 1;
        continue;
      }
      alive[at] = 1;
      if (instruction.first >= 0) need(instruction.first);
      if (instruction.second >= 0) need(instruction.second);
      if (instruction.third >= 0) need(instruction.third);
      if (instruction.mask >= 0) need(instruction.mask);
      if (instruction.base >= 0) need(instruction.base);
      if (instruction.index >= 0) need(instruction.index);
      // An instruction with an effect and a target (the count of a loop) keeps its other definitions too.
      if (operation.effect && target >= 0) need(target);
    }
  }
  machine.instructions = instructions.filter((_, at) => alive[at] === 1);
}

/** One live interval per register: from the first instruction that writes it to the last that may need it. */
export interface Intervals {
  /** In half instructions: 2·at is where instruction `at` reads, 2·at + 1 where it writes. Start −1 where a register does not occur. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** How often a register is used, weighted by loop depth. */
  readonly weight: Float64Array;
}

const depthFactor = 8;

/**
 * A register that is assigned before a loop and used in it lives to the loop's end: the value crosses the back edge. The verifier's rule
 * that a use in a loop follows an assignment in the same turn or before the loop makes that the only case.
 */
export function computeIntervals(machine: MachineFunction): Intervals {
  const { instructions } = machine;
  const count = machine.classes.length;
  const start = new Int32Array(count).fill(-1);
  const end = new Int32Array(count).fill(-1);
  const weight = new Float64Array(count);
  const loopEnds = findLoopEnds(instructions, machine.labelCount);
  const openStarts: number[] = [];
  const openEnds: number[] = [];
  let factor = 1;
  const use = (register: number, position: number) => {
    weight[register] += factor;
    let last = position;
    const from = start[register];
    for (let depth = 0; depth < openStarts.length; depth++) {
      if (openStarts[depth] < from) continue;
      last = openEnds[depth];
      break;
    }
    if (last > end[register]) end[register] = last;
  };
  for (let at = 0; at < instructions.length; at++) {
    const instruction = instructions[at];
    const { operation } = instruction;
    if (operation === operations.loopBegin) {
      openStarts.push(2 * at);
      openEnds.push(2 * loopEnds[instruction.immediate] + 1);
      factor *= depthFactor;
      continue;
    }
    if (operation === operations.loopEnd) {
      openStarts.pop();
      openEnds.pop();
      factor /= depthFactor;
      continue;
    }
    const position = 2 * at;
    if (instruction.first >= 0) use(instruction.first, position);
    if (instruction.second >= 0) use(instruction.second, position);
    if (instruction.third >= 0) use(instruction.third, position);
    if (instruction.mask >= 0) use(instruction.mask, position);
    if (instruction.base >= 0) use(instruction.base, position);
    if (instruction.index >= 0) use(instruction.index, position);
    const target = instruction.target;
    if (target < 0) continue;
    if (operation.updates) use(target, position);
    const written = operation.early ? position : position + 1;
    if (start[target] < 0) start[target] = written;
    // A later assignment is no use, but the register must still be held: across the back edge too, if the value started before the loop.
    use(target, written);
  }
  return { start, end, weight };
}

function findLoopEnds(instructions: readonly MachineInstruction[], labelCount: number): Int32Array {
  const ends = new Int32Array(labelCount);
  for (let at = 0; at < instructions.length; at++)
    if (instructions[at].operation === operations.loopEnd) ends[instructions[at].immediate] = at;
  return ends;
}
