/** Classification losses with PyTorch's rules: classes along axis 1 (or the only axis), a reduction over all examples. */
import { ArgumentError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { add, div, mul } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { checkIndices } from "../ops/check-indices.ts";
import { eq, ne } from "../ops/compare.ts";
import { iota } from "../ops/generate.ts";
import { expand } from "../ops/movement.ts";
import { constantLike } from "../ops/prepare.ts";
import { mean, sum } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { neg } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { labelIndices } from "./crossentropy.ts";
import { logSoftmax } from "./softmax.ts";

export type LossReduction = "mean" | "sum" | "none";

export interface ClassLossOptions {
  /** A weight for each class (shape: classes); the mean divides by the weights of the labels that occur. */
  readonly weight?: Node;
  /** A label whose examples do not count (default −100, as in PyTorch). */
  readonly ignoreIndex?: number;
  readonly reduction?: LossReduction;
}

/** Applies "mean", "sum" or "none" to one loss for each example. */
export function reduceLoss(loss: Node, reduction: LossReduction): Node {
  if (reduction === "none") return loss;
  if (reduction === "sum") return sum(loss);
  if (reduction === "mean") return mean(loss);
  throw new ArgumentError(`reduction "${reduction}" is not one of "mean", "sum", "none".`);
}

/** −w[label] · log-probability of the label. Labels outside the classes are an `IndexRangeError`, except `ignoreIndex`. */
export function nllLoss(logProbabilities: Node, labels: Node, options: ClassLossOptions = {}): Node {
  return labelLoss("nllLoss", logProbabilities, labels, options, 0);
}

/** Cross-entropy of logits: `nllLoss` of `logSoftmax` for class numbers, −Σ target · logSoftmax for distributions. */
export function crossEntropy(
  logits: Node,
  target: Node,
  options: ClassLossOptions & { readonly labelSmoothing?: number } = {},
): Node {
  const axis = logits.shape.length === 1 ? 0 : 1;
  const share = options.labelSmoothing ?? 0;
  if (!(share >= 0 && share <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing must lie in [0, 1], received ${share}.`);
  }
  const logProbabilities = logSoftmax(logits, axis);
  if (target.dtype !== "f32" || !sameShape(target.shape, logits.shape)) {
    return labelLoss("crossEntropy", logProbabilities, target, options, share);
  }
  const classes = logits.shape[axis];
  const wanted = share
    ? add(mul(target, constantLike(target, 1 - share)), constantLike(target, share / classes))
    : target;
  const weighted = options.weight
    ? mul(logProbabilities, alongClasses(options.weight, logits, axis))
    : logProbabilities;
  const loss = neg(sum(mul(wanted, weighted), axis));
  return reduceLoss(loss, options.reduction ?? "mean");
}

/** A vector over classes, shaped to broadcast against scores. */
function alongClasses(vector: Node, scores: Node, axis: number): Node {
  if (!sameShape(vector.shape, [scores.shape[axis]])) {
    throw new ShapeError(
      `class weights have shape ${formatShape(vector.shape)}, expected ${formatShape([scores.shape[axis]])}: one for each class.`,
    );
  }
  return reshape(
    vector,
    scores.shape.map((size, i) => (i === axis ? size : 1)),
  );
}

function labelLoss(
  operation: string,
  logProbabilities: Node,
  target: Node,
  { weight, ignoreIndex = -100, reduction = "mean" }: ClassLossOptions,
  smoothing: number,
): Node {
  const { shape } = logProbabilities;
  const axis = shape.length === 1 ? 0 : 1;
  const classes = shape[axis];
  const examples = shape.filter((_, i) => i !== axis);
  if (!sameShape(target.shape, examples)) {
    throw new ShapeError(
      `${operation}: labels of shape ${formatShape(target.shape)} do not fit scores of shape ${formatShape(shape)}: ` +
        `expected ${formatShape(examples)} (classes lie along axis ${axis}).`,
    );
  }
  const given = labelIndices(target);
  const counts = ne(given, constantLike(given, ignoreIndex));
  const labels = checkIndices(where(counts, given, constantLike(given, 0)), classes);
  const kept = shape.map((size, i) => (i === axis ? 1 : size));
  const classNumbers = reshape(
    iota([classes]),
    shape.map((size, i) => (i === axis ? size : 1)),
  );
  const mask = eq(expand(reshape(labels, kept), shape), expand(classNumbers, shape));
  const weights = weight && expand(alongClasses(weight, logProbabilities, axis), shape);
  const weighted = weights ? mul(logProbabilities, weights) : logProbabilities;
  const zeros = constantLike(weighted, 0);
  const valid = (x: Node): Node => where(counts, x, constantLike(x, 0));

  let loss = neg(sum(where(mask, weighted, zeros), axis));
  if (smoothing > 0) {
    const evenly = neg(sum(weighted, axis));
    loss = add(mul(loss, constantLike(loss, 1 - smoothing)), mul(evenly, constantLike(evenly, smoothing / classes)));
  }
  const perExample = valid(loss);
  if (reduction !== "mean") return reduceLoss(perExample, reduction);
  const total = weights ? sum(valid(sum(where(mask, weights, zeros), axis))) : sum(cast(counts, "f32"));
  return div(sum(perExample), total);
}
