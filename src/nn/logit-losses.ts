/** Cross-entropies of logits, one value per example or element, after `tf.nn`. */
import { categoricalCrossentropy, softplus, sparseCategoricalCrossentropy, type Tensor } from "../tensor/index.ts";
import { asFloat, checkSameShape } from "./align.ts";

/** −Σ labels · logSoftmax(logits) along an axis: labels are distributions, of the logits' shape. */
export function softmaxCrossEntropy(labels: Tensor, logits: Tensor, axis = -1): Tensor {
  const target = asFloat(labels);
  checkSameShape("softmaxCrossEntropyWithLogits", target, logits);
  return categoricalCrossentropy(target, asFloat(logits), { fromLogits: true, axis });
}

/** ln Σ e^logits − logits[label] along the last axis: labels are class numbers. */
export function sparseSoftmaxCrossEntropy(labels: Tensor, logits: Tensor): Tensor {
  return sparseCategoricalCrossentropy(labels, asFloat(logits), { fromLogits: true });
}

/** Per element −z·ln σ(x) − (1 − z)·ln(1 − σ(x)), computed as softplus(x) − z·x. */
export function sigmoidCrossEntropy(labels: Tensor, logits: Tensor): Tensor {
  checkSameShape("sigmoidCrossEntropyWithLogits", labels, logits);
  const x = asFloat(logits);
  return softplus(x).sub(asFloat(labels).mul(x));
}

/** As `sigmoidCrossEntropy`, positive labels counting `weight` times: (1 − z)·x + (1 + (w − 1)·z)·softplus(−x). */
export function weightedSigmoidCrossEntropy(labels: Tensor, logits: Tensor, weight: number): Tensor {
  checkSameShape("weightedCrossEntropyWithLogits", labels, logits);
  const x = asFloat(logits);
  const z = asFloat(labels);
  const factor = z.mul(weight - 1).add(1);
  return z.neg().add(1).mul(x).add(softplus(x.neg()).mul(factor));
}
