/** The shape of a row of the instruction table: one way to encode one mnemonic. */
import { operandClasses } from "./operands.ts";

/** Where an operand goes: ModRM.reg, VEX/EVEX.vvvv, ModRM.rm, immediate, opcode's low bits, imm8[7:4], branch target, nowhere. */
export type Role = "R" | "V" | "M" | "I" | "O" | "S" | "D" | "-";

/** What an operand may be. */
export interface OperandPattern {
  /** Union of `operandClasses`. */
  readonly accepts: number;
  /** Size of the memory access in bits; 0 where there is none (lea, prefetch) or no memory. With EVEX it is also the scale of disp8. */
  readonly memoryBits: number;
  /** Element size of an embedded broadcast; 0 if it cannot be one. */
  readonly broadcastBits: number;
  /** Bytes of an immediate. */
  readonly immediateBytes: 0 | 1 | 4 | 8;
}

/** How the first operand is used; all others are read. A "both" target of a three-operand form (fma) is a tie. */
export type Access = "write" | "both" | "read";

export interface FormOptions {
  readonly extension?: number;
  readonly fixedModRm?: number;
  readonly lock?: boolean;
  readonly access?: Access;
}

/** Mandatory prefix as VEX.pp (0 none, 1 66, 2 F3, 3 F2), opcode map (0 one byte, 1 0F, 2 0F38, 3 0F3A), W. */
export interface OpcodeSpace {
  readonly prefix: 0 | 1 | 2 | 3;
  readonly map: 0 | 1 | 2 | 3;
  readonly w: 0 | 1;
}

/** A row. Its notation is read when the row is first used: a program uses few of the hundreds, and should not wait for all at its start. */
export class InstructionForm<Name extends string = string> {
  readonly mnemonic: Name;
  readonly encoding: "legacy" | "vex" | "evex";
  /** Vector length as in EVEX.L'L: 0, 1, 2. */
  readonly length: 0 | 1 | 2;
  readonly opcode: number;
  /** Opcode extension in ModRM.reg; -1 for none. A fixed last byte (`xgetbv`) is written as ModRM in `fixedModRm`. */
  readonly extension: number;
  readonly fixedModRm: number;
  readonly lock: boolean;
  /** One `Role` per operand. */
  readonly roles: string;
  readonly access: Access;
  /** Whether the memory operand must say its size because another form differs in that only (filled in by the index). */
  needsSize: boolean | undefined = undefined;
  private readonly bits: number;
  private readonly spaceNotation: string;
  private readonly operandNotation: string;
  private knownSpace: OpcodeSpace | undefined = undefined;
  private knownOperands: readonly OperandPattern[] | undefined = undefined;

  constructor(
    mnemonic: Name,
    encoding: "legacy" | "vex" | "evex",
    bits: number,
    space: string,
    opcode: number,
    roles: string,
    operands: string,
    options: FormOptions,
  ) {
    this.mnemonic = mnemonic;
    this.encoding = encoding;
    this.length = bits === 512 ? 2 : bits === 256 ? 1 : 0;
    this.opcode = opcode;
    this.extension = options.extension ?? -1;
    this.fixedModRm = options.fixedModRm ?? -1;
    this.lock = options.lock ?? false;
    this.roles = roles;
    this.access = options.access ?? "write";
    this.bits = bits;
    this.spaceNotation = space;
    this.operandNotation = operands;
  }

  get space(): OpcodeSpace {
    this.knownSpace ??= parseSpace(this.spaceNotation);
    return this.knownSpace;
  }
  get operands(): readonly OperandPattern[] {
    this.knownOperands ??= this.parseOperands();
    return this.knownOperands;
  }

  private parseOperands(): readonly OperandPattern[] {
    const { mnemonic, encoding, bits, operandNotation, roles } = this;
    const patterns = operandNotation === "" ? [] : operandNotation.split(" ");
    if (patterns.length !== roles.length)
      throw new Error(`instruction table: ${mnemonic}: roles "${roles}" for "${operandNotation}"`);
    return patterns.map((pattern) => parsePattern(pattern, encoding, bits));
  }
}

const prefixCodes: Readonly<Record<string, 0 | 1 | 2 | 3>> = { "66": 1, F3: 2, F2: 3 };
const mapCodes: Readonly<Record<string, 1 | 2 | 3>> = { "0F": 1, "0F38": 2, "0F3A": 3 };

