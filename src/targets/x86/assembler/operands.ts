/**
 * Operands of x86-64 instructions. Each carries `operandClass`, a bit set that says which operand patterns of the instruction table it
 * can fill, so that choosing a form is a few bitwise ands.
 */

/** Bits of `operandClass`; a table pattern is a union of them. */
export const operandClasses = {
  r8: 1 << 0,
  r32: 1 << 1,
  r64: 1 << 2,
  /** CL, the count register of the shifts. */
  cl: 1 << 3,
  xmm: 1 << 4,
  ymm: 1 << 5,
  zmm: 1 << 6,
  /** Vector registers that only EVEX can name: 16 … 31, or under a mask. */
  xmmExtended: 1 << 7,
  ymmExtended: 1 << 8,
  zmmExtended: 1 << 9,
  k: 1 << 10,
  kMasked: 1 << 11,
  memory: 1 << 12,
  memoryMasked: 1 << 13,
  memoryBroadcast: 1 << 14,
  vsibXmm: 1 << 15,
  vsibYmm: 1 << 16,
  vsibZmm: 1 << 17,
  /** The same with an index register from 16 on. */
  vsibXmmExtended: 1 << 18,
  vsibYmmExtended: 1 << 19,
  vsibZmmExtended: 1 << 20,
  signed8: 1 << 21,
  unsigned8: 1 << 22,
  signed32: 1 << 23,
  unsigned32: 1 << 24,
  integer64: 1 << 25,
  label: 1 << 26,
} as const;

/** A general-purpose register: code 0 … 15 (rax rcx rdx rbx rsp rbp rsi rdi r8 … r15), seen at a width. */
export interface Gpr {
  readonly kind: "gpr";
  readonly operandClass: number;
  readonly code: number;
  readonly bits: 8 | 32 | 64;
}

export type VectorBits = 128 | 256 | 512;

/** A vector register: code 0 … 31 (from 16 on EVEX only), optionally written under a mask. */
export interface Vector {
  readonly kind: "vector";
  readonly operandClass: number;
  readonly code: number;
  readonly bits: VectorBits;
  /** Mask register 1 … 7; 0 for none. */
  readonly mask: number;
  /** Lanes outside the mask become 0 instead of staying. */
  readonly zeroing: boolean;
}

/** A mask register k0 … k7; as the target of a comparison it can itself be masked. */
export interface MaskRegister {
  readonly kind: "mask";
  readonly operandClass: number;
  readonly code: number;
  readonly mask: number;
}

/** A place in the code or in the constant pool. */
export interface Label {
  readonly kind: "label";
  readonly operandClass: number;
  readonly id: number;
}

export type Scale = 1 | 2 | 4 | 8;

/** `[base + index·scale + displacement]`, or a label (rip-relative). */
export interface Memory {
  readonly kind: "memory";
  readonly operandClass: number;
  readonly base: Gpr | undefined;
  readonly index: Gpr | Vector | undefined;
  readonly scale: Scale;
  readonly displacement: number;
  readonly label: Label | undefined;
  /** Size of the access; needed only where no register operand tells it. */
  readonly bits: number | undefined;
  /** One element, repeated in all lanes (EVEX embedded broadcast). */
  readonly broadcast: boolean;
  readonly mask: number;
}

/** An immediate is a plain number (a bigint only for a 64-bit `mov`). */
export type Operand = Gpr | Vector | MaskRegister | Memory | Label | number | bigint;

const registers = <T>(count: number, make: (code: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, code) => make(code));

const gpr8 = registers(16, (code): Gpr => {
  const operandClass = operandClasses.r8 | (code === 1 ? operandClasses.cl : 0);
  return { kind: "gpr", operandClass, code, bits: 8 };
});
const gpr32 = registers(16, (code): Gpr => ({ kind: "gpr", operandClass: operandClasses.r32, code, bits: 32 }));
const gpr64 = registers(16, (code): Gpr => ({ kind: "gpr", operandClass: operandClasses.r64, code, bits: 64 }));

/** The 8-bit register of a code (4 … 7 are spl bpl sil dil). */
export const r8 = (code: number): Gpr => gpr8[code];
export const r32 = (code: number): Gpr => gpr32[code];
export const r64 = (code: number): Gpr => gpr64[code];

/** The 64-bit registers by name. */
export const [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8q, r9, r10, r11, r12, r13, r14, r15] = gpr64;
/** CL as a shift count. */
export const cl = gpr8[1];

