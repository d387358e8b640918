/** Losses between a prediction and a target of one shape, with PyTorch's rules: one value for each element, then mean, sum or none. */
import { ArgumentError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { gt, lt } from "../ops/compare.ts";
import { constantLike, toFloat } from "../ops/prepare.ts";
import { sum } from "../ops/reduce.ts";
import { exp, log } from "../ops/transcendental.ts";
import { abs, neg } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { logSigmoid, softplus } from "./activations.ts";
import { type LossReduction, reduceLoss } from "./class-losses.ts";

export interface ElementwiseLossOptions {
  readonly reduction?: LossReduction;
}

function pair(operation: string, input: Node, target: Node): readonly [Node, Node] {
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      `${operation}: the prediction has shape ${formatShape(input.shape)}, the target ${formatShape(target.shape)}; they must be equal.`,
    );
  }
  return [toFloat(input), toFloat(target)];
}

/** (x − t)². */
export function squaredErrorLoss(input: Node, target: Node, { reduction = "mean" }: ElementwiseLossOptions = {}): Node {
  const [x, t] = pair("mseLoss", input, target);
  const error = sub(x, t);
  return reduceLoss(mul(error, error), reduction);
}

/** |x − t|. */
export function absoluteErrorLoss(
  input: Node,
  target: Node,
  { reduction = "mean" }: ElementwiseLossOptions = {},
): Node {
  const [x, t] = pair("l1Loss", input, target);
  return reduceLoss(abs(sub(x, t)), reduction);
}

/** e² / (2β) where |e| < β, |e| − β/2 beyond; β = 0 is the absolute error. Source: Girshick, 2015. */
export function smoothAbsoluteErrorLoss(
  input: Node,
  target: Node,
  { beta = 1, reduction = "mean" }: ElementwiseLossOptions & { readonly beta?: number } = {},
): Node {
  if (!(beta >= 0)) throw new ArgumentError(`smoothL1Loss: beta must be 0 or more, received ${beta}.`);
  if (beta === 0) return absoluteErrorLoss(input, target, { reduction });
  const [x, t] = pair("smoothL1Loss", input, target);
  const error = sub(x, t);
  const size = abs(error);
  const near = mul(mul(error, error), constantLike(error, 0.5 / beta));
  const far = sub(size, constantLike(error, 0.5 * beta));
  return reduceLoss(where(lt(size, constantLike(size, beta)), near, far), reduction);
}

/** e²/2 where |e| ≤ δ, δ (|e| − δ/2) beyond. Source: Huber, 1964. */
export function huberErrorLoss(
  input: Node,
  target: Node,
  { delta = 1, reduction = "mean" }: ElementwiseLossOptions & { readonly delta?: number } = {},
): Node {
  if (!(delta > 0)) throw new ArgumentError(`huberLoss: delta must be positive, received ${delta}.`);
  const [x, t] = pair("huberLoss", input, target);
  const error = sub(x, t);
  const size = abs(error);
  const near = mul(mul(error, error), constantLike(error, 0.5));
  const far = mul(sub(size, constantLike(error, 0.5 * delta)), constantLike(error, delta));
  return reduceLoss(where(gt(size, constantLike(size, delta)), far, near), reduction);
}

export interface BinaryLossOptions extends ElementwiseLossOptions {
  /** Multiplies the loss of each element; broadcasts. */
  readonly weight?: Node;
}

/** ln x, but not below −100, where the gradient is 0. */
function boundedLog(x: Node): Node {
  // e^−100 is below the smallest normal number: what is smaller takes the bound, and 1 takes its place so that no infinity reaches a gradient
  const small = lt(x, constantLike(x, 3.8e-44));
  return where(small, constantLike(x, -100), log(where(small, constantLike(x, 1), x)));
}

/** −t ln p − (1 − t) ln (1 − p) of probabilities; each logarithm is at least −100. */
export function binaryCrossEntropyLoss(
  input: Node,
  target: Node,
  { weight, reduction = "mean" }: BinaryLossOptions = {},
): Node {
  const [p, t] = pair("binaryCrossEntropy", input, target);
  const one = constantLike(p, 1);
  const loss = neg(add(mul(t, boundedLog(p)), mul(sub(one, t), boundedLog(sub(one, p)))));
  return reduceLoss(weight ? mul(loss, weight) : loss, reduction);
}

/** −w t ln σ(x) − (1 − t) ln (1 − σ(x)) of logits, w being the weight of positive targets; broadcasts. */
export function binaryCrossEntropyWithLogitsLoss(
  input: Node,
  target: Node,
  { weight, positiveWeight, reduction = "mean" }: BinaryLossOptions & { readonly positiveWeight?: Node } = {},
): Node {
  const [x, t] = pair("binaryCrossEntropyWithLogits", input, target);
  let loss: Node;
  if (positiveWeight) {
    const one = constantLike(t, 1);
    const negative = mul(sub(one, t), x);
    const factor = add(mul(sub(positiveWeight, constantLike(positiveWeight, 1)), t), one);
    loss = sub(negative, mul(factor, logSigmoid(x)));
  } else {
    loss = sub(softplus(x), mul(t, x));
  }
  return reduceLoss(weight ? mul(loss, weight) : loss, reduction);
}

export interface DivergenceOptions {
  /** Whether the target holds logarithms too. */
  readonly logTarget?: boolean;
  /** "batchmean" is the sum divided by the number of examples: the mathematical divergence. */
  readonly reduction?: LossReduction | "batchmean";
}

/** t (ln t − x), where x holds log-probabilities. Source: Kullback and Leibler, 1951. */
export function divergenceLoss(
  input: Node,
  target: Node,
  { logTarget = false, reduction = "mean" }: DivergenceOptions = {},
): Node {
  const [x, t] = pair("klDiv", input, target);
  const zero = constantLike(t, 0);
  const positive = gt(t, zero);
  // t ln t is 0 at 0
  const loss = logTarget
    ? mul(exp(t), sub(t, x))
    : sub(where(positive, mul(t, log(where(positive, t, constantLike(t, 1)))), zero), mul(t, x));
  if (reduction !== "batchmean") return reduceLoss(loss, reduction);
  const total = sum(loss);
  return div(total, constantLike(total, x.shape.length === 0 ? 1 : x.shape[0]));
}
