import {
  frameBase,
  type MachineFunction,
  MachineInstruction,
  memoryPlace,
  none,
  poolBase,
  registerClasses,
  setPlace,
} from "./machine-code.ts";
import { type Operation, operations } from "./operations.ts";

/**
 * Rewrites the code so that the spilled registers do not occur any more: each use reads the stack slot (or makes the constant again), as a
 * memory operand where the instruction takes one, else through a register that lives for this instruction only.
 */
export function spillRegisters(machine: MachineFunction, spilled: Uint8Array): void {
  new Spilling(machine, spilled).run();
}

const slotBytes = [8, 64, 8] as const;
const loads: readonly Operation[] = [operations.load64, operations.vmovups, operations.kload];
const stores: readonly Operation[] = [operations.store64, operations.storeVector, operations.kstore];

class Spilling {
  private readonly machine: MachineFunction;
  private readonly spilled: Uint8Array;
  private readonly slots: number[] = [];
  private output: MachineInstruction[] = [];
  /** Short-lived registers of the current instruction. */
  private readonly replaced: number[] = [];
  private readonly replacements: number[] = [];

  constructor(machine: MachineFunction, spilled: Uint8Array) {
    this.machine = machine;
    this.spilled = spilled;
  }

  run(): void {
    const { instructions } = this.machine;
    for (let at = 0; at < instructions.length; at++) this.rewrite(instructions[at]);
    this.machine.instructions = this.output;
  }

  private isSpilled(register: number): boolean {
    return register >= 0 && this.spilled[register] === 1;
  }

  private rewrite(i: MachineInstruction): void {
    const target = this.isSpilled(i.target);
    const uses =
      this.isSpilled(i.first) ||
      this.isSpilled(i.second) ||
      this.isSpilled(i.third) ||
      this.isSpilled(i.mask) ||
      this.isSpilled(i.base) ||
      this.isSpilled(i.index);
    if (!target && !uses) {
      this.output.push(i);
      return;
    }
    // The definition of a constant that is made again at each use.
    if (target && this.machine.rematerializations[i.target] !== undefined) return;
    if (i.operation.shape === "move" && this.rewriteMove(i, target)) return;
    this.replaced.length = 0;
    this.replacements.length = 0;
    if (uses) {
      this.foldOperand(i);
      i.first = this.reload(i.first);
      i.second = this.reload(i.second);
      i.third = this.reload(i.third);
      i.mask = this.reload(i.mask);
      i.base = this.reload(i.base);
      i.index = this.reload(i.index);
    }
    if (!target) {
      this.output.push(i);
      return;
    }
    const spilledTarget = i.target;
    if (i.operation.updates) i.target = this.reload(spilledTarget);
    else i.target = this.shortLived(this.machine.classes[spilledTarget]);
    this.output.push(i);
    this.store(i.target, spilledTarget);
  }

  /** A move from or to a stack slot is a load or a store. */
  private rewriteMove(i: MachineInstruction, target: boolean): boolean {
    const source = this.isSpilled(i.second);
    if (target && source) return false;
    if (target) this.store(i.second, i.target);
    else this.output.push(this.makeLoad(i.second, i.target));
    return true;
  }

  private slot(register: number): number {
    this.slots[register] ??= this.machine.frameSlot(slotBytes[this.machine.classes[register]]);
    return this.slots[register];
  }

  private shortLived(registerClass: 0 | 1 | 2): number {
    const register = this.machine.register(registerClass);
    this.machine.unspillable[register] = true;
    return register;
  }

  private store(source: number, spilledRegister: number): void {
    const { machine } = this;
    const store = new MachineInstruction(stores[machine.classes[spilledRegister]], machine.width, none, source, none);
    this.output.push(setPlace(store, memoryPlace.target, frameBase, this.slot(spilledRegister)));
  }

  private reload(register: number): number {
    if (!this.isSpilled(register)) return register;
    const known = this.replaced.indexOf(register);
    if (known >= 0) return this.replacements[known];
    const fresh = this.shortLived(this.machine.classes[register]);
    this.replaced.push(register);
    this.replacements.push(fresh);
    this.output.push(this.makeLoad(register, fresh));
    return fresh;
  }

  private makeLoad(register: number, target: number): MachineInstruction {
    const { machine } = this;
    const constant = machine.rematerializations[register];
    const make = (operation: Operation) => new MachineInstruction(operation, machine.width, target, none, none);
    switch (constant?.kind) {
      case undefined:
        return setPlace(make(loads[machine.classes[register]]), memoryPlace.second, frameBase, this.slot(register));
      case "int": {
        const move = make(operations.constant);
        move.immediate = constant.value;
        return move;
      }
      case "laneMask": {
        // Through the pool: there is no other way without an integer register.
        const load = make(operations.kload);
        return setPlace(load, memoryPlace.second, poolBase, machine.pool.word(constant.bits));
      }
      case "splat":
        if (constant.bits === 0) return make(operations.zero);
        return setPlace(make(operations.vbroadcastss), memoryPlace.second, poolBase, machine.pool.word(constant.bits));
      case "vector":
        return setPlace(make(operations.vmovups), memoryPlace.second, poolBase, constant.entry);
    }
  }

  /** Lets one spilled input be a memory operand. */
  private foldOperand(i: MachineInstruction): void {
    const { operation } = i;
    if (!operation.folds || i.place !== memoryPlace.none || i.base !== none || i.immediateOperand) return;
    if (this.isSpilled(i.third) && operation.shape === "fma" && this.occursOnce(i, i.third)) {
      this.fold(i, memoryPlace.third, i.third);
      return;
    }
    if (operation.commutative && this.isSpilled(i.first) && !this.isSpilled(i.second)) {
      [i.first, i.second] = [i.second, i.first];
    }
    if (!this.isSpilled(i.second) || !this.occursOnce(i, i.second)) return;
    this.fold(i, memoryPlace.second, i.second);
  }

  private occursOnce(i: MachineInstruction, register: number): boolean {
    return Number(i.first === register) + Number(i.second === register) + Number(i.third === register) === 1;
  }

  private fold(i: MachineInstruction, place: 1 | 2, register: number): void {
    const { machine } = this;
    const constant = machine.rematerializations[register];
    // Integer constants have no place in memory; a vector operand must be of full length.
    const isVector = machine.classes[register] === registerClasses.vector;
    if (isVector ? i.width !== machine.width : constant !== undefined) return;
    if (constant === undefined) setPlace(i, place, frameBase, this.slot(register));
    else if (constant.kind === "vector") setPlace(i, place, poolBase, constant.entry);
    else if (constant.kind === "splat" && i.operation.broadcasts && machine.features.avx512) {
      setPlace(i, place, poolBase, machine.pool.word(constant.bits));
      i.broadcast = true;
    } else if (constant.kind === "splat") {
      setPlace(i, place, poolBase, machine.pool.splat(constant.bits, machine.features.avx512 ? 16 : 8));
    }
  }
}
