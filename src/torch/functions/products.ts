/** Products of vectors and matrices, as free functions. */
import * as F from "../../tensor/functions.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { free, listOf, type TensorList } from "./free.ts";

/** Matrix product with batches and vectors. */
export const matmul = free("matmul");
/** Product of two matrices. */
export const mm = free("mm");
/** Products of two batches of matrices. */
export const bmm = free("bmm");
/** Matrix times vector. */
export const mv = free("mv");
/** Σ aᵢ bᵢ. */
export const dot = free("dot");
/** aᵢ bⱼ. */
export const outer = free("outer");
/** beta · input + alpha · a × b. */
export const addmm = free("addmm");
/** beta · input + alpha · a × v. */
export const addmv = free("addmv");
/** beta · input + alpha · a × b of batches. */
export const baddbmm = free("baddbmm");
/** Sum of the diagonal. */
export const trace = free("trace");
/**
 * Sum of products by an equation: `einsum("bij,bjk->bik", a, b)`. Letters that the result lacks are summed over; "..." stands for the remaining axes.
 */
export function einsum(equation: string, ...operands: TensorList): Tensor {
  return F.einsum(equation, listOf(operands));
}
/** Sum over products along axes: the last `dims` of a with the first of b, or those named. */
export function tensordot(
  a: Tensor,
  b: Tensor,
  options: { readonly dims?: number | readonly [readonly number[], readonly number[]] } = {},
): Tensor {
  return F.tensorDot(a, b, options.dims);
}
/** The norm of each difference of a row of a and a row of b: […, n, m]. */
export function cdist(a: Tensor, b: Tensor, p?: number): Tensor {
  return F.distances(a, b, p);
}

/** `torch.linalg`: norms, (Σ |x|ᵖ)^(1/p) over all elements or axes. */
export const linalg = { norm: free("norm"), vectorNorm: free("norm") };
