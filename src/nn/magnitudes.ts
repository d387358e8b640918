/** Norms, limits on them, and moments, after TensorFlow. */
import { ArgumentError } from "../errors.ts";
import { diagonal, div, maximum, type Operand, sub, type Tensor, where } from "../tensor/index.ts";
import { asFloat } from "./align.ts";

type Axes = number | readonly number[];

function checkLimit(operation: string, limit: number): void {
  if (!(limit > 0)) throw new ArgumentError(`${operation}: clipNorm must be positive, received ${limit}.`);
}

/** Σ x² / 2. */
export function halfSquaredNorm(x: Tensor): Tensor {
  return x.square().sum().mul(0.5);
}

/** x / √max(Σ x², ε) along axes. */
export function unitLength(x: Tensor, axes?: Axes, epsilon = 1e-12): Tensor {
  return x.mul(maximum(x.square().sum(axes, true), epsilon).rsqrt());
}

/** x · c / max(‖x‖, c) along axes: as it is where its norm is at most c. */
export function limitNorm(x: Tensor, limit: number, axes?: Axes): Tensor {
  checkLimit("clipByNorm", limit);
  const norm = x.square().sum(axes, true).sqrt();
  return x.mul(limit).div(maximum(norm, limit)).reshape(x.shape);
}

/** √ Σ over all tensors of Σ x². */
export function normOfAll(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) throw new ArgumentError("globalNorm: expected at least one tensor.");
  return tensors
    .map((x) => x.square().sum())
    .reduce((total, part) => total.add(part))
    .sqrt();
}

/** All tensors scaled by c / max(norm, c), and the norm. NaN where the norm is not finite. */
export function limitNormOfAll(
  tensors: readonly Tensor[],
  limit: number,
  norm: Tensor = normOfAll(tensors),
): { readonly tensors: Tensor[]; readonly norm: Tensor } {
  checkLimit("clipByGlobalNorm", limit);
  // 0·norm is NaN for a norm that is not finite, so that nobody trains on without seeing it
  const scale = maximum(norm, limit).reciprocal().mul(limit).add(norm.mul(0));
  return { tensors: tensors.map((x) => x.mul(scale)), norm };
}

/** Mean and variance (without Bessel's correction) over axes. */
export function meanAndVariance(x: Tensor, axes?: Axes, keepDims = false): { mean: Tensor; variance: Tensor } {
  const value = asFloat(x);
  const mean = value.mean(axes, true);
  const variance = value.sub(mean).square().mean(axes, keepDims);
  return { mean: keepDims ? mean : mean.reshape(variance.shape), variance };
}

/** (x − mean) / √(variance + ε) · scale + offset; everything broadcasts. */
export function normalizedWith(
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  offset: Tensor | undefined,
  scale: Tensor | undefined,
  epsilon: number,
): Tensor {
  const inverse = variance.add(epsilon).rsqrt();
  const factor = scale ? inverse.mul(scale) : inverse;
  const shift = mean.mul(factor).neg();
  return x.mul(factor).add(offset ? shift.add(offset) : shift);
}

/** √ of the variance (without Bessel's correction) over axes. */
export function standardDeviation(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  return meanAndVariance(x, axes, keepDims).variance.sqrt();
}

/** a / b, and 0 where b is 0. */
export function quotientOrZero(a: Operand, b: Tensor): Tensor {
  const nothing = b.eq(0);
  return where(nothing, 0, div(a, where(nothing, 1, b)));
}

/** (a − b)². */
export function squaredDifference(a: Operand, b: Operand): Tensor {
  return sub(a, b).square();
}

/** The sum of tensors, from the first to the last. */
export function sumOfTensors(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) throw new ArgumentError("addN: expected at least one tensor.");
  return tensors.reduce((total, each) => total.add(each));
}

/** Σ of the diagonal of each matrix. */
export function traceOf(x: Tensor): Tensor {
  return diagonal(x, 0, -2, -1).sum(-1);
}
