/** Assembly text in Intel syntax, as GNU as reads it. */
import type { InstructionForm } from "./instruction-form.ts";
import { findForm, type Mnemonic } from "./instruction-table.ts";
import type { Gpr, Memory, Operand, Vector } from "./operands.ts";

const names64 = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
const names8 = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"];
const sizeNames: Readonly<Record<number, string>> = {
  8: "byte ptr ",
  16: "word ptr ",
  32: "dword ptr ",
  64: "qword ptr ",
  128: "xmmword ptr ",
  256: "ymmword ptr ",
  512: "zmmword ptr ",
};
const vectorLetters = { 128: "xmm", 256: "ymm", 512: "zmm" } as const;

function gprName(register: Gpr): string {
  if (register.code > 7) return `r${register.code}${register.bits === 64 ? "" : register.bits === 32 ? "d" : "b"}`;
  if (register.bits === 8) return names8[register.code];
  return register.bits === 64 ? names64[register.code] : `e${names64[register.code].slice(1)}`;
}
const maskSuffix = (mask: number, zeroing = false): string => (mask > 0 ? `{k${mask}}${zeroing ? "{z}" : ""}` : "");
const vectorName = (register: Vector): string => `${vectorLetters[register.bits]}${register.code}`;

function addressText(operand: Memory): string {
  const parts: string[] = [];
  if (operand.label) parts.push(`rip+C${operand.label.id}`);
  if (operand.base) parts.push(gprName(operand.base));
  if (operand.index) {
    const name = operand.index.kind === "vector" ? vectorName(operand.index) : gprName(operand.index);
    parts.push(`${name}*${operand.scale}`);
  }
  let text = parts.join("+");
  if (operand.displacement !== 0 || text === "") {
    text += operand.displacement < 0 ? `-${-operand.displacement}` : `${text === "" ? "" : "+"}${operand.displacement}`;
  }
  return `[${text}]`;
}

function memoryText(operand: Memory, form: InstructionForm | undefined, position: number): string {
  const pattern = form?.operands[position];
  const suffix = maskSuffix(operand.mask);
  if (operand.broadcast) {
    const element = pattern?.broadcastBits || 32;
    const lanes = (128 << (form?.length ?? 2)) / element;
    return `${sizeNames[element]}${addressText(operand)}{1to${lanes}}${suffix}`;
  }
  const isGather = operand.index?.kind === "vector";
  const bits = operand.bits ?? pattern?.memoryBits ?? 0;
  return `${isGather || bits === 0 ? "" : sizeNames[bits]}${addressText(operand)}${suffix}`;
}

/** The text of one instruction, for example `vfmadd231ps zmm0, zmm1, dword ptr [rdi+64]{1to16}`. */
export function printInstruction(mnemonic: Mnemonic, operands: readonly Operand[]): string {
  const form = findForm(mnemonic, operands);
  const texts = operands.map((operand, position) => {
    if (typeof operand !== "object") return String(operand);
    if (operand.kind === "gpr") return gprName(operand);
    if (operand.kind === "vector") return vectorName(operand) + maskSuffix(operand.mask, operand.zeroing);
    if (operand.kind === "mask") return `k${operand.code}${maskSuffix(operand.mask)}`;
    if (operand.kind === "label") return `L${operand.id}`;
    return memoryText(operand, form, position);
  });
  // a 64-bit immediate has a mnemonic of its own
  const name = form?.operands.some((pattern) => pattern.immediateBytes === 8) ? "movabs" : mnemonic;
  return texts.length === 0 ? name : `${name} ${texts.join(", ")}`;
}
