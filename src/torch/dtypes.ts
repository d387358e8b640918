/**
 * PyTorch's names of dtypes. Trivium has f32, i32, u8 and bool: the names of 64-bit and smaller integers stand for i32, so that `x.to(torch.long)`
 * works as written; other floating-point types have no name here.
 */
import { DTypeError } from "../errors.ts";
import type { DType } from "../graph/dtype.ts";

/** 32-bit floating point. */
export const float32 = "f32";
/** 32-bit floating point. */
export const float = "f32";
/** i32: the widest integer here. */
export const int64 = "i32";
/** i32: the widest integer here. */
export const long = "i32";
/** 32-bit integers. */
export const int32 = "i32";
/** 32-bit integers. */
export const int = "i32";
/** i32. */
export const int16 = "i32";
/** i32. */
export const int8 = "i32";
/** 8-bit integers from 0 to 255. */
export const uint8 = "u8";
/** Masks. */
export const bool = "bool";

/** The number π. */
export const pi: number = Math.PI;
/** The number e. */
export const e: number = Math.E;
/** Infinity. */
export const inf: number = Number.POSITIVE_INFINITY;
/** Not a number. */
export const nan: number = Number.NaN;

/** Limits of a floating-point dtype. */
export interface FloatingPointLimits {
  readonly bits: number;
  readonly eps: number;
  readonly max: number;
  readonly min: number;
  readonly tiny: number;
}

/** Limits of a floating-point dtype. */
export function finfo(dtype: DType = float32): FloatingPointLimits {
  if (dtype !== "f32") throw new DTypeError(`finfo: ${dtype} is no floating-point dtype; use iinfo.`);
  const max = 3.4028234663852886e38;
  return { bits: 32, eps: 2 ** -23, max, min: -max, tiny: 2 ** -126 };
}

/** Limits of an integer dtype. */
export function iinfo(dtype: DType): { readonly bits: number; readonly max: number; readonly min: number } {
  if (dtype === "i32") return { bits: 32, max: 2 ** 31 - 1, min: -(2 ** 31) };
  if (dtype === "u8") return { bits: 8, max: 255, min: 0 };
  throw new DTypeError(`iinfo: ${dtype} is no integer dtype.`);
}
