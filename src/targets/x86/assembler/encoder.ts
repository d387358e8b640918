/** Turns a form of the instruction table and its operands into bytes. Nothing here knows a mnemonic. */
import { InternalError } from "../../../errors.ts";
import type { CodeBuffer } from "./code-buffer.ts";
import type { InstructionForm } from "./instruction-form.ts";
import type { Gpr, MaskRegister, Memory, Operand, Vector } from "./operands.ts";

type RegisterOperand = Gpr | Vector | MaskRegister;

const legacyPrefixes = [0, 0x66, 0xf3, 0xf2] as const;
const scaleCodes = { 1: 0, 2: 1, 4: 2, 8: 3 } as const;

/** Operands sorted by role. Codes are full register numbers (0 … 31). */
interface Placed {
  reg: number;
  vvvv: number;
  rm: RegisterOperand | Memory | undefined;
  immediate: number | bigint | undefined;
  immediateBytes: number;
  /** Register in bits 7-4 of a last byte, or -1. */
  lastByteRegister: number;
  opcodeRegister: number;
  mask: number;
  zeroing: boolean;
  /** Bytes that an EVEX displacement of one byte counts in. */
  displacementScale: number;
  /** An 8-bit register spl, bpl, sil, dil needs a REX prefix to be named. */
  needsRex: boolean;
}

/** Appends one instruction. The operands fit the form (`formTakes`). Labels become fixups. */
export function encode(form: InstructionForm, operands: readonly Operand[], out: CodeBuffer): void {
  place(form, operands);
  const firstFixup = out.fixups.length;
  if (form.encoding === "legacy") encodeLegacyPrefix(form, out);
  else if (form.encoding === "vex") encodeVexPrefix(form, out);
  else encodeEvexPrefix(form, out);
  out.byte(form.opcode + (placed.opcodeRegister >= 0 ? placed.opcodeRegister & 7 : 0));
  if (form.fixedModRm >= 0) out.byte(form.fixedModRm);
  else if (placed.rm !== undefined) encodeModRm(placed.reg & 7, placed.rm, placed.displacementScale, out);
  if (placed.lastByteRegister >= 0) out.byte(placed.lastByteRegister << 4);
  if (placed.immediate !== undefined) encodeImmediate(placed.immediate, placed.immediateBytes, out);
  // a rip-relative displacement counts from the end of the instruction, immediates included
  for (let i = firstFixup; i < out.fixups.length; i++) out.fixups[i].from = out.length;
}

/** The one instruction that is being encoded; an object for each would be most of what the encoder allocates. */
const placed: Placed = {
  reg: 0,
  vvvv: 0,
  rm: undefined,
  immediate: undefined,
  immediateBytes: 0,
  lastByteRegister: -1,
  opcodeRegister: -1,
  mask: 0,
  zeroing: false,
  displacementScale: 1,
  needsRex: false,
};

function place(form: InstructionForm, operands: readonly Operand[]): void {
  placed.reg = form.extension >= 0 ? form.extension : 0;
  placed.vvvv = 0;
  placed.rm = undefined;
  placed.immediate = undefined;
  placed.immediateBytes = 0;
  placed.lastByteRegister = -1;
  placed.opcodeRegister = -1;
  placed.mask = 0;
  placed.zeroing = false;
  placed.displacementScale = 1;
  placed.needsRex = false;
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i];
    if (typeof operand !== "object") {
      placed.immediate = operand;
      placed.immediateBytes = form.operands[i].immediateBytes;
      continue;
    }
    if (operand.kind === "label") throw new InternalError(`${form.mnemonic}: branches are placed by the assembler`);
    if (operand.kind === "gpr") {
      if (operand.bits === 8 && operand.code >= 4) placed.needsRex = true;
    } else if (operand.mask > 0) {
      placed.mask = operand.mask;
      if (operand.kind === "vector") placed.zeroing = operand.zeroing;
    }
    if (operand.kind === "memory" && form.encoding === "evex") {
      const pattern = form.operands[i];
      placed.displacementScale = (operand.broadcast ? pattern.broadcastBits : pattern.memoryBits) >> 3 || 1;
    }
    placeRegister(form, form.roles[i], operand);
  }
}

function placeRegister(form: InstructionForm, role: string, operand: RegisterOperand | Memory): void {
  if (role === "M") placed.rm = operand;
  else if (operand.kind === "memory") throw new InternalError(`${form.mnemonic}: memory operand in role ${role}`);
  else if (role === "R") placed.reg = operand.code;
  else if (role === "V") placed.vvvv = operand.code;
  else if (role === "O") placed.opcodeRegister = operand.code;
  else if (role === "S") placed.lastByteRegister = operand.code;
}

/** Bit 3 (or 4) of the registers in ModRM.rm's place, as the prefixes' B and X. */
const baseCode = (rm: Placed["rm"]): number =>
  rm === undefined ? 0 : rm.kind === "memory" ? (rm.base?.code ?? 0) : rm.code;
const indexCode = (rm: Placed["rm"]): number => (rm?.kind === "memory" ? (rm.index?.code ?? 0) : 0);

