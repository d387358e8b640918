import { InternalError } from "../../../errors.ts";
import type { Address, IntOperand, IntRegister, Kernel, VectorRegister } from "../../../kernel/ir.ts";
import type { KernelAnalysis } from "./analysis.ts";
import { ConstantRegisters } from "./constant-registers.ts";
import type { MemoryPlace } from "./machine-code.ts";
import { type MachineFunction, type MachineInstruction, memoryPlace, none, setPlace } from "./machine-code.ts";
import { operations } from "./operations.ts";

/** An address over machine registers. */
export interface Place {
  readonly base: number;
  readonly index: number;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacement: number;
}

/** A load that has not been emitted yet: its one use may take it as a memory operand. */
interface WaitingLoad {
  readonly id: number;
  readonly place: Place;
  readonly broadcast: boolean;
}

const fitsInt32 = (value: number): boolean => value >= -(2 ** 31) && value < 2 ** 31;

/**
 * The state of the lowering: which machine registers hold the IR's registers now. Work is put off where that helps: a load until its one use,
 * a copy until source or copy changes, a constant is made once outside the outermost loop. At the edges of a block nothing is put off.
 */
export class LoweringContext {
  readonly kernel: Kernel;
  readonly machine: MachineFunction;
  readonly analysis: KernelAnalysis;
  readonly avx512: boolean;
  /** Machine registers per IR vector that is not uniform. */
  readonly halves: 1 | 2;
  /** The incoming arguments. */
  readonly argumentTable: number;
  readonly task: number;
  readonly scratch: number;
  /** Vectors and masks that are always the same. */
  readonly constants: ConstantRegisters;

  // By register id: machine registers, or none.
  private readonly ints: Int32Array;
  private readonly ownLow: Int32Array;
  private readonly ownHigh: Int32Array;
  private readonly low: Int32Array;
  private readonly high: Int32Array;
  private readonly masks: Int32Array;
  private readonly isWaitingLoad: Uint8Array;
  private readonly intConstants = new Map<number, number>();
  private readonly derived = new Map<number, Place>();
  /** Machine registers from which nothing may be recomputed later: they are assigned again, or are counters of loops that are over. */
  private readonly unstable = new Set<number>();

  private waitingCopies: number[] = [];
  private waitingLoads: WaitingLoad[] = [];

  constructor(kernel: Kernel, machine: MachineFunction, analysis: KernelAnalysis) {
    this.kernel = kernel;
    this.machine = machine;
    this.analysis = analysis;
    this.avx512 = machine.features.avx512;
    this.halves = this.avx512 ? 1 : 2;
    const registers = () => new Int32Array(analysis.registerCount).fill(none);
    this.ints = registers();
    this.ownLow = registers();
    this.ownHigh = registers();
    this.low = registers();
    this.high = registers();
    this.masks = registers();
    this.isWaitingLoad = new Uint8Array(analysis.registerCount);
    const entry = (number: number) => {
      const register = machine.int();
      machine.emitImmediate(operations.entry, register, none, none, number);
      return register;
    };
    this.argumentTable = entry(0);
    this.task = entry(1);
    this.scratch = entry(2);
    this.constants = new ConstantRegisters(machine, (value) => this.intConstant(value));
  }

  // ---- integers ----

  /** The machine register of an integer. */
  int(register: IntRegister): number {
    return this.ints[register.id];
  }
  constantOf(operand: IntOperand): number | undefined {
    return typeof operand === "number" ? operand : this.intConstants.get(operand.id);
  }
  /** The operand in a machine register. */
  intOperand(operand: IntOperand): number {
    return typeof operand === "number" ? this.intConstant(operand) : this.int(operand);
  }
  intConstant(value: number): number {
    const register = this.machine.register(0, { kind: "int", value });
    this.machine.emitImmediate(operations.constant, register, none, none, value);
    return register;
  }
  isSingle(register: IntRegister): boolean {
    return this.analysis.intDefinitions[register.id] === 1;
  }

