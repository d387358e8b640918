/** Reductions over all axes or some: neutral `(axes, keepDims)` or PyTorch's `(dim, { keepdim })`. */
import { ArgumentError } from "../../errors.ts";
import { type Axes, type KeepAxes, keeps } from "../arguments.ts";
import { allClose, equal } from "../dynamic.ts";
import * as F from "../functions.ts";
import { isTensor } from "../handle.ts";
import { atEntry, type Operand } from "../lift.ts";
import type { Tensor } from "../tensor.ts";
import { type CloseOptions, ElementaryMethods } from "./elementary.ts";

/** Values along an axis and where they stood (i32). */
export interface ValuesAndIndices {
  readonly values: Tensor;
  readonly indices: Tensor;
}

/** Keyword arguments of `std`, `var` and their kin. */
export interface SpreadOptions {
  readonly dim?: Axes;
  readonly keepdim?: boolean;
  /** Subtracted from the number of elements in the divisor; 1 unless given. */
  readonly correction?: number;
  /** `false` is a correction of 0. */
  readonly unbiased?: boolean;
}

function spreadOptions(first: Axes | SpreadOptions | undefined, second: SpreadOptions | undefined) {
  const positional = first === undefined || typeof first === "number" || Array.isArray(first);
  const options = positional ? second : (first as SpreadOptions);
  const axes = positional ? (first as Axes | undefined) : options?.dim;
  const correction = options?.correction ?? (options?.unbiased === false ? 0 : 1);
  return { axes, keepDims: options?.keepdim ?? false, correction };
}

