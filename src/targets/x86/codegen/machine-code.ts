/** Machine code before registers are placed: a flat list of instructions over virtual registers. */
import type { X86Features } from "../features.ts";
import { ConstantPool } from "./constant-pool.ts";
import { type Operation, operations, type Width } from "./operations.ts";

/** No operand. */
export const none = -1;
/** As a memory base: the stack frame; `displacement` is the offset of a slot. */
export const frameBase = -2;
/** As a memory base: the constant pool; `displacement` is the number of an entry. */
export const poolBase = -3;

/** What the memory operand of an instruction stands for. */
export const memoryPlace = {
  none: 0,
  /** It takes the place of `second`. */
  second: 1,
  /** It takes the place of `third` (fma only). */
  third: 2,
  /** It is where a store writes. */
  target: 3,
} as const;
export type MemoryPlace = (typeof memoryPlace)[keyof typeof memoryPlace];

/** One operation. Register operands are virtual register numbers until `allocateRegisters`, which leaves the numbers and fills `assignment`. */
export class MachineInstruction {
  readonly operation: Operation;
  readonly width: Width;
  target: number;
  first: number;
  second: number;
  third = none;
  /** Mask register that the target is written under. */
  mask = none;
  zeroing = false;
  place: MemoryPlace = memoryPlace.none;
  base = none;
  index = none;
  scale: 1 | 2 | 4 | 8 = 1;
  displacement = 0;
  /** The memory operand is one 32-bit element for all lanes. */
  broadcast = false;
  /** An immediate operand; for control operations the label. */
  immediate = 0;
  /** Whether `immediate` takes the place of `second` of an integer operation. */
  immediateOperand = false;

  constructor(operation: Operation, width: Width, target: number, first: number, second: number) {
    this.operation = operation;
    this.width = width;
    this.target = target;
    this.first = first;
    this.second = second;
  }
}

export const registerClasses = { int: 0, vector: 1, mask: 2 } as const;
export type RegisterClass = (typeof registerClasses)[keyof typeof registerClasses];

/** How a register's value is made again instead of being kept in a stack slot. */
export type Rematerialization =
  | { readonly kind: "int"; readonly value: number }
  /** The low lanes of a mask register. */
  | { readonly kind: "laneMask"; readonly bits: number }
  /** The same 32 bits in all lanes. */
  | { readonly kind: "splat"; readonly bits: number }
  /** A whole vector of the constant pool. */
  | { readonly kind: "vector"; readonly entry: number };

export class MachineFunction {
  readonly features: X86Features;
  /** Width of a full vector: 2 with AVX-512, else 1. */
  readonly width: Width;
  readonly pool = new ConstantPool();
  instructions: MachineInstruction[] = [];
  readonly classes: RegisterClass[] = [];
  readonly rematerializations: (Rematerialization | undefined)[] = [];
  /** Registers made by spilling: they live for one instruction and cannot be spilled again. */
  readonly unspillable: boolean[] = [];
  labelCount = 0;
  frameBytes = 0;
  /** Three frame words for integer divisions, reserved by the first of them. */
  divisionSlots = none;

  constructor(features: X86Features) {
    this.features = features;
    this.width = features.avx512 ? 2 : 1;
  }

  register(registerClass: RegisterClass, rematerialization?: Rematerialization): number {
    this.classes.push(registerClass);
    this.rematerializations.push(rematerialization);
    return this.classes.length - 1;
  }
  int(): number {
    return this.register(registerClasses.int);
  }
  vector(): number {
    return this.register(registerClasses.vector);
  }
  mask(): number {
    return this.register(registerClasses.mask);
  }
  label(): number {
    return this.labelCount++;
  }
  /** Reserves aligned bytes of the stack frame. */
  frameSlot(bytes: number): number {
    const offset = Math.ceil(this.frameBytes / bytes) * bytes;
    this.frameBytes = offset + bytes;
    return offset;
  }

  emit(operation: Operation, target: number, first: number, second: number, width = this.width): MachineInstruction {
    const instruction = new MachineInstruction(operation, width, target, first, second);
    this.instructions.push(instruction);
    return instruction;
  }
  emitImmediate(
    operation: Operation,
    target: number,
    first: number,
    second: number,
    immediate: number,
    width = this.width,
  ): MachineInstruction {
    const instruction = this.emit(operation, target, first, second, width);
    instruction.immediate = immediate;
    return instruction;
  }
  emitJump(operation: Operation, label: number): void {
    this.emit(operation, none, none, none).immediate = label;
  }
  emitLabel(label: number): void {
    this.emitJump(operations.label, label);
  }
}

/** Puts a stack slot or pool entry in the place of an operand. */
export function setPlace(
  instruction: MachineInstruction,
  place: MemoryPlace,
  base: number,
  displacement: number,
): MachineInstruction {
  instruction.place = place;
  instruction.base = base;
  instruction.displacement = displacement;
  if (place === memoryPlace.second) instruction.second = none;
  else if (place === memoryPlace.third) instruction.third = none;
  return instruction;
}
