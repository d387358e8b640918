/** Losses after Keras: functions from targets and predictions to one value per example (the last axis is reduced). All in f32. */
import { ArgumentError } from "../errors.ts";
import * as functions from "../tensor/index.ts";
import { softplus, type Tensor, where } from "../tensor/index.ts";
import { logitsOf } from "./activations.ts";
import { alignRanks, asFloat, checkSameShape } from "./align.ts";

/** Keras' fuzz factor, used where a logarithm or a division needs a floor. */
export const epsilon = 1e-7;

export type LossFunction = (target: Tensor, prediction: Tensor) => Tensor;

function aligned(operation: string, target: Tensor, prediction: Tensor): readonly [Tensor, Tensor] {
  const [left, right] = alignRanks(asFloat(target), asFloat(prediction));
  checkSameShape(operation, left, right);
  return [left, right];
}

/**
 * Cross-entropy with one-hot (or soft) targets. Probabilities that come straight from a softmax use its logits, as Keras on TensorFlow
 * does; other probabilities are normalised and clipped to [ε, 1 − ε].
 */
export function categoricalCrossentropy(
  target: Tensor,
  prediction: Tensor,
  options: { fromLogits?: boolean; labelSmoothing?: number } = {},
): Tensor {
  const { fromLogits = false, labelSmoothing = 0 } = options;
  checkSameShape(
    "categorical_crossentropy",
    target,
    prediction,
    "For class numbers as targets use sparse_categorical_crossentropy, or make one-hot vectors of them with toCategorical.",
  );
  const logits = fromLogits ? prediction : logitsOf(prediction, "softmax");
  return functions.categoricalCrossentropy(target, logits ?? prediction, {
    fromLogits: logits !== undefined,
    labelSmoothing,
  });
}

/** Cross-entropy with class numbers as targets, of the predictions' shape without the last axis (or with a last axis of 1). */
export function sparseCategoricalCrossentropy(
  target: Tensor,
  prediction: Tensor,
  options: { fromLogits?: boolean; ignoreClass?: number } = {},
): Tensor {
  const { fromLogits = false, ignoreClass } = options;
  const logits = fromLogits ? prediction : logitsOf(prediction, "softmax");
  const settings = { fromLogits: logits !== undefined, ...(ignoreClass === undefined ? {} : { ignoreClass }) };
  const values = functions.sparseCategoricalCrossentropy(target, logits ?? prediction, settings);
  if (ignoreClass === undefined) return values;
  // Keras averages over the examples that count: what is ignored weighs nothing, the rest weighs total / valid.
  const counted = target.cast("i32").ne(ignoreClass).cast("f32");
  return values.div(counted.mean().maximum(epsilon));
}

/** Binary cross-entropy, the mean over the last axis; outputs that come straight from a sigmoid use its logits. */
export function binaryCrossentropy(
  target: Tensor,
  prediction: Tensor,
  options: { fromLogits?: boolean; labelSmoothing?: number } = {},
): Tensor {
  const { fromLogits = false, labelSmoothing = 0 } = options;
  const logits = fromLogits ? prediction : logitsOf(prediction, "sigmoid");
  const [goal, output] = aligned("binary_crossentropy", target, logits ?? prediction);
  return functions.binaryCrossentropy(goal, output, { fromLogits: logits !== undefined, labelSmoothing });
}

export function meanSquaredError(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("mean_squared_error", target, prediction);
  return functions.meanSquaredError(goal, output);
}

export function meanAbsoluteError(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("mean_absolute_error", target, prediction);
  return functions.meanAbsoluteError(goal, output);
}

/** 100·mean |(t − p) / t|. */
export function meanAbsolutePercentageError(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("mean_absolute_percentage_error", target, prediction);
  return goal.sub(output).div(goal.abs().maximum(epsilon)).abs().mean(-1).mul(100);
}

/** Mean of (ln(1 + p) − ln(1 + t))². */
export function meanSquaredLogarithmicError(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("mean_squared_logarithmic_error", target, prediction);
  return output.maximum(epsilon).log1p().sub(goal.maximum(epsilon).log1p()).square().mean(-1);
}

/** ½e² where |e| ≤ δ, δ|e| − ½δ² beyond (Huber 1964). */
export function huber(target: Tensor, prediction: Tensor, options: { delta?: number } = {}): Tensor {
  const [goal, output] = aligned("huber", target, prediction);
  return functions.huber(goal, output, options.delta ?? 1);
}

