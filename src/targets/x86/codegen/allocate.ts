import { InternalError } from "../../../errors.ts";
import type { CallingConvention } from "./abi.ts";
import { computeIntervals, type Intervals, removeDeadCode } from "./liveness.ts";
import { type MachineFunction, type MachineInstruction, registerClasses } from "./machine-code.ts";
import { operations } from "./operations.ts";
import { spillRegisters } from "./spill.ts";

/** Where each virtual register lies: the code of a machine register of its class, or -1 where it does not occur. */
export type Assignment = Int32Array;

const roundLimit = 60;
/** A constant costs no store and often no instruction to have again. */
const rematerializationFactor = 0.25;

/**
 * Linear scan over live intervals. Where registers run out, the value that is used least for the length of its life goes to the stack (or is
 * made again, if it is a constant) everywhere, and the scan is repeated with the short-lived registers that this needs.
 */
export function allocateRegisters(machine: MachineFunction, convention: CallingConvention): Assignment {
  const order = registerOrder(machine, convention);
  for (let round = 0; round < roundLimit; round++) {
    const scan = new Scan(machine, convention, order, computeIntervals(machine));
    scan.run();
    if (!scan.spills) return scan.assignment;
    spillRegisters(machine, scan.spilled);
    removeDeadCode(machine);
  }
  throw new InternalError("register allocation does not come to an end");
}

function registerOrder(machine: MachineFunction, convention: CallingConvention): readonly (readonly number[])[] {
  const vectors = Array.from({ length: machine.features.avx512 ? 32 : 16 }, (_, code) => code);
  const order: (readonly number[])[] = [];
  order[registerClasses.int] = [...convention.callerSaved, ...convention.calleeSaved];
  order[registerClasses.vector] = vectors;
  // k0 as a mask means "no mask".
  order[registerClasses.mask] = [1, 2, 3, 4, 5, 6, 7];
  return order;
}

class Scan {
  readonly assignment: Assignment;
  readonly spilled: Uint8Array;
  spills = false;
  private readonly machine: MachineFunction;
  private readonly convention: CallingConvention;
  private readonly order: readonly (readonly number[])[];
  private readonly intervals: Intervals;
  /** For each class and machine register: the virtual register that was placed there last. */
  private readonly occupants: readonly Int32Array[] = forEachRegister();
  /** For each class and machine register: where the interval of that one ends. */
  private readonly ends: readonly Int32Array[] = forEachRegister();

  constructor(
    machine: MachineFunction,
    convention: CallingConvention,
    order: readonly (readonly number[])[],
    intervals: Intervals,
  ) {
    this.machine = machine;
    this.convention = convention;
    this.order = order;
    this.intervals = intervals;
    this.assignment = new Int32Array(machine.classes.length).fill(-1);
    this.spilled = new Uint8Array(machine.classes.length);
  }

  run(): void {
    const { instructions } = this.machine;
    for (let at = 0; at < instructions.length; at++) {
      const instruction = instructions[at];
      const target = instruction.target;
      if (target >= 0 && this.assignment[target] < 0 && this.spilled[target] === 0) this.place(target, instruction);
    }
  }

  private place(register: number, instruction: MachineInstruction): void {
    const registerClass = this.machine.classes[register];
    const ends = this.ends[registerClass];
    const order = this.order[registerClass];
    const from = this.intervals.start[register];
    const hint = this.hint(instruction, registerClass);
    if (hint >= 0 && ends[hint] < from) {
      this.assign(register, registerClass, hint);
      return;
    }
    // most of what compiling costs before V8 has optimised it: no iterator, no call
    for (let choice = 0; choice < order.length; choice++) {
      if (ends[order[choice]] >= from) continue;
      this.assign(register, registerClass, order[choice]);
      return;
    }
    this.spill(register, registerClass);
  }

  private assign(register: number, registerClass: number, code: number): void {
    this.assignment[register] = code;
    this.occupants[registerClass][code] = register;
    this.ends[registerClass][code] = this.intervals.end[register];
  }

  /** The register that spares a move, if it is free: that of the input which the target overwrites. */
  private hint(i: MachineInstruction, registerClass: number): number {
    const { operation } = i;
    if (operation.shape === "entry") return this.convention.parameters[i.immediate];
    if (operation.shape === "fma") {
      const addend = this.codeToTake(i, i.third, registerClass);
      if (addend >= 0) return addend;
      const first = this.codeToTake(i, i.first, registerClass);
      return first >= 0 ? first : this.codeToTake(i, i.second, registerClass);
    }
    if (operation.shape === "move") return this.codeToTake(i, i.second, registerClass);
    if (operation === operations.lea) return this.codeToTake(i, i.base, registerClass);
    if (registerClass !== registerClasses.int) return -1;
    const first = this.codeToTake(i, i.first, registerClass);
    return first >= 0 ? first : this.codeToTake(i, i.second, registerClass);
  }

  /** The machine register of an input, if the instruction's target can have it. */
  private codeToTake(i: MachineInstruction, source: number, registerClass: number): number {
    if (source < 0 || this.assignment[source] < 0 || this.machine.classes[source] !== registerClass) return -1;
    const code = this.assignment[source];
    return this.ends[registerClass][code] < this.intervals.start[i.target] ? code : -1;
  }

  /** How much it costs not to have a register for this value, per instruction of its life. */
  private density(register: number): number {
    if (this.machine.unspillable[register]) return Number.POSITIVE_INFINITY;
    const { start, end, weight } = this.intervals;
    const cheap = this.machine.rematerializations[register] !== undefined ? rematerializationFactor : 1;
    return (weight[register] * cheap) / (end[register] - start[register] + 2);
  }

  private spill(register: number, registerClass: number): void {
    const occupants = this.occupants[registerClass];
    let least = this.density(register);
    let victim = -1;
    const order = this.order[registerClass];
    for (let choice = 0; choice < order.length; choice++) {
      const code = order[choice];
      const density = this.density(occupants[code]);
      if (density >= least) continue;
      least = density;
      victim = code;
    }
    if (least === Number.POSITIVE_INFINITY)
      throw new InternalError("more registers are needed at once than the machine has");
    this.spills = true;
    if (victim < 0) {
      this.spilled[register] = 1;
      return;
    }
    const evicted = occupants[victim];
    this.spilled[evicted] = 1;
    this.assignment[evicted] = -1;
    this.assign(register, registerClass, victim);
  }
}

const forEachRegister = (): Int32Array[] => [16, 32, 8].map((count) => new Int32Array(count).fill(-1));
