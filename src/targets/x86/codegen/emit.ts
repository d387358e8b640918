import { unreachable } from "../../../errors.ts";
import {
  Assembler,
  type Gpr,
  k,
  type Label,
  type MaskRegister,
  type Memory,
  type Mnemonic,
  masked,
  memory,
  memoryAt,
  type Operand,
  r8,
  r32,
  r64,
  rax,
  rsp,
  type Vector,
  vector,
} from "../assembler/index.ts";
import type { CallingConvention } from "./abi.ts";
import type { Assignment } from "./allocate.ts";
import { emitDivision, emitFma, emitIntBinary, emitMinimum, moveInt } from "./emit-tied.ts";
import {
  frameBase,
  type MachineFunction,
  type MachineInstruction,
  memoryPlace,
  none,
  poolBase,
  registerClasses,
} from "./machine-code.ts";
import { operations, type Width } from "./operations.ts";

const vectorBits = [128, 256, 512] as const;
const loopAlignment = 32;
const frameAlignment = 64;

/** Writes the instructions; registers are placed. */
export class Emitter {
  readonly assembler: Assembler;
  readonly machine: MachineFunction;
  private readonly assignment: Assignment;
  private readonly convention: CallingConvention;
  private readonly evex: boolean;
  private readonly labels: Label[] = [];
  private readonly poolLabels: Label[] = [];

  constructor(machine: MachineFunction, assignment: Assignment, convention: CallingConvention, listing: boolean) {
    this.machine = machine;
    this.assignment = assignment;
    this.convention = convention;
    this.evex = machine.features.avx512;
    this.assembler = new Assembler({ listing });
  }

  run(): void {
    const { assembler, machine } = this;
    const saved = this.savedRegisters();
    for (const code of saved) assembler.emit("push", r64(code));
    const frame = Math.ceil(machine.frameBytes / frameAlignment) * frameAlignment;
    if (frame > 0) {
      // rax carries nothing in. The old stack pointer is kept above the slots.
      assembler.emit("mov", rax, rsp);
      assembler.emit("sub", rsp, frame + frameAlignment);
      assembler.emit("and", rsp, -frameAlignment);
      assembler.emit("mov", memory(rsp, frame), rax);
    }
    const { instructions } = machine;
    for (let at = 0; at < instructions.length; at++) this.instruction(instructions[at]);
    if (frame > 0) assembler.emit("mov", rsp, memory(rsp, frame));
    for (const code of saved.reverse()) assembler.emit("pop", r64(code));
    assembler.emit("vzeroupper");
    assembler.emit("ret");
  }

  private savedRegisters(): number[] {
    const { assignment } = this;
    const { classes } = this.machine;
    let used = 0;
    for (let register = 0; register < classes.length; register++)
      if (classes[register] === registerClasses.int && assignment[register] >= 0) used |= 1 << assignment[register];
    return this.convention.calleeSaved.filter((code) => (used & (1 << code)) !== 0);
  }

  private instruction(i: MachineInstruction): void {
    const { operation } = i;
    switch (operation.shape) {
      case "binary":
        this.emit(this.mnemonic(i), i, [this.target(i), this.first(i), this.second(i)]);
        return;
      case "unary":
        this.emit(this.mnemonic(i), i, [this.target(i), this.second(i)]);
        return;
      case "ternary":
        this.assembler.emit(
          operation.mnemonic,
          this.target(i),
          this.first(i),
          this.second(i),
          this.vector(i.third, i.width),
        );
        return;
      case "fma":
        emitFma(this, i);
        return;
      case "store": {
        const place = this.memory(i);
        this.emit(this.mnemonic(i), i, [i.mask === none ? place : masked(place, this.mask(i.mask)), this.first(i)]);
        return;
      }
      case "maskStore":
        this.assembler.emit(operation.mnemonic, this.memory(i), this.vector(i.third, i.width), this.first(i));
        return;
      case "gather":
        if (i.mask === none)
          this.assembler.emit(operation.mnemonic, this.target(i), this.memory(i), this.vector(i.third, i.width));
        else this.assembler.emit(operation.mnemonic, this.target(i), this.memory(i));
        return;
      case "intBinary":
        emitIntBinary(this, i);
        return;
      case "intShift":
        moveInt(this, this.int(i.target), this.int(i.first));
        this.assembler.emit(operation.mnemonic, this.int(i.target), i.immediate);
        return;
      case "intImmediate":
        this.assembler.emit(operation.mnemonic, this.int(i.target), this.int(i.first), i.immediate);
        return;
      case "compare":
        this.assembler.emit(this.mnemonic(i), this.first(i), i.immediateOperand ? i.immediate : this.second(i));
        return;
      case "constant":
        this.constant(this.code(i.target), i.immediate);
        return;
      case "move":
        if (this.code(i.target) !== this.code(i.second))
          this.assembler.emit(operation.mnemonic, this.target(i), this.second(i));
        return;
      case "zero":
        this.zero(this.code(i.target));
        return;
      case "minimum":
      case "maximum":
        emitMinimum(this, i);
        return;
      case "quotient":
      case "remainder":
        emitDivision(this, i);
        return;
      case "entry":
        moveInt(this, this.int(i.target), r64(this.convention.parameters[i.immediate]));
        return;
      case "label":
        this.assembler.bind(this.label(i.immediate));
        return;
      case "loopBegin":
        this.assembler.align(loopAlignment);
        this.assembler.bind(this.label(i.immediate));
        return;
      case "loopEnd":
        return;
      case "jump":
        this.assembler.emit(operation.mnemonic, this.label(i.immediate));
        return;
      case "prefetch":
        this.assembler.emit(operation.mnemonic, this.memory(i));
        return;
      default:
        unreachable(operation.shape, "operation shape");
    }
  }

