/** Products of matrices, norms and limits on them. */

import { halfSquaredNorm, limitNorm, limitNormOfAll, normOfAll, traceOf, unitLength } from "../nn/magnitudes.ts";
import { band } from "../nn/selections.ts";
import type { Tensor, TensorLike } from "../tensor/index.ts";
import * as T from "../tensor/index.ts";
import { asTensor } from "./convert.ts";
import { define } from "./define.ts";

type Axes = number | readonly number[];

export interface MatMulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** Product of matrices, of each pair along leading axes; either may be taken transposed. */
export const matMul = define(function matMul(
  a: TensorLike,
  b: TensorLike,
  transposeA: boolean | MatMulOptions = false,
  transposeB = false,
): Tensor {
  const given = typeof transposeA === "object" ? transposeA : { transposeA, transposeB };
  const [left, right] = [asTensor(a), asTensor(b)];
  return T.matmul(given.transposeA ? T.transpose(left) : left, given.transposeB ? T.transpose(right) : right);
});
/** TensorFlow's name for `matMul`. */
export const matmul = matMul;
/** Product of a matrix and a vector. */
export const matvec = define(function matvec(a: TensorLike, b: TensorLike): Tensor {
  return T.matrixVectorProduct(asTensor(a), asTensor(b));
});
/** Product of vectors or matrices. */
export const dot = define(function dot(a: TensorLike, b: TensorLike): Tensor {
  return T.matmul(asTensor(a), asTensor(b));
});
export const outerProduct = define(function outerProduct(a: TensorLike, b: TensorLike): Tensor {
  return T.outer(asTensor(a), asTensor(b));
});
/** Sum of products over the last axes of `a` and the first of `b`, or over named ones. */
export const tensordot = define(function tensordot(
  a: TensorLike,
  b: TensorLike,
  axes: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor {
  return T.tensorDot(asTensor(a), asTensor(b), axes);
});
/** Sum of products by an equation: `tf.einsum("bij,bjk->bik", a, b)`. */
export const einsum = define(function einsum(equation: string, ...tensors: readonly TensorLike[]): Tensor {
  return T.einsum(
    equation,
    tensors.map((each) => asTensor(each)),
  );
});
/** The last two axes swapped. */
export const matrixTranspose = define(function matrixTranspose(x: TensorLike): Tensor {
  return T.transpose(asTensor(x));
});
export const diag = define(function diag(x: TensorLike): Tensor {
  return T.diag(asTensor(x));
});
/** Σ of the diagonal of a matrix. */
export const trace = define(function trace(x: TensorLike): Tensor {
  return traceOf(asTensor(x));
});
/** The elements within a band around the diagonal; a negative number keeps all on that side. */
export const bandPart = define(function bandPart(x: TensorLike, numLower: number, numUpper: number): Tensor {
  return band(asTensor(x), numLower, numUpper);
});

/** A norm: 'euclidean' (or 2), 1, Infinity or another p, over all elements or along axes. */
export const norm = define(function norm(
  x: TensorLike,
  ord: number | "euclidean" = "euclidean",
  axis?: Axes | null,
  keepDims = false,
): Tensor {
  return T.norm(asTensor(x), ord === "euclidean" ? 2 : ord, axis ?? undefined, keepDims);
});
/** x / √max(Σ x², ε) along axes. */
export const l2Normalize = define(function l2Normalize(x: TensorLike, axis?: Axes, epsilon = 1e-12): Tensor {
  return unitLength(asTensor(x), axis, epsilon);
});
/** Σ x² / 2. */
export const l2Loss = define(function l2Loss(x: TensorLike): Tensor {
  return halfSquaredNorm(asTensor(x));
});
/** The tensor scaled down to a norm where its norm is larger. */
export const clipByNorm = define(function clipByNorm(x: TensorLike, clipNorm: number, axes?: Axes): Tensor {
  return limitNorm(asTensor(x), clipNorm, axes);
});
/** The norm of all tensors together; entries without a value do not count. */
export const globalNorm = define(function globalNorm(tensors: readonly (Tensor | undefined)[]): Tensor {
  return normOfAll(tensors.filter((each) => each !== undefined));
});
/** All tensors scaled down to a common norm, and the norm before: `const [clipped, norm] = tf.clipByGlobalNorm(gradients, 1)`. */
export const clipByGlobalNorm = define(function clipByGlobalNorm(
  tensors: readonly (Tensor | undefined)[],
  clipNorm: number,
  useNorm?: Tensor,
): [(Tensor | undefined)[], Tensor] {
  const present = tensors.filter((each) => each !== undefined);
  const limited = limitNormOfAll(present, clipNorm, useNorm);
  let next = 0;
  return [tensors.map((each) => each && limited.tensors[next++]), limited.norm];
});