/** Reads the manual's notation, for example `66.0F38.W0`. */
export function parseSpace(space: string): OpcodeSpace {
  let prefix: 0 | 1 | 2 | 3 = 0;
  let map: 0 | 1 | 2 | 3 = 0;
  let w: 0 | 1 = 0;
  for (const part of space === "" ? [] : space.split(".")) {
    if (part in prefixCodes) prefix = prefixCodes[part];
    else if (part in mapCodes) map = mapCodes[part];
    else if (part === "W1") w = 1;
    else if (part !== "W0") throw new Error(`instruction table: unknown "${part}" in "${space}"`);
  }
  return { prefix, map, w };
}

const c = operandClasses;
const widths: Readonly<Record<string, number>> = { x: 128, y: 256, z: 512 };
const vectorClass: Readonly<Record<number, number>> = { 128: c.xmm, 256: c.ymm, 512: c.zmm };
const extendedClass: Readonly<Record<number, number>> = { 128: c.xmmExtended, 256: c.ymmExtended, 512: c.zmmExtended };

/**
 * Reads one operand pattern: alternatives separated by `/`. `v`, `h`, `q` are a vector register of the form's length, half and quarter of it
 * (never under 128); `mv`, `mh`, `mq` memory of exactly the length, its half, quarter; `m32` … memory of that size, `m` of any;
 * `b32`/`b64` embedded broadcast (EVEX); `x` `y` `z` `k` `r8` `r32` `r64` `cl` registers; `gx` `gy` `gz` a gather address of 32-bit
 * elements; `s8` `u8` `i32` `s32` `i64` immediates; `rel` a label.
 */
export function parsePattern(text: string, encoding: InstructionForm["encoding"], bits: number): OperandPattern {
  let accepts = 0;
  let memoryBits = 0;
  let broadcastBits = 0;
  let immediateBytes: 0 | 1 | 4 | 8 = 0;
  const evex = encoding === "evex";
  const addVector = (width: number) => {
    accepts |= vectorClass[width] | (evex ? extendedClass[width] : 0);
  };
  const addMemory = (width: number) => {
    accepts |= c.memory | (evex ? c.memoryMasked : 0);
    memoryBits = width;
  };
  for (const part of text.split("/")) {
    const number = Number(part.slice(1));
    if (part === "v" || part === "h" || part === "q") {
      addVector(Math.max(128, part === "v" ? bits : part === "h" ? bits / 2 : bits / 4));
    } else if (part === "mv" || part === "mh" || part === "mq") {
      addMemory(part === "mv" ? bits : part === "mh" ? bits / 2 : bits / 4);
    } else if (part === "x" || part === "y" || part === "z") addVector(widths[part]);
    else if (part === "r8" || part === "r32" || part === "r64" || part === "cl") accepts |= c[part];
    else if (part === "k") accepts |= c.k | (evex ? c.kMasked : 0);
    else if (part === "m") addMemory(0);
    else if (/^m\d+$/.test(part)) addMemory(number);
    else if (/^b\d+$/.test(part)) {
      if (evex) {
        accepts |= c.memoryBroadcast;
        broadcastBits = number;
      }
    } else if (/^g[xyz]$/.test(part)) {
      const shift = part === "gx" ? 0 : part === "gy" ? 1 : 2;
      accepts |= (c.vsibXmm << shift) | (evex ? c.vsibXmmExtended << shift : 0);
      memoryBits = 32;
    } else if (part === "s8" || part === "u8") {
      accepts |= part === "s8" ? c.signed8 : c.unsigned8;
      immediateBytes = 1;
    } else if (part === "s32" || part === "i32") {
      accepts |= part === "s32" ? c.signed32 : c.signed32 | c.unsigned32;
      immediateBytes = 4;
    } else if (part === "i64") {
      accepts |= c.integer64;
      immediateBytes = 8;
    } else if (part === "rel") accepts |= c.label;
    else throw new Error(`instruction table: unknown operand pattern "${part}" in "${text}"`);
  }
  return { accepts, memoryBits, broadcastBits, immediateBytes };
}

/** Builds one row. `operands` is a space-separated list of patterns, `roles` one letter each. */
export function makeForm<Name extends string>(
  mnemonic: Name,
  encoding: InstructionForm["encoding"],
  bits: number,
  space: string,
  opcode: number,
  roles: string,
  operands: string,
  options: FormOptions = noOptions,
): InstructionForm<Name> {
  return new InstructionForm(mnemonic, encoding, bits, space, opcode, roles, operands, options);
}
const noOptions: FormOptions = {};
