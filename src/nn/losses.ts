/** Losses after Keras: functions from targets and predictions to one value per example (the last axis is reduced). All in f32. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import { type Tensor, takeAlongAxis, where } from "../tensor/index.ts";
import { logitsOf, softplus } from "./activations.ts";
import { alignRanks, asFloat, checkSameShape } from "./align.ts";

/** Keras' fuzz factor, used where a logarithm or a division needs a floor. */
export const epsilon = 1e-7;

export type LossFunction = (target: Tensor, prediction: Tensor) => Tensor;

function aligned(operation: string, target: Tensor, prediction: Tensor): readonly [Tensor, Tensor] {
  const [left, right] = alignRanks(asFloat(target), asFloat(prediction));
  checkSameShape(operation, left, right);
  return [left, right];
}

/** −Σ target · log softmax(logits) over the last axis. */
function crossEntropyFromLogits(target: Tensor, logits: Tensor): Tensor {
  return logits.logSoftmax(-1).mul(target).sum(-1).neg();
}

/** −log softmax(logits)[class] over the last axis; a class out of range is found before anything is written. */
function sparseCrossEntropyFromLogits(classes: Tensor, logits: Tensor): Tensor {
  return takeAlongAxis(logits.logSoftmax(-1), classes.unsqueeze(-1), -1).squeeze(-1).neg();
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
  const classes = prediction.shape[prediction.rank - 1];
  checkSameShape("categorical_crossentropy", target, prediction);
  let goal = asFloat(target);
  if (labelSmoothing > 0) goal = goal.mul(1 - labelSmoothing).add(labelSmoothing / classes);
  const logits = fromLogits ? prediction : logitsOf(prediction, "softmax");
  if (logits) return crossEntropyFromLogits(goal, logits);
  const normalized = prediction.div(prediction.sum(-1, true)).clip(epsilon, 1 - epsilon);
  return goal.mul(normalized.log()).sum(-1).neg();
}

/** Cross-entropy with class numbers as targets, of the predictions' shape without the last axis (or with a last axis of 1). */
export function sparseCategoricalCrossentropy(
  target: Tensor,
  prediction: Tensor,
  options: { fromLogits?: boolean; ignoreClass?: number } = {},
): Tensor {
  const { fromLogits = false, ignoreClass } = options;
  let classes = target.cast("i32");
  if (classes.rank === prediction.rank && classes.shape[classes.rank - 1] === 1) classes = classes.squeeze(-1);
  if (formatShape(classes.shape) !== formatShape(prediction.shape.slice(0, -1))) {
    throw new ShapeError(
      `sparse_categorical_crossentropy: targets have shape ${formatShape(target.shape)}, predictions ${formatShape(prediction.shape)}; ` +
        `expected class numbers of shape ${formatShape(prediction.shape.slice(0, -1))}.`,
    );
  }
  const valid = ignoreClass === undefined ? undefined : classes.ne(ignoreClass);
  if (valid) classes = where(valid, classes, classes.mul(0));
  const logits =
    (fromLogits ? prediction : logitsOf(prediction, "softmax")) ?? prediction.clip(epsilon, 1 - epsilon).log();
  const values = sparseCrossEntropyFromLogits(classes, logits);
  // Keras averages over the classes that count: what is ignored weighs nothing, the rest weighs total / valid.
  if (!valid) return values;
  const share = valid.cast("f32").mean().maximum(epsilon);
  return where(valid, values.div(share), 0);
}

/** Binary cross-entropy, the mean over the last axis: max(x, 0) − x·z + ln(1 + e^−|x|) from logits x. */
export function binaryCrossentropy(
  target: Tensor,
  prediction: Tensor,
  options: { fromLogits?: boolean; labelSmoothing?: number } = {},
): Tensor {
  const { fromLogits = false, labelSmoothing = 0 } = options;
  const logits = fromLogits ? prediction : logitsOf(prediction, "sigmoid");
  const [aim, output] = aligned("binary_crossentropy", target, logits ?? prediction);
  const goal = labelSmoothing > 0 ? aim.mul(1 - labelSmoothing).add(0.5 * labelSmoothing) : aim;
  if (logits) return softplus(output).sub(output.mul(goal)).mean(-1);
  const clipped = output.clip(epsilon, 1 - epsilon);
  const positive = goal.mul(clipped.log());
  const negative = goal.neg().add(1).mul(clipped.neg().add(1).log());
  return positive.add(negative).neg().mean(-1);
}

export function meanSquaredError(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("mean_squared_error", target, prediction);
  return goal.sub(output).square().mean(-1);
}

export function meanAbsoluteError(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("mean_absolute_error", target, prediction);
  return goal.sub(output).abs().mean(-1);
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
  const { delta = 1 } = options;
  const [goal, output] = aligned("huber", target, prediction);
  const error = output.sub(goal);
  const size = error.abs();
  return where(size.le(delta), error.square().mul(0.5), size.mul(delta).sub(0.5 * delta * delta)).mean(-1);
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

/** −cos of the angle between target and prediction. */
export function cosineSimilarity(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = aligned("cosine_similarity", target, prediction);
  const normalized = (x: Tensor) => x.mul(x.square().sum(-1, true).maximum(1e-12).rsqrt());
  return normalized(goal).mul(normalized(output)).sum(-1).neg();
}

export type Reduction = "sum_over_batch_size" | "sum" | "mean" | "mean_with_sample_weight" | "none";
const reductions: readonly Reduction[] = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"];

export function checkReduction(owner: string, reduction: string): Reduction {
  if ((reductions as readonly string[]).includes(reduction)) return reduction as Reduction;
  throw new ArgumentError(`${owner}: unknown reduction "${reduction}"; expected one of ${reductions.join(", ")}.`);
}

/**
 * Weighs and reduces values per example. 'sum_over_batch_size' divides the weighted sum by the number of values, whatever the weights sum
 * to; 'mean_with_sample_weight' by the sum of the weights.
 */
export function reduceLoss(values: Tensor, sampleWeight: Tensor | undefined, reduction: Reduction): Tensor {
  let weighted = values;
  let weights: Tensor | undefined;
  if (sampleWeight) {
    [weighted, weights] = alignRanks(values, asFloat(sampleWeight));
    weighted = weighted.mul(weights);
  }
  if (reduction === "none" || weighted.rank === 0) return weighted;
  const total = weighted.sum();
  if (reduction === "sum") return total;
  if (reduction === "mean_with_sample_weight" && weights) return total.div(weights.sum());
  return total.div(Math.max(1, weighted.size));
}
