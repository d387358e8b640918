/** Loads and stores of one dtype: bool lies in memory as a byte 0 or 1 and in registers as a mask. */
import type { DType } from "../graph/dtype.ts";
import type { KernelBuilder } from "../kernel/builder.ts";
import type { Address, IntRegister, MemoryType, VectorRegister } from "../kernel/ir.ts";

/** Which lanes take part: the first `lanes`, or those of `mask`. */
export interface Lanes {
  readonly lanes?: number;
  readonly mask?: VectorRegister;
}

/** The memory type that carries a dtype. */
export const memoryTypeOf = (dtype: DType): MemoryType => (dtype === "bool" ? "u8" : dtype);

/** A register as loaded from memory, as the value expressions work on (bool: byte to mask). */
export function fromMemory(k: KernelBuilder, loaded: VectorRegister, dtype: DType): VectorRegister {
  return dtype === "bool" ? k.binary("ilt", k.constant(0, "i32"), loaded) : loaded;
}

/** A value as it is stored (bool: mask to 0 or 1). */
export function toMemory(k: KernelBuilder, value: VectorRegister, dtype: DType): VectorRegister {
  return dtype === "bool" ? k.binary("and", value, k.constant(1, "i32")) : value;
}

/** 16 consecutive elements (lanes left out are 0 or false; their memory is not touched). */
export function loadLanes(k: KernelBuilder, address: Address, dtype: DType, lanes: Lanes = {}): VectorRegister {
  return fromMemory(k, k.load(address, memoryTypeOf(dtype), lanes), dtype);
}

/** One element in every lane. */
export function loadBroadcast(k: KernelBuilder, address: Address, dtype: DType): VectorRegister {
  return fromMemory(k, k.broadcast(address, memoryTypeOf(dtype)), dtype);
}

/** Lane i from element `indices[i]` (i32 lanes, in elements) of `base`. */
export function gatherLanes(
  k: KernelBuilder,
  base: IntRegister,
  indices: VectorRegister,
  dtype: DType,
  lanes: Lanes = {},
): VectorRegister {
  const type = memoryTypeOf(dtype);
  return fromMemory(k, k.gather(base, indices, type === "u8" ? 1 : 4, 0, type, lanes), dtype);
}

/** Stores the first lanes, or those of a mask, to consecutive elements; `streaming` takes whole vectors past the caches. */
export function storeLanes(
  k: KernelBuilder,
  value: VectorRegister,
  address: Address,
  dtype: DType,
  { lanes, mask, streaming }: Lanes & { readonly streaming?: boolean } = {},
): void {
  const whole = (lanes ?? 16) === 16 && mask === undefined;
  k.store(toMemory(k, value, dtype), address, memoryTypeOf(dtype), whole ? { streaming } : { lanes, mask });
}