const plainVectorClass = { 128: operandClasses.xmm, 256: operandClasses.ymm, 512: operandClasses.zmm } as const;
const extendedVectorClass = {
  128: operandClasses.xmmExtended,
  256: operandClasses.ymmExtended,
  512: operandClasses.zmmExtended,
} as const;

function makeVector(code: number, bits: VectorBits, mask: number, zeroing: boolean): Vector {
  const extended = code > 15 || mask > 0;
  const operandClass = extended ? extendedVectorClass[bits] : plainVectorClass[bits];
  return { kind: "vector", operandClass, code, bits, mask, zeroing };
}
const vectors = {
  128: registers(32, (code) => makeVector(code, 128, 0, false)),
  256: registers(32, (code) => makeVector(code, 256, 0, false)),
  512: registers(32, (code) => makeVector(code, 512, 0, false)),
} as const;

/** The vector register of a code at a width. */
export const vector = (code: number, bits: VectorBits): Vector => vectors[bits][code];
export const xmm = (code: number): Vector => vectors[128][code];
export const ymm = (code: number): Vector => vectors[256][code];
export const zmm = (code: number): Vector => vectors[512][code];

const masks = registers(8, (code): MaskRegister => ({ kind: "mask", operandClass: operandClasses.k, code, mask: 0 }));
/** The mask register of a code. */
export const k = (code: number): MaskRegister => masks[code];

const maskOf = (mask: MaskRegister): number => mask.code;

/** A target written only in the lanes of a mask (k1 … k7): the other lanes stay, or become 0 with `zeroing`. */
export function masked<T extends Vector | MaskRegister | Memory>(target: T, mask: MaskRegister, zeroing?: boolean): T;
export function masked(
  target: Vector | MaskRegister | Memory,
  mask: MaskRegister,
  zeroing = false,
): Vector | MaskRegister | Memory {
  if (target.kind === "vector") return makeVector(target.code, target.bits, maskOf(mask), zeroing);
  if (target.kind === "mask") return { ...target, operandClass: operandClasses.kMasked, mask: maskOf(mask) };
  const operandClass =
    target.operandClass === operandClasses.memory ? operandClasses.memoryMasked : target.operandClass;
  return { ...target, operandClass, mask: maskOf(mask) };
}

export interface MemoryOptions {
  readonly index?: Gpr | Vector;
  readonly scale?: Scale;
  readonly bits?: number;
  readonly broadcast?: boolean;
}

/** `[base + index·scale + displacement]`; a vector index makes a gather's address. */
export function memory(base: Gpr | undefined, displacement = 0, options?: MemoryOptions): Memory {
  return {
    kind: "memory",
    operandClass: options === undefined ? operandClasses.memory : memoryClass(options),
    base,
    index: options?.index,
    scale: options?.scale ?? 1,
    displacement,
    label: undefined,
    bits: options?.bits,
    broadcast: options?.broadcast ?? false,
    mask: 0,
  };
}

/** Memory at a label: an entry of the constant pool, reached relative to rip. */
export function memoryAt(label: Label, options?: { readonly bits?: number; readonly broadcast?: boolean }): Memory {
  const at = memory(undefined, 0, options);
  return { ...at, label };
}

function memoryClass(options: MemoryOptions): number {
  const index = options.index;
  if (index?.kind === "vector") {
    if (index.code > 15) return operandClasses.vsibXmmExtended << vsibWidth[index.bits];
    return operandClasses.vsibXmm << vsibWidth[index.bits];
  }
  return options.broadcast ? operandClasses.memoryBroadcast : operandClasses.memory;
}
const vsibWidth = { 128: 0, 256: 1, 512: 2 } as const;

/** The class bits of an immediate. */
export function immediateClass(value: number | bigint): number {
  if (value >= -128 && value <= 127) return immediateSmall | (value >= 0 ? nonNegativeSmall : 0);
  if (value >= 0 && value <= 255) return operandClasses.signed32 | nonNegativeSmall | operandClasses.integer64;
  if (value >= -0x80000000 && value <= 0x7fffffff) {
    return operandClasses.signed32 | operandClasses.integer64 | (value >= 0 ? operandClasses.unsigned32 : 0);
  }
  if (value >= 0 && value <= 0xffffffff) return operandClasses.unsigned32 | operandClasses.integer64;
  return operandClasses.integer64;
}
const immediateSmall = operandClasses.signed8 | operandClasses.signed32 | operandClasses.integer64;
const nonNegativeSmall = operandClasses.unsigned8 | operandClasses.unsigned32;
