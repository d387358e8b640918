/** Operands for every row of the instruction table: registers of every bank, all kinds of addresses, disp8 edges, masks, broadcasts. */

import {
  operandClasses as c,
  findForm,
  formTakes,
  instructionTable,
  k,
  type MaskRegister,
  type Memory,
  type Mnemonic,
  masked,
  memory,
  type Operand,
  r8,
  r32,
  r64,
  type Vector,
  vector,
} from "../../../src/targets/x86/assembler/index.ts";
import type { InstructionForm } from "../../../src/targets/x86/assembler/instruction-form.ts";

export interface EncoderCase {
  readonly form: InstructionForm<Mnemonic>;
  readonly operands: readonly Operand[];
}

/** Forms whose target cannot be masked although it is a vector or memory. */
const unmaskable = new Set([
  "vmovntps",
  "vpmovm2d",
  "vpmovd2m",
  "vmovd",
  "vmovq",
  "vmovss",
  "vmovsd",
  ...["b", "w", "d", "q"].flatMap((size) => [`vpinsr${size}`, `vpextr${size}`]),
]);
const isGather = (name: string) => name.includes("gather") || name.includes("scatter");

/** Register codes for operand 0, 1, 2, 3 in each variant; distinct, because gathers demand it. */
const codes = {
  low: [1, 2, 3, 5],
  high: [9, 12, 15, 10],
  targetHigh: [13, 6, 4, 7],
  extended: [17, 22, 31, 26],
  mixed: [30, 1, 9, 18],
} as const;

function addresses(scale: number): Memory[] {
  const [rax, rcx, rsp, rbp, r12, r13, r9] = [0, 1, 4, 5, 12, 13, 9].map(r64);
  return [
    memory(rax),
    memory(rsp, scale),
    memory(rbp),
    memory(r12, -scale * 128),
    memory(r13),
    memory(r9, scale * 127),
    memory(rcx, scale * 128),
    memory(rcx, scale * 127 + 1),
    memory(r13, 0, { index: r12, scale: 8 }),
    memory(rsp, -scale * 129, { index: rbp, scale: 2 }),
    memory(undefined, 64, { index: r9, scale: 4 }),
    memory(r12, 0x12345678),
  ];
}

function immediates(accepts: number): (number | bigint)[] {
  if (accepts & c.unsigned8) return [3, 0x1e];
  if (accepts & c.signed8) return [5, -7];
  if (accepts & c.integer64) return [0x123456789abc, -0x123456789abcdef0n];
  return accepts & c.unsigned32 ? [0x1234, 0x7fffffff] : [0x1234, -0x12345];
}

/** One operand for a pattern, as a register if it can be one. */
function registerOperand(accepts: number, code: number): Operand | undefined {
  if (accepts & c.cl && !(accepts & c.r8)) return r8(1);
  if (accepts & c.r8) return code < 16 ? r8(code) : undefined;
  if (accepts & c.r32) return code < 16 ? r32(code) : undefined;
  if (accepts & c.r64) return code < 16 ? r64(code) : undefined;
  if (accepts & c.k) return k(code & 7);
  const bits = accepts & c.xmm ? 128 : accepts & c.ymm ? 256 : accepts & c.zmm ? 512 : undefined;
  return bits === undefined ? undefined : vector(code, bits);
}

function baseOperands(form: InstructionForm, variant: readonly number[], round: number): Operand[] | undefined {
  const operands: Operand[] = [];
  for (let i = 0; i < form.operands.length; i++) {
    const { accepts, memoryBits } = form.operands[i];
    // mask registers have 8 codes and general registers 16: wrap, so that mixed forms reach the extended banks
    const code = accepts & (c.k | c.r32 | c.r64 | c.r8) ? variant[i] & 15 : variant[i];
    const gather = accepts & (c.vsibXmm | c.vsibYmm | c.vsibZmm);
    const register = registerOperand(accepts, code);
    if (register !== undefined) operands.push(register);
    else if (gather) {
      const bits = accepts & c.vsibXmm ? 128 : accepts & c.vsibYmm ? 256 : 512;
      const base = [r64(3), r64(13), undefined][round % 3];
      operands.push(memory(base, [0, 8, 1000, -512][round % 4], { index: vector(code, bits), scale: 4 }));
    } else if (accepts & c.memory) {
      operands.push(addresses(Math.max(1, form.encoding === "evex" ? memoryBits / 8 : 1))[round % 12]);
    } else if (form.operands[i].immediateBytes > 0) operands.push(immediates(accepts)[round & 1]);
    else return undefined;
  }
  return operands;
}

const withSize = (operand: Memory, form: InstructionForm, bits: number): Memory =>
  form.needsSize ? { ...operand, bits } : operand;

function* casesOf(form: InstructionForm<Mnemonic>, row: number): Generator<Operand[]> {
  const memoryAt = form.operands.findIndex((pattern) => pattern.accepts & c.memory);
  const variants = Object.values(codes);
  for (let round = 0; round < variants.length; round++) {
    const operands = baseOperands(form, variants[round], round);
    if (operands === undefined) continue;
    yield operands;
    if (form.encoding !== "evex") continue;
    const [target] = operands;
    const maskable =
      typeof target === "object" && (target.kind === "vector" || target.kind === "mask" || target.kind === "memory");
    if (!maskable || unmaskable.has(form.mnemonic)) continue;
    yield [masked(target as Vector | MaskRegister, k(1 + round)), ...operands.slice(1)];
    if (target.kind === "vector" && !isGather(form.mnemonic)) {
      yield [masked(target, k(7 - round), true), ...operands.slice(1)];
    }
  }
  if (memoryAt < 0) return;
  const { memoryBits, broadcastBits } = form.operands[memoryAt];
  const scale = Math.max(1, form.encoding === "evex" ? memoryBits / 8 : 1);
  // each row takes its share of the addresses; over the table all meet all
  for (const [round, address] of addresses(scale).entries()) {
    if ((round + row) % 3 !== 0) continue;
    const variant = form.encoding === "evex" ? codes.extended : round & 1 ? codes.high : codes.low;
    const operands = baseOperands(form, variant, round);
    if (operands === undefined) continue;
    yield operands.with(memoryAt, withSize(address, form, memoryBits));
  }
  if (form.encoding !== "evex" || broadcastBits === 0) return;
  for (const [round, address] of addresses(broadcastBits / 8).entries()) {
    if ((round + row) % 5 !== 0) continue;
    const operands = baseOperands(form, round & 1 ? codes.low : codes.extended, round);
    if (operands === undefined) continue;
    const broadcast = memory(address.base, address.displacement, {
      index: address.index,
      scale: address.scale,
      broadcast: true,
    });
    yield operands.with(memoryAt, broadcast);
  }
}

/** Branches to labels are tested with the assembler, not here. */
export const takesLabel = (form: InstructionForm): boolean =>
  form.operands.some((pattern) => pattern.accepts & c.label);

/** At least one case per row, encoded by that row. */
export function encoderCases(): EncoderCase[] {
  const cases: EncoderCase[] = [];
  for (const [row, form] of instructionTable.entries()) {
    if (takesLabel(form)) continue;
    for (const operands of casesOf(form, row)) {
      if (isGather(form.mnemonic) && form.encoding === "evex" && !operands.some(hasMask)) continue;
      if (formTakes(form, operands) && findForm(form.mnemonic, operands) === form) cases.push({ form, operands });
    }
  }
  return cases;
}

const hasMask = (operand: Operand): boolean => typeof operand === "object" && "mask" in operand && operand.mask > 0;