/** Methods that combine elements. */
export abstract class ReductionMethods extends ElementaryMethods {
  sum(this: Tensor, dim?: Axes, keepdim?: KeepAxes): Tensor {
    return F.sum(this, dim, keeps(keepdim));
  }
  mean(this: Tensor, dim?: Axes, keepdim?: KeepAxes): Tensor {
    return F.mean(this, dim, keeps(keepdim));
  }
  prod(this: Tensor, dim?: Axes, keepdim?: KeepAxes): Tensor {
    return F.prod(this, dim, keeps(keepdim));
  }
  /** Largest element; equal ones share the gradient. */
  amax(this: Tensor, dim?: Axes, keepdim?: KeepAxes): Tensor {
    return F.amax(this, dim, keeps(keepdim));
  }
  /** Smallest element; equal ones share the gradient. */
  amin(this: Tensor, dim?: Axes, keepdim?: KeepAxes): Tensor {
    return F.amin(this, dim, keeps(keepdim));
  }
  any(this: Tensor, dim?: Axes, keepdim?: KeepAxes): Tensor {
    return F.any(this, dim, keeps(keepdim));
  }
  all(this: Tensor, dim?: Axes, keepdim?: KeepAxes): Tensor {
    return F.all(this, dim, keeps(keepdim));
  }
  /** Position of the first maximum along an axis, or in the flattened tensor. */
  argmax(this: Tensor, dim?: number, keepdim?: KeepAxes): Tensor {
    return F.argmax(this, dim, keeps(keepdim));
  }
  /** Position of the first minimum along an axis, or in the flattened tensor. */
  argmin(this: Tensor, dim?: number, keepdim?: KeepAxes): Tensor {
    return F.argmin(this, dim, keeps(keepdim));
  }
  /**
   * The largest element; with an axis the largest ones along it and their positions; with a tensor the larger of each pair.
   *
   * @example
   * ```ts
   * const { values, indices } = x.max(1);
   * ```
   */
  max(this: Tensor): Tensor;
  max(this: Tensor, other: Tensor): Tensor;
  max(this: Tensor, dim: number, keepdim?: KeepAxes): ValuesAndIndices;
  max(this: Tensor, dim?: number | Tensor, keepdim?: KeepAxes): Tensor | ValuesAndIndices {
    if (dim === undefined) return F.amax(this);
    return isTensor(dim) ? F.maximum(this, dim) : F.extremeWithIndex(this, "max", dim, keeps(keepdim));
  }
  /** The smallest element; with an axis the smallest ones along it and their positions; with a tensor the smaller of each pair. */
  min(this: Tensor): Tensor;
  min(this: Tensor, other: Tensor): Tensor;
  min(this: Tensor, dim: number, keepdim?: KeepAxes): ValuesAndIndices;
  min(this: Tensor, dim?: number | Tensor, keepdim?: KeepAxes): Tensor | ValuesAndIndices {
    if (dim === undefined) return F.amin(this);
    return isTensor(dim) ? F.minimum(this, dim) : F.extremeWithIndex(this, "min", dim, keeps(keepdim));
  }
  /** The smallest and the largest element. */
  aminmax(
    this: Tensor,
    options: { readonly dim?: number; readonly keepdim?: boolean } = {},
  ): { min: Tensor; max: Tensor } {
    return { min: F.amin(this, options.dim, options.keepdim), max: F.amax(this, options.dim, options.keepdim) };
  }
  /** The lower median of all elements, or of those along an axis with its position. */
  median(this: Tensor): Tensor;
  median(this: Tensor, dim: number, keepdim?: KeepAxes): ValuesAndIndices;
  median(this: Tensor, dim?: number, keepdim?: KeepAxes): Tensor | ValuesAndIndices {
    return dim === undefined ? F.median(F.reshape(this, [this.size])).values : F.median(this, dim, keeps(keepdim));
  }
  /** The value below which a part q of the elements lies. */
  quantile(this: Tensor, q: number, dim?: number, keepdim?: KeepAxes): Tensor {
    return F.quantile(this, q, dim, keeps(keepdim));
  }
  /** The k-th smallest element (from 1) along an axis, and its position. */
  kthvalue(this: Tensor, k: number, dim = -1, keepdim?: KeepAxes): ValuesAndIndices {
    return F.kthValue(this, k, dim, keeps(keepdim));
  }
  /** Σ (x − mean)² / (n − 1): `x.var()`, `x.var(1, { keepdim: true })`, `x.var({ correction: 0 })`. */
  var(this: Tensor, dim?: Axes | SpreadOptions, options?: SpreadOptions): Tensor {
    return F.variance(this, spreadOptions(dim, options));
  }
  /** Square root of the variance, with the same arguments as `var`. */
  std(this: Tensor, dim?: Axes | SpreadOptions, options?: SpreadOptions): Tensor {
    return F.std(this, spreadOptions(dim, options));
  }
  /** Variance and mean. */
  varMean(this: Tensor, dim?: Axes | SpreadOptions, options?: SpreadOptions): [variance: Tensor, mean: Tensor] {
    const { axes, keepDims, correction } = spreadOptions(dim, options);
    return [F.variance(this, { axes, keepDims, correction }), F.mean(this, axes, keepDims)];
  }
  /** Standard deviation and mean. */
  stdMean(this: Tensor, dim?: Axes | SpreadOptions, options?: SpreadOptions): [std: Tensor, mean: Tensor] {
    const { axes, keepDims, correction } = spreadOptions(dim, options);
    return [F.std(this, { axes, keepDims, correction }), F.mean(this, axes, keepDims)];
  }
  /** (Σ |x|ᵖ)^(1/p), the Euclidean norm unless p is given; `p` may be ±Infinity, 0, or "fro". */
  norm(this: Tensor, p: number | "fro" = 2, dim?: Axes, keepdim?: KeepAxes): Tensor {
    return F.norm(this, p === "fro" ? 2 : p, dim, keeps(keepdim));
  }
  /** The norm of this − other. */
  dist(this: Tensor, other: Tensor, p?: number): Tensor {
    return F.distance(this, other, p);
  }
  /** ln Σ eˣ. */
  logsumexp(this: Tensor, dim?: Axes, keepdim?: KeepAxes): Tensor {
    return F.logSumExp(this, dim, keeps(keepdim));
  }
  countNonzero(this: Tensor, dim?: Axes): Tensor {
    return F.countNonzero(this, dim);
  }
  /** Sum of the elements that are not NaN. */
  nansum(this: Tensor, dim?: Axes, keepdim?: KeepAxes): Tensor {
    return F.sum(F.maskedFill(this, F.isNotANumber(this), 0), dim, keeps(keepdim));
  }
  /** Running sum along an axis. */
  cumsum(this: Tensor, dim: number): Tensor {
    return F.cumulativeSum(countable(this), { axis: dim });
  }
  /** Running product along an axis. */
  cumprod(this: Tensor, dim: number): Tensor {
    return F.cumulativeProduct(countable(this), { axis: dim });
  }
  /** Differences of neighbours along an axis, n times. */
  diff(this: Tensor, n = 1, dim = -1): Tensor {
    return F.differences(this, n, dim);
  }
  softmax(this: Tensor, dim: number | readonly number[] = -1): Tensor {
    return F.softmax(this, dim);
  }
  logSoftmax(this: Tensor, dim: number | readonly number[] = -1): Tensor {
    return F.logSoftmax(this, dim);
  }
  /** Whether two tensors have one shape and equal elements; reads both. */
  equal(this: Tensor, other: Tensor): boolean {
    return equal(this, other);
  }
  /** Whether all elements are close; reads them. */
  allclose(this: Tensor, other: Tensor, options: CloseOptions = {}): boolean {
    return allClose(this, other, options.rtol, options.atol, options.equalNan);
  }

