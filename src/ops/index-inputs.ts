/** What ops with index inputs share. */
import { DTypeError } from "../errors.ts";
import { bytesPerElement } from "../graph/dtype.ts";
import type { Node, TensorType } from "../graph/node.ts";
import { type Shape, sizeOf } from "../graph/shape.ts";
import { cast } from "./cast.ts";

/** Index tensors are i32; u8 widens, anything else is a mistake. */
export function indexNode(operation: string, indices: Node): Node {
  if (indices.dtype === "i32") return indices;
  if (indices.dtype === "u8") return cast(indices, "i32");
  throw new DTypeError(
    `${operation}: indices must be i32 or u8, received ${indices.dtype}; convert with .cast("i32").`,
  );
}

/** Checks prepared indices. */
export function requireIndices(operation: string, indices: TensorType): void {
  if (indices.dtype !== "i32") throw new DTypeError(`${operation}: indices must be i32, received ${indices.dtype}.`);
}

/** Sizes before, along and after an axis: [outer, extent, inner] in row-major order. */
export function aroundAxis(shape: Shape, axis: number): [outer: number, extent: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];
}

/** Sums are taken in f32 or i32. */
export function requireSummable(operation: string, type: TensorType): void {
  if (bytesPerElement[type.dtype] !== 4) {
    throw new DTypeError(`${operation}: adds f32 or i32, received ${type.dtype}; convert with .cast("i32").`);
  }
}