function encodeLegacyPrefix(form: InstructionForm, out: CodeBuffer): void {
  const { prefix, map, w } = form.space;
  if (form.lock) out.byte(0xf0);
  if (prefix > 0) out.byte(legacyPrefixes[prefix]);
  const base = placed.opcodeRegister >= 0 ? placed.opcodeRegister : baseCode(placed.rm);
  const rex = (w << 3) | ((placed.reg & 8) >> 1) | ((indexCode(placed.rm) & 8) >> 2) | ((base & 8) >> 3);
  if (rex !== 0 || placed.needsRex) out.byte(0x40 | rex);
  if (map > 0) out.byte(0x0f);
  if (map === 2) out.byte(0x38);
  else if (map === 3) out.byte(0x3a);
}

function encodeVexPrefix(form: InstructionForm, out: CodeBuffer): void {
  const { prefix, map, w } = form.space;
  const r = (placed.reg >> 3) & 1;
  const x = (indexCode(placed.rm) >> 3) & 1;
  const b = (baseCode(placed.rm) >> 3) & 1;
  const last = ((~placed.vvvv & 15) << 3) | (form.length << 2) | prefix;
  if (x === 0 && b === 0 && w === 0 && map === 1) {
    out.byte(0xc5);
    out.byte(((r ^ 1) << 7) | last);
  } else {
    out.byte(0xc4);
    out.byte(((r ^ 1) << 7) | ((x ^ 1) << 6) | ((b ^ 1) << 5) | map);
    out.byte((w << 7) | last);
  }
}

function encodeEvexPrefix(form: InstructionForm, out: CodeBuffer): void {
  const { prefix, map, w } = form.space;
  const rm = placed.rm;
  const isMemory = rm?.kind === "memory";
  const index = indexCode(rm);
  const base = baseCode(rm);
  // X extends the index of an address, and bit 4 of a vector register in ModRM.rm; V' is bit 4 of vvvv or of a gather's index
  const x = isMemory ? (index >> 3) & 1 : (base >> 4) & 1;
  const vHigh = isMemory && rm.index?.kind === "vector" ? (index >> 4) & 1 : (placed.vvvv >> 4) & 1;
  const first =
    ((((placed.reg >> 3) & 1) ^ 1) << 7) |
    ((x ^ 1) << 6) |
    ((((base >> 3) & 1) ^ 1) << 5) |
    ((((placed.reg >> 4) & 1) ^ 1) << 4) |
    map;
  const second = (w << 7) | ((~placed.vvvv & 15) << 3) | 4 | prefix;
  const broadcast = isMemory && rm.broadcast ? 1 : 0;
  const third =
    ((placed.zeroing ? 1 : 0) << 7) | (form.length << 5) | (broadcast << 4) | ((vHigh ^ 1) << 3) | placed.mask;
  out.int32(0x62 | (first << 8) | (second << 16) | (third << 24));
}

function encodeModRm(reg: number, rm: RegisterOperand | Memory, displacementScale: number, out: CodeBuffer): void {
  if (rm.kind !== "memory") {
    out.byte(0xc0 | (reg << 3) | (rm.code & 7));
    return;
  }
  const { base, index, displacement } = rm;
  if (rm.label !== undefined) {
    out.byte((reg << 3) | 5);
    out.fixups.push({ at: out.length, label: rm.label.id, from: 0 });
    out.int32(displacement);
    return;
  }
  if (index?.kind === "gpr" && index.code === 4) throw new InternalError("rsp cannot be an index register");
  const indexBits = index === undefined ? 4 : index.code & 7;
  if (base === undefined) {
    out.byte((reg << 3) | 4);
    out.byte((scaleCodes[rm.scale] << 6) | (indexBits << 3) | 5);
    out.int32(displacement);
    return;
  }
  const scaled = displacement / displacementScale;
  // without a displacement byte, a base of rbp or r13 would mean something else
  const mode =
    displacement === 0 && (base.code & 7) !== 5
      ? 0
      : Number.isInteger(scaled) && scaled >= -128 && scaled <= 127
        ? 1
        : 2;
  if (index !== undefined || (base.code & 7) === 4) {
    out.byte((mode << 6) | (reg << 3) | 4);
    out.byte((scaleCodes[rm.scale] << 6) | (indexBits << 3) | (base.code & 7));
  } else {
    out.byte((mode << 6) | (reg << 3) | (base.code & 7));
  }
  if (mode === 1) out.byte(scaled & 255);
  else if (mode === 2) {
    if (displacement < -0x80000000 || displacement > 0x7fffffff) {
      throw new InternalError(`displacement ${displacement} does not fit in 32 bits`);
    }
    out.int32(displacement);
  }
}

function encodeImmediate(value: number | bigint, bytes: number, out: CodeBuffer): void {
  if (bytes === 1) out.byte(Number(value) & 255);
  else if (bytes === 4) out.int32(Number(value) | 0);
  else if (typeof value === "bigint") {
    out.int32(Number(BigInt.asIntN(32, value)));
    out.int32(Number(BigInt.asIntN(32, value >> 32n)));
  } else {
    out.int32(value | 0);
    out.int32(Math.floor(value / 0x100000000) | 0);
  }
}
