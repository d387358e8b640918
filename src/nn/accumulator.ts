import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../tensor/index.ts";
import { alignRanks, asFloat, axesFrom } from "./align.ts";

/**
 * A metric without state: what it counts, how a batch changes the counts (a graph expression, so that it joins the program of the step), and how
 * the result follows from the counts. Whoever owns the metric keeps the counts in variables.
 */
export interface Accumulator {
  /** The counts: f32 variables that start at 0. */
  readonly state: readonly { readonly name: string; readonly shape: Shape }[];
  /** Whether more is better; decides what `mode: 'auto'` of a callback means. */
  readonly direction?: "up" | "down";
  /** New counts after a batch. */
  readonly update: (
    state: readonly Tensor[],
    target: Tensor,
    prediction: Tensor,
    sampleWeight?: Tensor,
  ) => readonly Tensor[];
  /** The result from the counts' values. */
  readonly finish: (values: readonly ArrayLike<number>[]) => number | number[];
}

/** Quotient, 0 where the divisor is 0, rounded to f32. */
export function divideOrZero(dividend: number, divisor: number): number {
  return divisor === 0 ? 0 : Math.fround(dividend / divisor);
}

/** Values per example and their weights: axes that the weights do not have are averaged first, then all but the first. */
function perExample(values: Tensor, sampleWeight: Tensor | undefined): readonly [Tensor, Tensor | undefined] {
  let result = asFloat(values);
  let weights: Tensor | undefined;
  if (sampleWeight) {
    [result, weights] = alignRanks(result, asFloat(sampleWeight));
    if (result.rank > weights.rank) result = result.mean(axesFrom(weights.rank, result.rank));
    weights = weights.expand(result.shape);
    result = result.mul(weights);
    if (weights.rank > 1) weights = weights.mean(axesFrom(1, weights.rank));
  }
  if (result.rank > 1) result = result.mean(axesFrom(1, result.rank));
  return [result, weights];
}

/** Adds a batch to (total, count). */
export function addToMean(state: readonly Tensor[], values: Tensor, sampleWeight?: Tensor): readonly Tensor[] {
  const [total, count] = state;
  const [examples, weights] = perExample(values, sampleWeight);
  const amount = weights ? weights.sum() : examples.rank === 0 ? 1 : examples.shape[0];
  return [total.add(examples.sum()), count.add(amount)];
}

/** The weighted mean of a function of targets and predictions over all examples since the last reset. */
export function meanOf(
  measure: (target: Tensor, prediction: Tensor) => Tensor,
  direction?: "up" | "down",
): Accumulator {
  return {
    state: [
      { name: "total", shape: [] },
      { name: "count", shape: [] },
    ],
    direction,
    update: (state, target, prediction, sampleWeight) => addToMean(state, measure(target, prediction), sampleWeight),
    finish: ([total, count]) => divideOrZero(total[0], count[0]),
  };
}

/** √ of the mean of a function: root mean squared error. */
export function rootMeanOf(measure: (target: Tensor, prediction: Tensor) => Tensor): Accumulator {
  const mean = meanOf(measure, "down");
  return { ...mean, finish: (values) => Math.fround(Math.sqrt(mean.finish(values) as number)) };
}

/** The weighted sum of a function of targets and predictions. */
export function sumOf(measure: (target: Tensor, prediction: Tensor) => Tensor): Accumulator {
  return {
    state: [{ name: "total", shape: [] }],
    update: ([total], target, prediction, sampleWeight) => {
      const values = measure(target, prediction);
      const [aligned, weights] = sampleWeight ? alignRanks(asFloat(values), asFloat(sampleWeight)) : [asFloat(values)];
      return [total.add((weights ? aligned.mul(weights) : aligned).sum())];
    },
    finish: ([total]) => total[0],
  };
}

/** The mean of a number that each batch gives, weighed by the batches' sizes: how a loss is averaged over an epoch. */
export function addBatchValue(state: readonly Tensor[], value: Tensor, size: number): readonly Tensor[] {
  const [total, count] = state;
  return [total.add(value.mul(size)), count.add(size)];
}