  /** The machine register that an instruction assigning this integer writes. */
  writeInt(register: IntRegister): number {
    if (this.isSingle(register) || this.ints[register.id] === none) {
      const fresh = this.machine.int();
      this.ints[register.id] = fresh;
      if (!this.isSingle(register)) this.unstable.add(fresh);
      return fresh;
    }
    const own = this.ints[register.id];
    this.emitLoadsThatUse(own);
    return own;
  }
  setConstant(register: IntRegister, value: number): void {
    if (this.isSingle(register)) {
      this.setKnown(register, value);
    } else this.machine.emitImmediate(operations.constant, this.writeInt(register), none, none, value);
  }
  /** The register is another name for a machine register that does not change while it is used. */
  setAlias(register: IntRegister, machineRegister: number): void {
    this.ints[register.id] = machineRegister;
  }
  isStable(machineRegister: number): boolean {
    return !this.unstable.has(machineRegister);
  }
  /** Remembers that a register equals an address, so that addresses built on it can use the parts. */
  setDerived(register: IntRegister, place: Place): void {
    if (this.isSingle(register) && this.isStable(place.base) && this.isStable(place.index))
      this.derived.set(register.id, place);
  }
  openCounter(register: IntRegister): number {
    const counter = this.machine.int();
    this.ints[register.id] = counter;
    this.intConstants.delete(register.id);
    return counter;
  }
  closeCounter(machineRegister: number): void {
    this.unstable.add(machineRegister);
  }
  /** A register with one value, such as the counter of a loop of one turn. */
  setKnown(register: IntRegister, value: number): void {
    this.intConstants.set(register.id, value);
    this.ints[register.id] = this.intConstant(value);
  }

  private derivedOf(register: IntRegister): Place | undefined {
    const place = this.derived.get(register.id);
    return place !== undefined && this.isStable(place.base) && this.isStable(place.index) ? place : undefined;
  }

  /** Folds what is known of base and index into one address. */
  place(address: Address, extra = 0): Place {
    let displacement = address.displacement + extra;
    let base = this.int(address.base);
    let index: number = none;
    let scale = address.scale ?? 1;
    if (address.index !== undefined) {
      const constant = this.intConstants.get(address.index.id);
      const part = this.derivedOf(address.index);
      index = this.int(address.index);
      if (constant !== undefined && fitsInt32(displacement + constant * scale)) {
        displacement += constant * scale;
        index = none;
      } else if (part !== undefined && fitsInt32(displacement + part.displacement * scale)) {
        const multiplied = scale * part.scale;
        if (part.index === none) {
          index = part.base;
          displacement += part.displacement * scale;
        } else if (part.base === none && multiplied <= 8) {
          index = part.index;
          displacement += part.displacement * scale;
          scale = multiplied as 1 | 2 | 4 | 8;
        }
      }
    }
    const part = this.derivedOf(address.base);
    if (part !== undefined && part.base !== none && fitsInt32(displacement + part.displacement)) {
      // An address used often is worth its own register; two-register addresses cost more on some machines.
      const worthIt = index === none && (this.analysis.intUses[address.base.id] ?? 0) <= 2;
      if (part.index === none || worthIt) {
        base = part.base;
        displacement += part.displacement;
        if (part.index !== none) {
          index = part.index;
          scale = part.scale;
        }
      }
    }
    return { base, index, scale, displacement };
  }

  // ---- memory operands ----

  setMemory(instruction: MachineInstruction, where: MemoryPlace, place: Place, extra = 0): MachineInstruction {
    setPlace(instruction, where, place.base, place.displacement + extra);
    instruction.index = place.index;
    instruction.scale = place.scale;
    return instruction;
  }

  // ---- vectors ----

  isSingleVector(register: VectorRegister): boolean {
    return this.analysis.vectorDefinitions[register.id] === 1;
  }
  isMask(register: VectorRegister): boolean {
    return this.analysis.maskOnly[register.id] === true;
  }
  /** Machine registers that a vector takes: 1 where all lanes are equal. */
  parts(register: VectorRegister): 1 | 2 {
    return this.halves === 1 || this.analysis.uniform[register.id] ? 1 : 2;
  }
  /** The machine register with a half of a vector's lanes (half 0 is everything with AVX-512). */
  part(register: VectorRegister, half: number): number {
    if (this.isWaitingLoad[register.id] === 1) this.emitLoadOf(register.id);
    const known = half === 0 ? this.low[register.id] : this.high[register.id];
    if (known === none) throw new InternalError(`vector register ${register.id} has no value`);
    return known;
  }
  maskRegister(register: VectorRegister): number {
    return this.masks[register.id];
  }
  writeMask(register: VectorRegister): number {
    if (this.masks[register.id] === none) this.masks[register.id] = this.machine.mask();
    return this.masks[register.id];
  }

  /** Makes a vector's own machine registers the ones that hold it; read all sources before. Then `own` gives them. */
  beginWrite(register: VectorRegister): void {
    const id = register.id;
    if (this.ownLow[id] === none) {
      this.ownLow[id] = this.machine.vector();
      this.ownHigh[id] = this.parts(register) === 1 ? this.ownLow[id] : this.machine.vector();
    } else if (this.waitingCopies.length > 0) {
      this.emitCopiesOf(id);
    }
    this.low[id] = this.ownLow[id];
    this.high[id] = this.ownHigh[id];
  }
  own(register: VectorRegister, half: number): number {
    return half === 0 ? this.ownLow[register.id] : this.ownHigh[register.id];
  }