/** ln cosh(p − t). */
export function logCosh(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("log_cosh", target, prediction);
  const error = output.sub(goal);
  return error
    .add(softplus(error.mul(-2)))
    .sub(Math.LN2)
    .mean(-1);
}

/** Labels 0 and 1 become −1 and 1; other labels stay. */
function signedLabels(target: Tensor): Tensor {
  const binary = target.eq(0).logicalOr(target.eq(1)).all();
  return where(binary, target.mul(2).sub(1), target);
}

export function hinge(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("hinge", target, prediction);
  return signedLabels(goal).mul(output).neg().add(1).relu().mean(-1);
}

export function squaredHinge(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("squared_hinge", target, prediction);
  return signedLabels(goal).mul(output).neg().add(1).relu().square().mean(-1);
}

/** max(0, 1 + max over the other classes − the right class). */
export function categoricalHinge(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("categorical_hinge", target, prediction);
  const right = goal.mul(output).sum(-1);
  const others = goal.neg().add(1).mul(output).amax(-1);
  return others.sub(right).add(1).relu();
}

/** Σ t·ln(t / p) (Kullback & Leibler 1951). */
export function klDivergence(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("kl_divergence", target, prediction);
  const [t, p] = [goal.clip(epsilon, 1), output.clip(epsilon, 1)];
  return t.mul(t.div(p).log()).sum(-1);
}

/** Mean of p − t·ln p. */
export function poisson(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("poisson", target, prediction);
  return output.sub(goal.mul(output.add(epsilon).log())).mean(-1);
}

/** cos of the angle between target and prediction. */
export function cosineProximity(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("cosine_similarity", target, prediction);
  const normalized = (x: Tensor) => x.mul(x.square().sum(-1, true).maximum(1e-12).rsqrt());
  return normalized(goal).mul(normalized(output)).sum(-1);
}

/** −cos of the angle between target and prediction. */
export function cosineSimilarity(target: Tensor, prediction: Tensor): Tensor {
  return cosineProximity(target, prediction).neg();
}
/** The cosine of the angle between target and prediction along the last axis: what `cosineSimilarity`, a loss, is the negative of. */
export function cosine(target: Tensor, prediction: Tensor): Tensor {
  return cosineSimilarity(target, prediction).neg();
}

export type Reduction = "sum_over_batch_size" | "sum" | "mean" | "mean_with_sample_weight" | "none";
const reductions: readonly Reduction[] = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"];

export function checkReduction(owner: string, reduction: string): Reduction {
  if ((reductions as readonly string[]).includes(reduction)) return reduction as Reduction;
  throw new ArgumentError(`${owner}: unknown reduction "${reduction}"; expected one of ${reductions.join(", ")}.`);
}

/**
 * Weights that count only where a mask is true. For a mean over all values, what counts weighs total / counted, so that it becomes the mean over
 * what counts.
 */
export function maskedWeights(
  sampleWeight: Tensor | undefined,
  mask: Tensor | undefined,
  reduction: Reduction,
): Tensor | undefined {
  if (!mask) return sampleWeight;
  let counts = mask.cast("f32");
  if (reduction === "sum_over_batch_size" || reduction === "mean") {
    // without anything that counts the sum is 0 whatever it is divided by
    counts = counts.mul(counts.size).div(counts.sum().maximum(1));
  }
  if (!sampleWeight) return counts;
  const [left, right] = alignRanks(counts, asFloat(sampleWeight));
  return left.mul(right);
}

/**
 * Weighs and reduces values per example. 'sum_over_batch_size' divides the weighted sum by the number of values, whatever the weights sum
 * to; 'mean_with_sample_weight' by the sum of the weights. A mask says which values count.
 */
export function reduceLoss(
  values: Tensor,
  sampleWeight: Tensor | undefined,
  reduction: Reduction,
  mask?: Tensor | undefined,
): Tensor {
  let weighted = values;
  let weights = maskedWeights(sampleWeight, mask, reduction);
  if (weights) {
    [weighted, weights] = alignRanks(values, asFloat(weights));
    weighted = weighted.mul(weights);
  }
  if (reduction === "none" || weighted.rank === 0) return weighted;
  const total = weighted.sum();
  if (reduction === "sum") return total;
  if (reduction === "mean_with_sample_weight" && weights) return total.div(weights.sum());
  return weighted.size === 0 ? total : weighted.mean();
}
