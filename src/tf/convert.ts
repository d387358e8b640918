import { type DType, parseDType } from "../graph/dtype.ts";
import { type Operand, Tensor, type TensorLike, tensor } from "../tensor/index.ts";

/** A dtype by TensorFlow's name (`float32`, `int32`, `uint8`, `bool`) or Trivium's. */
export type DTypeName = DType | "float32" | "int32" | "uint8" | (string & {});

/** The tensor, or one made of the numbers. */
export function asTensor(value: TensorLike, dtype?: DTypeName): Tensor {
  if (value instanceof Tensor) return value;
  return tensor(value, dtype === undefined ? {} : { dtype: parseDType(dtype) });
}

/** An operand of arithmetic: numbers stay numbers, because they are arguments of the compiled program. */
export function asOperand(value: TensorLike): Operand {
  if (value instanceof Tensor || typeof value === "number" || typeof value === "boolean") return value;
  return tensor(value);
}