  /** The vector is a copy of machine registers; `stable` says that these never change while the copy is used. */
  copy(register: VectorRegister, low: number, high: number, stable: boolean): void {
    const id = register.id;
    this.beginWrite(register);
    if (low === this.ownLow[id]) return;
    this.low[id] = low;
    this.high[id] = high;
    if (!stable || !this.isSingleVector(register)) this.waitingCopies.push(id);
  }

  /** target = source, without an instruction where that can be helped. */
  copyOf(target: VectorRegister, source: VectorRegister): void {
    const low = this.part(source, 0);
    const high = this.part(source, this.halves - 1);
    this.copy(target, low, high, this.isSingleVector(source) && !this.waitingCopies.includes(source.id));
  }

  /** Makes the copies of a vector real before it changes; a copy that it is itself ends. */
  private emitCopiesOf(id: number): void {
    const { waitingCopies } = this;
    let kept = 0;
    for (const copy of waitingCopies) {
      if (copy === id) continue;
      if (this.low[copy] === this.ownLow[id] || this.high[copy] === this.ownHigh[id]) this.emitCopy(copy);
      else waitingCopies[kept++] = copy;
    }
    waitingCopies.length = kept;
  }
  private emitCopy(id: number): void {
    this.emitMove(this.ownLow[id], this.low[id]);
    if (this.ownHigh[id] !== this.ownLow[id]) this.emitMove(this.ownHigh[id], this.high[id]);
    this.low[id] = this.ownLow[id];
    this.high[id] = this.ownHigh[id];
  }
  private emitMove(target: number, source: number): void {
    const made = this.machine.rematerializations[source];
    if (made?.kind === "splat" && made.bits === 0) this.machine.emit(operations.zero, target, none, none);
    else this.machine.emit(operations.vmove, target, none, source);
  }

  // ---- loads that wait for their use ----

  wait(register: VectorRegister, place: Place, broadcast: boolean): void {
    this.waitingLoads.push({ id: register.id, place, broadcast });
    this.isWaitingLoad[register.id] = 1;
  }
  /** Takes a waiting load to be used as a memory operand. */
  takeLoad(register: VectorRegister): WaitingLoad | undefined {
    return this.isWaitingLoad[register.id] === 1 ? this.removeLoad(register.id) : undefined;
  }
  isWaiting(register: VectorRegister): boolean {
    return this.isWaitingLoad[register.id] === 1;
  }
  /** Puts a taken load in the place of an operand; each half reads its part. */
  useLoad(instruction: MachineInstruction, load: WaitingLoad, half: number): void {
    this.setMemory(instruction, memoryPlace.second, load.place, half * 32);
    instruction.broadcast = load.broadcast;
  }
  private emitLoadOf(id: number): void {
    this.emitLoad(this.removeLoad(id));
  }
  private removeLoad(id: number): WaitingLoad {
    const { waitingLoads } = this;
    this.isWaitingLoad[id] = 0;
    let at = waitingLoads.length - 1;
    while (waitingLoads[at].id !== id) at--;
    const load = waitingLoads[at];
    for (; at < waitingLoads.length - 1; at++) waitingLoads[at] = waitingLoads[at + 1];
    waitingLoads.length--;
    return load;
  }
  private emitLoadsThatUse(machineRegister: number): void {
    if (this.waitingLoads.length === 0) return;
    const uses = (load: WaitingLoad) => load.place.base === machineRegister || load.place.index === machineRegister;
    const due = this.waitingLoads.filter(uses);
    if (due.length === 0) return;
    this.waitingLoads = this.waitingLoads.filter((load) => !uses(load));
    for (const load of due) this.emitLoad(load);
  }
  private emitLoad({ id, place, broadcast }: WaitingLoad): void {
    this.isWaitingLoad[id] = 0;
    const register: VectorRegister = { kind: "vector", id };
    this.beginWrite(register);
    for (let half = 0; half < this.parts(register); half++) {
      const operation = broadcast ? operations.vbroadcastss : operations.vmovups;
      const load = this.machine.emit(operation, this.own(register, half), none, none);
      this.setMemory(load, memoryPlace.second, place, half * 32);
    }
  }
  /** Before memory changes. */
  emitLoads(): void {
    if (this.waitingLoads.length === 0) return;
    const due = this.waitingLoads;
    this.waitingLoads = [];
    for (const load of due) this.emitLoad(load);
  }
  /** At the edge of a block: everything is where it belongs. */
  settle(): void {
    this.emitLoads();
    const copies = this.waitingCopies;
    if (copies.length === 0) return;
    this.waitingCopies = [];
    for (const id of copies) this.emitCopy(id);
  }
}
