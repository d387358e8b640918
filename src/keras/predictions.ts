import { Tensor, tensorView } from "../tensor/index.ts";
import { leavesOf, packLike, type TensorStructure } from "./structure.ts";

/** Outputs of batches one after another, each output by itself. */
export function joinBatches(parts: readonly TensorStructure[]): TensorStructure {
  const [first] = parts;
  if (parts.length === 1) return first;
  const columns = parts.map((part) => leavesOf<Tensor>(part));
  const joined = columns[0].map((_, index) => joinRows(columns.map((column) => column[index])));
  return first instanceof Tensor ? joined[0] : packLike<Tensor>(first, joined);
}

/** Rows of tensors one after another. */
function joinRows(parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  const rows = parts.reduce((sum, part) => sum + part.shape[0], 0);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const data = first.dataSync();
  const whole = new (data.constructor as new (length: number) => typeof data)(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part.dataSync(), offset);
    offset += part.size;
  }
  return tensorView(whole, [rows, ...first.shape.slice(1)], first.dtype);
}
