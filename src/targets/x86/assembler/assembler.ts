/** The assembler: instructions by mnemonic, labels, branches, a constant pool. What it makes is position-independent. */
import { InternalError } from "../../../errors.ts";
import { CodeBuffer } from "./code-buffer.ts";
import { encode } from "./encoder.ts";
import { findForm, type Mnemonic } from "./instruction-table.ts";
import { type ConditionCode, conditionCodes } from "./integer-instructions.ts";
import { type Label, type Operand, operandClasses } from "./operands.ts";
import { printInstruction } from "./printer.ts";

const shortBranches = new Map<string, number>([["jmp", 0xeb]]);
const nearBranches = new Map<string, number>([
  ["jmp", 0xe9],
  ["call", 0xe8],
]);
conditionCodes.forEach((condition, number) => {
  shortBranches.set(`j${condition}`, 0x70 + number);
  nearBranches.set(`j${condition}`, 0x0f80 + number);
});

/** The recommended long no-operations, by length. */
const paddings: readonly (readonly number[])[] = [
  [],
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

export interface AssemblerOptions {
  /** Keep the assembly text (Intel syntax) of every instruction; read it with `listing()`. */
  readonly listing?: boolean;
}

/**
 * Collects instructions.
 *
 * ```ts
 * const a = new Assembler();
 * const loop = a.label();
 * a.emit("mov", rax, 10);
 * a.align(16);
 * a.bind(loop);
 * a.emit("vfmadd231ps", zmm(0), zmm(1), memory(rdi, 64, { broadcast: true }));
 * a.emit("sub", rax, 1);
 * a.emit("jne", loop);
 * a.emit("ret");
 * const code = a.finish(); // place it at a multiple of 64
 * ```
 */
export class Assembler {
  private readonly buffer = new CodeBuffer();
  /** Offset of each label, -1 while it is not bound. */
  private readonly offsets: number[] = [];
  private readonly pool = new Map<string, { readonly label: Label; readonly bytes: Uint8Array }>();
  private readonly lines: string[] | undefined;

  constructor(options: AssemblerOptions = {}) {
    this.lines = options.listing ? [] : undefined;
  }

  /** Bytes emitted so far. */
  get offset(): number {
    return this.buffer.length;
  }

  /** Appends an instruction; throws `InternalError` naming the text if no form takes these operands. */
  emit(mnemonic: Mnemonic, ...operands: Operand[]): void {
    this.append(mnemonic, operands);
  }
  /** The same with the operands in a list. */
  append(mnemonic: Mnemonic, operands: readonly Operand[]): void {
    this.lines?.push(`  ${printInstruction(mnemonic, operands)}`);
    const first = operands[0];
    if (typeof first === "object" && first.kind === "label") {
      this.branch(mnemonic, first);
      return;
    }
    const form = findForm(mnemonic, operands);
    if (form === undefined) throw new InternalError(`no encoding for: ${printInstruction(mnemonic, operands)}`);
    encode(form, operands, this.buffer);
  }

  /** A jump to a label if a condition holds. */
  jumpIf(condition: ConditionCode, target: Label): void {
    this.emit(`j${condition}`, target);
  }

  /** A new label, to be bound once. */
  label(): Label {
    this.offsets.push(-1);
    return { kind: "label", operandClass: operandClasses.label, id: this.offsets.length - 1 };
  }
  /** The label stands for the next instruction. */
  bind(label: Label): void {
    if (this.offsets[label.id] >= 0) throw new InternalError(`label ${label.id} is bound twice`);
    this.offsets[label.id] = this.buffer.length;
    this.lines?.push(`L${label.id}:`);
  }
  /** A new label, bound here. */
  here(): Label {
    const label = this.label();
    this.bind(label);
    return label;
  }
  /** The offset of a bound label. */
  offsetOf(label: Label): number {
    return this.offsets[label.id];
  }

  /** Fills with no-operations up to a multiple of `bytes` (a power of two up to 64). */
  align(bytes: number): void {
    let missing = -this.buffer.length & (bytes - 1);
    if (missing > 0) this.lines?.push(`  .p2align ${Math.log2(bytes)}`);
    while (missing > 0) {
      const step = Math.min(missing, 9);
      for (const byte of paddings[step]) this.buffer.byte(byte);
      missing -= step;
    }
  }

  /** Data in the constant pool behind the code, aligned to its size (at most 64); equal data is stored once. */
  constant(bytes: Uint8Array): Label {
    const key = bytes.join();
    const known = this.pool.get(key);
    if (known) return known.label;
    const label = this.label();
    this.pool.set(key, { label, bytes: bytes.slice() });
    return label;
  }
  /** 32-bit words in the constant pool. */
  constantWords(words: readonly number[]): Label {
    return this.constant(new Uint8Array(Int32Array.from(words).buffer));
  }
  /** f32 values in the constant pool. */
  constantFloats(values: readonly number[]): Label {
    return this.constant(new Uint8Array(Float32Array.from(values).buffer));
  }

  /** Assembly text so far, one instruction a line. */
  listing(): string {
    return (this.lines ?? []).join("\n");
  }

  /** Places the constant pool, resolves all labels and returns the bytes. They run at any address that is a multiple of 64. */
  finish(): Uint8Array {
    this.placePool();
    const { buffer, offsets } = this;
    for (const { at, label, from } of buffer.fixups) {
      const target = offsets[label];
      if (target < 0) throw new InternalError(`label ${label} is used but never bound`);
      const addend = new DataView(buffer.bytes.buffer).getInt32(at, true);
      buffer.patch32(at, target + addend - from);
    }
    buffer.fixups.length = 0;
    return buffer.bytes.slice(0, buffer.length);
  }

  private placePool(): void {
    if (this.pool.size === 0) return;
    // largest first, so that natural alignment leaves no gaps
    const entries = [...this.pool.values()].sort((a, b) => b.bytes.length - a.bytes.length);
    while (this.buffer.length & 63) this.buffer.byte(0xcc);
    for (const { label, bytes } of entries) {
      const alignment = Math.min(64, 2 ** Math.ceil(Math.log2(Math.max(bytes.length, 1))));
      while (this.buffer.length & (alignment - 1)) this.buffer.byte(0);
      this.offsets[label.id] = this.buffer.length;
      this.buffer.append(bytes);
      this.lines?.push(`C${label.id}: .byte ${bytes.join(", ")}`);
    }
    this.pool.clear();
  }

  /** Backwards within 128 bytes the short form; forwards always the long one, so that nothing moves later. */
  private branch(mnemonic: Mnemonic, target: Label): void {
    const { buffer } = this;
    const offset = this.offsets[target.id];
    const short = shortBranches.get(mnemonic);
    if (short !== undefined && offset >= 0 && offset - (buffer.length + 2) >= -128) {
      buffer.byte(short);
      buffer.byte((offset - (buffer.length + 1)) & 255);
      return;
    }
    const near = nearBranches.get(mnemonic);
    if (near === undefined) throw new InternalError(`${mnemonic} does not take a label`);
    if (near > 255) buffer.byte(near >> 8);
    buffer.byte(near & 255);
    buffer.fixups.push({ at: buffer.length, label: target.id, from: buffer.length + 4 });
    buffer.int32(0);
  }
}
