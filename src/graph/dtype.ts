import { DTypeError } from "../errors.ts";

/** Element types. f32 computes; i32, u8 and bool carry data, indices and masks. */
export type DType = "f32" | "i32" | "u8" | "bool";

/** Bytes of one stored element. */
export const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1, bool: 1 };

/** The typed array that views stored elements of a dtype (bool is stored as one byte, 0 or 1). */
export interface TypedArrayOf {
  f32: Float32Array;
  i32: Int32Array;
  u8: Uint8Array;
  bool: Uint8Array;
}
export type TensorData = TypedArrayOf[DType];

const constructors = { f32: Float32Array, i32: Int32Array, u8: Uint8Array, bool: Uint8Array } as const;

/** A typed-array view of `length` elements over `buffer` from `byteOffset`. */
export function viewOf(dtype: DType, buffer: ArrayBufferLike, byteOffset = 0, length?: number): TensorData {
  return new constructors[dtype](buffer as ArrayBuffer, byteOffset, length);
}

const rank: Readonly<Record<DType, number>> = { bool: 0, u8: 1, i32: 2, f32: 3 };

/** PyTorch's promotion of two tensor dtypes: bool < u8 < i32 < f32. */
export function promote(left: DType, right: DType): DType {
  return rank[left] >= rank[right] ? left : right;
}

const foreign: Readonly<Record<string, DType>> = {
  float32: "f32",
  float: "f32",
  float64: "f32",
  float16: "f32",
  bfloat16: "f32",
  double: "f32",
  half: "f32",
  int32: "i32",
  int64: "i32",
  int16: "i32",
  int8: "i32",
  long: "i32",
  int: "i32",
  uint8: "u8",
  boolean: "bool",
};

/** Checks a dtype that came from a user; the error names the cast that helps. */
export function parseDType(name: string): DType {
  if (name in bytesPerElement) return name as DType;
  if (name === "float32") return "f32";
  if (name === "int32") return "i32";
  if (name === "uint8") return "u8";
  const nearest = foreign[name];
  throw new DTypeError(
    nearest
      ? `dtype "${name}" is not available: Trivium computes in f32, i32, u8 and bool. Convert with .cast("${nearest}") or pass dtype: "${nearest}".`
      : `unknown dtype "${name}": expected one of f32, i32, u8, bool.`,
  );
}