  // ---- linear algebra ----
  /** Matrix product: batch axes broadcast, vectors are rows or columns; integers give i32. */
  matmul(this: Tensor, other: Tensor): Tensor {
    return F.multiply(this, other);
  }
  /** Product of two matrices. */
  mm(this: Tensor, other: Tensor): Tensor {
    return F.matrixProduct(this, other);
  }
  /** Products of the matrices of two batches. */
  bmm(this: Tensor, other: Tensor): Tensor {
    return F.batchProduct(this, other);
  }
  /** Matrix times vector. */
  mv(this: Tensor, vector: Tensor): Tensor {
    return F.matrixVectorProduct(this, vector);
  }
  dot(this: Tensor, other: Tensor): Tensor {
    return F.dot(this, other);
  }
  outer(this: Tensor, other: Tensor): Tensor {
    return F.outer(this, other);
  }
  /** beta · this + alpha · (a × b) of matrices. */
  addmm(this: Tensor, a: Tensor, b: Tensor, options: ProductOptions = {}): Tensor {
    return atEntry(this.addmm, () => F.addProduct(this, F.matrixProduct(a, b), options.beta, options.alpha));
  }
  /** beta · this + alpha · (a × b) of a matrix and a vector. */
  addmv(this: Tensor, a: Tensor, b: Tensor, options: ProductOptions = {}): Tensor {
    return atEntry(this.addmv, () => F.addProduct(this, F.matrixVectorProduct(a, b), options.beta, options.alpha));
  }
  /** beta · this + alpha · (a × b) of batches of matrices. */
  baddbmm(this: Tensor, a: Tensor, b: Tensor, options: ProductOptions = {}): Tensor {
    return atEntry(this.baddbmm, () => F.addProduct(this, F.batchProduct(a, b), options.beta, options.alpha));
  }
  /** Sum of the diagonal of a matrix. */
  trace(this: Tensor): Tensor {
    return atEntry(this.trace, () => {
      if (this.rank !== 2) throw new ArgumentError(`trace: expected a matrix, received a tensor of rank ${this.rank}.`);
      return F.sum(F.diagonal(this));
    });
  }
}

/** Keyword arguments of `addmm` and its kin. */
export interface ProductOptions {
  /** Factor of the tensor; 0 ignores it. */
  readonly beta?: Operand;
  /** Factor of the product. */
  readonly alpha?: Operand;
}

const countable = (x: Tensor): Tensor => (x.dtype === "bool" || x.dtype === "u8" ? F.cast(x, "i32") : x);
