/**
 * The kernel IR: structured loops over virtual registers, the language between the schedule and the machine-code targets.
 *
 * - Integer registers hold 64-bit integers: addresses, counters, sign-extended i32 data.
 * - Vector registers hold 16 lanes of 32 bits (f32, i32, or a mask: all ones or all zeros). A target with narrower vectors uses several
 *   machine registers for one; results are the same to the bit because every lane and every horizontal tree is defined over 16 lanes.
 * - Registers are mutable. A register used in a loop body before it is assigned there must have been assigned before the loop.
 * - A kernel is called once per task: `kernel(arguments, task, scratch)`. `arguments` is a table of 64-bit addresses, `scratch` the calling
 *   thread's private memory (64-byte aligned, at least `scratchBytes`), `task` runs over 0 … tasks-1 in any order on any thread.
 */

export interface IntRegister {
  readonly kind: "int";
  readonly id: number;
}
export interface VectorRegister {
  readonly kind: "vector";
  readonly id: number;
}
export type Register = IntRegister | VectorRegister;
export type IntOperand = IntRegister | number;

/** `base + index·scale + displacement` bytes. */
export interface Address {
  readonly base: IntRegister;
  readonly index?: IntRegister;
  readonly scale?: 1 | 2 | 4 | 8;
  readonly displacement: number;
}

/** Element type in memory: u8 widens to i32 lanes on load and narrows (low byte) on store; f32 and i32 move bits unchanged. */
export type MemoryType = "f32" | "i32" | "u8";

/** Two-input vector primitives. Lane-wise; f = f32, i = i32; masks are all ones or zeros. */
export type BinaryVectorOp =
  | "fadd"
  | "fsub"
  | "fmul"
  | "fdiv"
  /** a < b ? a : b and a > b ? a : b; the second input where unordered or equal (x86 semantics). */
  | "fmin"
  | "fmax"
  | "flt"
  | "fle"
  | "feq"
  | "fne" /* unordered or unequal: true */
  | "iadd"
  | "isub"
  | "imul"
  | "imin"
  | "imax"
  | "ilt"
  | "ieq"
  | "and"
  | "or"
  | "xor" /* bits */
  | "andnot" /* ~a & b */
  /** Shifts by a per-lane count in b; a count of 32 or more gives 0 (for `shra` the sign). */
  | "shl"
  | "shrl"
  | "shra";
export type UnaryVectorOp =
  | "fsqrt"
  | "ffloor"
  | "fceil"
  | "froundeven"
  | "ftrunc"
  /** i32 -> f32 (round to nearest even); f32 -> i32 truncating and to nearest even (0x80000000 where it does not fit). */
  | "itof"
  | "ftoi"
  | "ftoiround"
  | "move";
/** Horizontal combination of 16 lanes: halves are folded 8, 4, 2, 1 (lane i with lane i+8, then i+4 …); every lane of the result holds it. */
export type HorizontalOp = "fadd" | "fmul" | "fmin" | "fmax" | "imin" | "imax" | "iadd" | "and" | "or";

export type BinaryIntOp =
  | "add"
  | "sub"
  | "mul"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr"
  | "sar"
  | "min"
  | "max"
  /** Unsigned quotient and remainder; the divisor is never 0 (guard it before). */
  | "div"
  | "rem";

export type Comparison = "lt" | "le" | "gt" | "ge" | "eq" | "ne";
export type Condition =
  | { readonly kind: "int"; readonly comparison: Comparison; readonly left: IntRegister; readonly right: IntOperand }
  /** Whether any lane of a mask is set. */
  | { readonly kind: "anyLane"; readonly mask: VectorRegister };