  private emit(mnemonic: Mnemonic, i: MachineInstruction, operands: Operand[]): void {
    if (i.operation.hasImmediate) operands.push(i.immediate);
    this.assembler.append(mnemonic, operands);
  }

  mnemonic(i: MachineInstruction): Mnemonic {
    return this.evex ? i.operation.evexMnemonic : i.operation.mnemonic;
  }

  // ---- operands ----

  code(register: number): number {
    return this.assignment[register];
  }
  int(register: number): Gpr {
    return r64(this.assignment[register]);
  }
  vector(register: number, width: Width): Vector {
    return vector(this.assignment[register], vectorBits[width]);
  }
  private mask(register: number): MaskRegister {
    return k(this.assignment[register]);
  }

  private register(register: number, width: Width, intBits: 8 | 32 | 64): Gpr | Vector | MaskRegister {
    const code = this.assignment[register];
    const registerClass = this.machine.classes[register];
    if (registerClass === registerClasses.vector) return vector(code, vectorBits[width]);
    if (registerClass === registerClasses.mask) return k(code);
    return intBits === 64 ? r64(code) : intBits === 32 ? r32(code) : r8(code);
  }

  private target(i: MachineInstruction): Operand {
    const { operation } = i;
    const register = this.register(i.target, operation.targetWidth ?? i.width, operation.intBits);
    return i.mask !== none && register.kind === "vector" ? masked(register, this.mask(i.mask), i.zeroing) : register;
  }
  private first(i: MachineInstruction): Operand {
    return this.register(i.first, i.operation.sourceWidth ?? i.width, i.operation.intBits);
  }
  /** The second operand: a register, or the memory that stands for it. */
  second(i: MachineInstruction): Operand {
    if (i.place === memoryPlace.second) return this.memory(i);
    return this.register(i.second, i.operation.sourceWidth ?? i.width, i.operation.intBits);
  }

  memory(i: MachineInstruction): Memory {
    const bits = i.operation.memoryBits || undefined;
    if (i.base === poolBase) {
      const label = this.poolLabel(i.displacement);
      return i.broadcast || bits !== undefined ? memoryAt(label, { broadcast: i.broadcast, bits }) : memoryAt(label);
    }
    const base = i.base === frameBase ? rsp : i.base === none ? undefined : r64(this.assignment[i.base]);
    if (i.index === none && bits === undefined && !i.broadcast) return memory(base, i.displacement);
    const index = i.index === none ? undefined : (this.register(i.index, i.width, 64) as Gpr | Vector);
    return memory(base, i.displacement, { index, scale: i.scale, bits, broadcast: i.broadcast });
  }

  private label(id: number): Label {
    this.labels[id] ??= this.assembler.label();
    return this.labels[id];
  }
  private poolLabel(entry: number): Label {
    this.poolLabels[entry] ??= this.assembler.constantWords(this.machine.pool.entries[entry]);
    return this.poolLabels[entry];
  }

  // ---- values ----

  private constant(code: number, value: number): void {
    // Nothing is placed between an instruction that sets the flags and the one that reads them, so `xor` may change them.
    if (value === 0) this.assembler.emit("xor", r32(code), r32(code));
    else if (value > 0 && value < 2 ** 32) this.assembler.emit("mov", r32(code), value);
    else if (value >= -(2 ** 31) && value < 0) this.assembler.emit("mov", r64(code), value);
    else this.assembler.emit("mov", r64(code), BigInt(value));
  }
  private zero(code: number): void {
    if (code < 16) {
      const register = vector(code, 128);
      this.assembler.emit(operations.zero.mnemonic, register, register, register);
    } else {
      const register = vector(code, 512);
      this.assembler.emit(operations.zero.evexMnemonic, register, register, register);
    }
  }
}
