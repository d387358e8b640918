/** Operations whose instructions overwrite an input: which form is right depends on the input that shares the target's register. */
import {
  type Gpr,
  type Memory,
  type Mnemonic,
  memory,
  type Operand,
  r32,
  r64,
  rax,
  rdx,
  rsp,
} from "../assembler/index.ts";
import type { Emitter } from "./emit.ts";
import { type MachineInstruction, memoryPlace, none } from "./machine-code.ts";
import { operations } from "./operations.ts";

const forms = {
  fma: { form132: "vfmadd132ps", form213: "vfmadd213ps", form231: "vfmadd231ps" },
  fnma: { form132: "vfnmadd132ps", form213: "vfnmadd213ps", form231: "vfnmadd231ps" },
} as const satisfies Record<string, Record<string, Mnemonic>>;

/** target = first·second + third. 231 overwrites the addend, 213 and 132 a factor; the last operand may be memory. */
export function emitFma(emitter: Emitter, i: MachineInstruction): void {
  const { assembler } = emitter;
  const { form132, form213, form231 } = i.operation === operations.fma ? forms.fma : forms.fnma;
  const t = emitter.code(i.target);
  const a = emitter.code(i.first);
  const b = i.place === memoryPlace.second ? none : emitter.code(i.second);
  const c = i.place === memoryPlace.third ? none : emitter.code(i.third);
  const register = (virtual: number) => emitter.vector(virtual, i.width);
  const target = register(i.target);
  if (c === none) {
    const addend = emitter.memory(i);
    if (t === a) assembler.emit(form213, target, register(i.second), addend);
    else if (t === b) assembler.emit(form213, target, register(i.first), addend);
    else {
      assembler.emit("vmovaps", target, register(i.first));
      assembler.emit(form213, target, register(i.second), addend);
    }
    return;
  }
  const second: Operand = b === none ? emitter.memory(i) : register(i.second);
  if (t === c) assembler.emit(form231, target, register(i.first), second);
  else if (t === a) {
    if (b === none) assembler.emit(form132, target, register(i.third), second);
    else assembler.emit(form213, target, second, register(i.third));
  } else if (t === b) assembler.emit(form213, target, register(i.first), register(i.third));
  else {
    assembler.emit("vmovaps", target, register(i.third));
    assembler.emit(form231, target, register(i.first), second);
  }
}

/** A move, or nothing where it moves to itself. */
export function moveInt(emitter: Emitter, target: Gpr, source: Gpr): void {
  if (target.code !== source.code) emitter.assembler.emit("mov", target, source);
}

export function emitIntBinary(emitter: Emitter, i: MachineInstruction): void {
  const { assembler } = emitter;
  const { operation } = i;
  const target = emitter.int(i.target);
  const first = emitter.int(i.first);
  const name = operation.mnemonic;
  if (i.immediateOperand) {
    if (operation === operations.add && target.code !== first.code)
      assembler.emit("lea", target, memory(first, i.immediate));
    else {
      moveInt(emitter, target, first);
      assembler.emit(name, target, i.immediate);
    }
    return;
  }
  const second = i.place === memoryPlace.second ? emitter.memory(i) : emitter.int(i.second);
  if (target.code === first.code || second.kind === "memory") {
    moveInt(emitter, target, first);
    assembler.emit(name, target, second);
  } else if (second.code === target.code) emitOnSecond(emitter, i, target, first);
  else if (operation === operations.add) assembler.emit("lea", target, memory(first, 0, { index: second, scale: 1 }));
  else {
    moveInt(emitter, target, first);
    assembler.emit(name, target, second);
  }
}

/** The target is the second input's register. */
function emitOnSecond(emitter: Emitter, i: MachineInstruction, target: Gpr, first: Gpr): void {
  const { assembler } = emitter;
  if (i.operation.commutative) assembler.emit(i.operation.mnemonic, target, first);
  else {
    // first − second = −second + first
    assembler.emit("neg", target);
    assembler.emit("add", target, first);
  }
}

export function emitMinimum(emitter: Emitter, i: MachineInstruction): void {
  const { assembler } = emitter;
  const target = emitter.int(i.target);
  let first = emitter.int(i.first);
  let second = emitter.int(i.second);
  if (target.code === second.code) [first, second] = [second, first];
  moveInt(emitter, target, first);
  assembler.emit("cmp", target, second);
  assembler.emit(i.operation.mnemonic, target, second);
}

/** `div` takes rdx:rax and leaves the quotient in rax, the remainder in rdx; what lived there is kept in the frame meanwhile. */
export function emitDivision(emitter: Emitter, i: MachineInstruction): void {
  const { assembler, machine } = emitter;
  const target = emitter.int(i.target);
  const slot = (number: number): Memory => memory(rsp, machine.divisionSlots + number * 8, { bits: 64 });
  assembler.emit("mov", slot(0), rax);
  assembler.emit("mov", slot(1), rdx);
  assembler.emit("mov", slot(2), emitter.int(i.second));
  moveInt(emitter, rax, emitter.int(i.first));
  assembler.emit("xor", r32(rdx.code), r32(rdx.code));
  assembler.emit("div", slot(2));
  moveInt(emitter, target, i.operation === operations.quotient ? rax : rdx);
  if (target.code !== rax.code) assembler.emit("mov", r64(rax.code), slot(0));
  if (target.code !== rdx.code) assembler.emit("mov", r64(rdx.code), slot(1));
}