export type Instruction =
  | { readonly op: "intConstant"; readonly target: IntRegister; readonly value: number }
  /** Address number `index` of the argument table. */
  | { readonly op: "argument"; readonly target: IntRegister; readonly index: number }
  | { readonly op: "task"; readonly target: IntRegister }
  | { readonly op: "scratch"; readonly target: IntRegister }
  | { readonly op: "intMove"; readonly target: IntRegister; readonly source: IntRegister }
  | {
      readonly op: "intBinary";
      readonly function: BinaryIntOp;
      readonly target: IntRegister;
      readonly left: IntRegister;
      readonly right: IntOperand;
    }
  /** target = base + index·scale + displacement. */
  | { readonly op: "address"; readonly target: IntRegister; readonly address: Address }
  /** i32 sign-extends, u8 zero-extends. */
  | {
      readonly op: "intLoad";
      readonly target: IntRegister;
      readonly address: Address;
      readonly type: "i32" | "u8" | "i64";
    }
  | {
      readonly op: "intStore";
      readonly source: IntRegister;
      readonly address: Address;
      readonly type: "i32" | "u8" | "i64";
    }
  /** All lanes the same 32-bit pattern; `type` says how `value` is encoded. */
  | {
      readonly op: "vectorConstant";
      readonly target: VectorRegister;
      readonly value: number;
      readonly type: "f32" | "i32";
    }
  /** 0, 1, …, 15 as i32. */
  | { readonly op: "laneIndex"; readonly target: VectorRegister }
  /** Low 32 bits of an integer in all lanes. */
  | { readonly op: "splatInt"; readonly target: VectorRegister; readonly source: IntRegister }
  /** One element in all lanes. */
  | {
      readonly op: "broadcastLoad";
      readonly target: VectorRegister;
      readonly address: Address;
      readonly type: MemoryType;
    }
  /** The first `lanes` (1 … 16, default 16) lanes, or those of `mask`; the others become 0 and their memory is not touched. */
  | {
      readonly op: "load";
      readonly target: VectorRegister;
      readonly address: Address;
      readonly type: MemoryType;
      readonly lanes?: number;
      readonly mask?: VectorRegister;
    }
  /** Lanes as in `load`. `streaming` (past the caches) needs a 64-byte aligned address and type f32 or i32; with lanes or a mask it is an ordinary store. */
  | {
      readonly op: "store";
      readonly source: VectorRegister;
      readonly address: Address;
      readonly type: MemoryType;
      readonly lanes?: number;
      readonly mask?: VectorRegister;
      readonly streaming?: boolean;
    }
  /** Lane i from base + indices[i]·scale + displacement (indices are i32 lanes); lanes outside `lanes`/`mask` become 0, memory untouched. */
  | {
      readonly op: "gather";
      readonly target: VectorRegister;
      readonly base: IntRegister;
      readonly indices: VectorRegister;
      readonly scale: 1 | 2 | 4 | 8;
      readonly displacement: number;
      readonly type: MemoryType;
      readonly lanes?: number;
      readonly mask?: VectorRegister;
    }
  /** target = a·b + target, rounded once. */
  | { readonly op: "fma"; readonly target: VectorRegister; readonly a: VectorRegister; readonly b: VectorRegister }
  /** target = target − a·b, rounded once. */
  | { readonly op: "fnma"; readonly target: VectorRegister; readonly a: VectorRegister; readonly b: VectorRegister }
  | {
      readonly op: "vectorBinary";
      readonly function: BinaryVectorOp;
      readonly target: VectorRegister;
      readonly left: VectorRegister;
      readonly right: VectorRegister;
    }
  | {
      readonly op: "shiftConstant";
      readonly function: "shl" | "shrl" | "shra";
      readonly target: VectorRegister;
      readonly source: VectorRegister;
      readonly count: number;
    }
  | {
      readonly op: "vectorUnary";
      readonly function: UnaryVectorOp;
      readonly target: VectorRegister;
      readonly source: VectorRegister;
    }
  /** target = mask ? left : right, by lane. */
  | {
      readonly op: "select";
      readonly target: VectorRegister;
      readonly mask: VectorRegister;
      readonly left: VectorRegister;
      readonly right: VectorRegister;
    }
  | {
      readonly op: "horizontal";
      readonly function: HorizontalOp;
      readonly target: VectorRegister;
      readonly source: VectorRegister;
    }
  /** Transposes a 16 x 16 block held in 16 registers in place: register i, lane j <-> register j, lane i. */
  | { readonly op: "transpose"; readonly registers: readonly VectorRegister[] }
  /** A hint: the cache line of this address will be read soon. Never faults. */
  | { readonly op: "prefetch"; readonly address: Address; readonly level: 1 | 2 };

export type Statement =
  | Instruction
  /**
   * counter = start; while (counter < end) { body; counter += step }. The body does not assign the counter, and the counter has no value
   * after the loop.
   */
  | {
      readonly op: "loop";
      readonly counter: IntRegister;
      readonly start: IntOperand;
      readonly end: IntOperand;
      readonly step: number;
      readonly body: readonly Statement[];
    }
  /** while (condition) { body }. */
  | { readonly op: "while"; readonly condition: Condition; readonly body: readonly Statement[] }
  | {
      readonly op: "if";
      readonly condition: Condition;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    };

export interface Kernel {
  /** For profiles and printing, for example `conv2d_forward_24x24x32_64`. */
  readonly name: string;
  readonly argumentCount: number;
  readonly scratchBytes: number;
  readonly body: readonly Statement[];
}

/** What a strategy may know of the machine it plans for. */
export interface MachineDescription {
  readonly name: string;
  /** How many 16-lane vector registers can live at once: 8 with AVX2 (16 of 256 bits), 32 with AVX-512. */
  readonly vectorRegisters: number;
  /** Whether an fma can take one input as a broadcast from memory without a register. */
  readonly broadcastOperand: boolean;
  readonly l1Bytes: number;
  readonly l2Bytes: number;
}
