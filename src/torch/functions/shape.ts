/** Shapes, parts and joins, as free functions. */
import * as F from "../../tensor/functions.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { free, listOf, type TensorList } from "./free.ts";

/** Same elements in another shape. */
export const reshape = F.reshape;
/** One axis in place of several. */
export const flatten = free("flatten");
/** One axis in place of all. */
export const ravel = free("ravel");
/** Several axes in place of one. */
export const unflatten = free("unflatten");
/** Axes in another order. */
export const permute = F.permute;
/** Two axes swapped. */
export const transpose = free("transpose");
/** Two axes swapped. */
export const swapaxes = free("swapaxes");
/** Transpose of a matrix. */
export const t = free("t");
/** Axes moved to other places. */
export const movedim = free("movedim");
/** Axes of size 1 removed. */
export const squeeze = free("squeeze");
/** An axis of size 1 inserted. */
export const unsqueeze = free("unsqueeze");
/** Repeated along axes of size 1. */
export const broadcastTo = F.expand;
/** A range along an axis. */
export const narrow = free("narrow");
/** One position along an axis. */
export const select = free("select");
/** Parts along an axis. */
export const split = free("split");
/** Equal parts along an axis. */
export const chunk = free("chunk");
/** The slices along an axis. */
export const unbind = free("unbind");
/** The diagonal of matrices. */
export const diagonal = free("diagonal");
/** Copies side by side. */
export const tile = F.tile;
/** Each element several times. */
export const repeatInterleave = free("repeatInterleave");
/** Elements shifted around. */
export const roll = free("roll");
/** Order reversed along axes. */
export const flip = F.flip;
/** Columns in reverse order. */
export const fliplr = free("fliplr");
/** Rows in reverse order. */
export const flipud = free("flipud");
/** Diagonal of a matrix, or matrix of a diagonal. */
export const diag = free("diag");
/** Lower triangle. */
export const tril = free("tril");
/** Upper triangle. */
export const triu = free("triu");
/** Tensors one after the other along an axis; dtypes are promoted. */
export function cat(tensors: readonly Tensor[], dim?: number | { readonly dim?: number }): Tensor {
  return F.join(tensors, typeof dim === "object" ? dim.dim : dim);
}
/** PyTorch's other names of `cat`. */
export { cat as concat, cat as concatenate };
/** Tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], dim?: number | { readonly dim?: number }): Tensor {
  return F.stackPromoted(tensors, typeof dim === "object" ? dim.dim : dim);
}
/** Tensors side by side. */
export const hstack = F.stackHorizontally;
/** Tensors one below the other. */
export const vstack = F.stackVertically;
/** Tensors one behind the other. */
export const dstack = F.stackInDepth;
/** Tensors expanded to their common shape. */
export function broadcastTensors(...tensors: TensorList): Tensor[] {
  return F.broadcastTensors(listOf(tensors));
}
/** Coordinates of a grid: `meshgrid([x, y], { indexing: "ij" })`. */
export function meshgrid(tensors: readonly Tensor[], options: { readonly indexing?: "ij" | "xy" } = {}): Tensor[] {
  return F.meshgrid(tensors, options.indexing);
}
