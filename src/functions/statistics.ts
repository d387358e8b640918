import type { Node } from "../graph/node.ts";
import { normalizeAxes } from "../graph/shape.ts";
import { div, mul, sub } from "../ops/arithmetic.ts";
import { constantLike, toFloat } from "../ops/prepare.ts";
import { mean, sum } from "../ops/reduce.ts";
import { rootOrZero } from "./norms.ts";

export interface VarianceOptions {
  readonly axes?: number | readonly number[];
  readonly keepDims?: boolean;
  /** Subtracted from the count in the divisor: 0 for the population (Keras, NumPy), 1 for a sample (PyTorch's default). */
  readonly correction?: number;
}

/** Mean and variance over axes, kept, for normalisation: Σ (x − mean)² / n. */
export function moments(
  x: Node,
  axes?: number | readonly number[],
): { readonly mean: Node; readonly centred: Node; readonly variance: Node } {
  const average = mean(x, axes, true);
  const centred = sub(x, average);
  return { mean: average, centred, variance: mean(mul(centred, centred), axes, true) };
}

/** Σ (x − mean)² / (n − correction) over axes (all of them unless given). */
export function variance(x: Node, { axes, keepDims = false, correction = 0 }: VarianceOptions = {}): Node {
  const value = toFloat(x);
  const centred = sub(value, mean(value, axes, true));
  const total = sum(mul(centred, centred), axes, keepDims);
  const count = normalizeAxes("variance", axes, value.shape.length).reduce((n, axis) => n * value.shape[axis], 1);
  return div(total, constantLike(total, Math.max(0, count - correction)));
}

/** Square root of the variance; its gradient is 0 where the variance is. */
export function std(x: Node, options: VarianceOptions = {}): Node {
  return rootOrZero(variance(x, options));
}
