/** Reductions (over all axes by default), running sums and order. */

import { meanAndVariance, standardDeviation } from "../nn/magnitudes.ts";
import { type RunningOptions, running } from "../nn/selections.ts";
import type { Tensor, TensorLike } from "../tensor/index.ts";
import * as T from "../tensor/index.ts";
import { asTensor } from "./convert.ts";
import { define } from "./define.ts";

type Axes = number | readonly number[];
/** TensorFlow's keywords: `tf.reduceMean(x, { axis: 0, keepdims: true })`. */
export interface ReductionOptions {
  readonly axis?: Axes | null;
  readonly keepdims?: boolean;
}
/** A reduction: axes and whether to keep them, in order or by name. */
export type Reduction = (x: TensorLike, axis?: Axes | null | ReductionOptions, keepDims?: boolean) => Tensor;

function settings(axis: Axes | null | undefined | ReductionOptions, keepDims?: boolean) {
  if (typeof axis === "object" && axis !== null && !Array.isArray(axis)) {
    const options = axis as ReductionOptions;
    return { axes: options.axis ?? undefined, keepDims: options.keepdims };
  }
  return { axes: (axis ?? undefined) as Axes | undefined, keepDims };
}

function reduction(name: string, reduce: (x: Tensor, axes?: Axes, keepDims?: boolean) => Tensor): Reduction {
  const body = (x: TensorLike, axis?: Axes | null | ReductionOptions, keepDims?: boolean): Tensor => {
    const chosen = settings(axis, keepDims);
    return reduce(asTensor(x), chosen.axes, chosen.keepDims);
  };
  return define(Object.defineProperty(body, "name", { value: name }));
}

export const sum = reduction("sum", T.sum);
export const mean = reduction("mean", T.mean);
export const prod = reduction("prod", T.prod);
/** The largest element; equals share the gradient evenly. */
export const max = reduction("max", T.amax);
export const min = reduction("min", T.amin);
export const any = reduction("any", T.any);
export const all = reduction("all", T.all);
/** ln Σ e^x. */
export const logSumExp = reduction("logSumExp", T.logSumExp);
export const reduceVariance = reduction(
  "reduceVariance",
  (x, axes, keepDims) => meanAndVariance(x, axes, keepDims).variance,
);
export const reduceStd = reduction("reduceStd", standardDeviation);
/** Number of elements other than 0 (int32). */
export const countNonzero = reduction("countNonzero", (x, axes, keepDims) => T.countNonzero(x, axes, keepDims));

export const reduceSum = sum;
export const reduceMean = mean;
export const reduceProd = prod;
export const reduceMax = max;
export const reduceMin = min;
export const reduceAny = any;
export const reduceAll = all;
export const reduceLogsumexp = logSumExp;

/** Position of the first maximum along an axis (the first by default, as in TensorFlow). */
export const argMax = define(function argMax(x: TensorLike, axis = 0): Tensor {
  return T.argmax(asTensor(x), axis);
});
export const argMin = define(function argMin(x: TensorLike, axis = 0): Tensor {
  return T.argmin(asTensor(x), axis);
});
/** TensorFlow's names for `argMax` and `argMin`. */
export const argmax = argMax;
export const argmin = argMin;

/** Running sum along an axis (the first by default). */
export const cumsum = define(function cumsum(
  x: TensorLike,
  axis: number | (RunningOptions & { readonly axis?: number }) = 0,
  exclusive = false,
  reverse = false,
): Tensor {
  const options = typeof axis === "number" ? { axis, exclusive, reverse } : axis;
  return running("sum", asTensor(x), options.axis ?? 0, options);
});
/** Running product along an axis (the first by default). */
export const cumprod = define(function cumprod(
  x: TensorLike,
  axis: number | (RunningOptions & { readonly axis?: number }) = 0,
  exclusive = false,
  reverse = false,
): Tensor {
  const options = typeof axis === "number" ? { axis, exclusive, reverse } : axis;
  return running("product", asTensor(x), options.axis ?? 0, options);
});

/** The k largest elements along the last axis, in order, and their positions; of equals the first. */
export const topk = define(function topk(x: TensorLike, k = 1, _sorted = true): { values: Tensor; indices: Tensor } {
  return T.topK(asTensor(x), k);
});
/** Elements in order along an axis. */
export const sort = define(function sort(
  x: TensorLike,
  axis = -1,
  direction: "ASCENDING" | "DESCENDING" = "ASCENDING",
): Tensor {
  return T.sort(asTensor(x), { axis, descending: direction === "DESCENDING" });
});
export const argsort = define(function argsort(
  x: TensorLike,
  axis = -1,
  direction: "ASCENDING" | "DESCENDING" = "ASCENDING",
): Tensor {
  return T.argsort(asTensor(x), { axis, descending: direction === "DESCENDING" });
});
