/**
 * Activation functions. Branches are chosen with `where` so that the gradient at the kink is PyTorch's, and what a branch computes where it is
 * not taken stays finite, so that no 0 · ∞ reaches a gradient.
 */
import type { Node } from "../graph/node.ts";
import { add, div, mul } from "../ops/arithmetic.ts";
import { ge, gt, lt } from "../ops/compare.ts";
import { constantLike, toFloat } from "../ops/prepare.ts";
import { exp, expm1, log1p, normalCdf, sigmoid, tanh } from "../ops/transcendental.ts";
import { abs, neg, relu } from "../ops/unary.ts";
import { where } from "../ops/where.ts";

const scaled = (x: Node, factor: number): Node => mul(x, constantLike(x, factor));
const shifted = (x: Node, term: number): Node => add(x, constantLike(x, term));

/** x between two bounds; NaN stays, the gradient passes on the bounds themselves (as `tf.clip_by_value` and `torch.clamp`). */
export function clip(x: Node, least?: number, most?: number): Node {
  let result = x;
  if (least !== undefined) {
    const bound = constantLike(x, least);
    result = where(lt(result, bound), bound, result);
  }
  if (most !== undefined) {
    const bound = constantLike(x, most);
    result = where(gt(result, bound), bound, result);
  }
  return result;
}

/** min(max(x, 0), 6). */
export function relu6(x: Node): Node {
  const positive = relu(toFloat(x));
  const six = constantLike(positive, 6);
  return where(ge(positive, six), six, positive);
}

/** x for x > 0, slope · x otherwise. */
export function leakyRelu(x: Node, slope = 0.2): Node {
  const value = toFloat(x);
  return where(gt(value, constantLike(value, 0)), value, scaled(value, slope));
}

/** x for x > 0, α (eˣ − 1) otherwise. */
export function elu(x: Node, alpha = 1): Node {
  const value = toFloat(x);
  const zero = constantLike(value, 0);
  const positive = gt(value, zero);
  const negative = expm1(where(positive, zero, value));
  return where(positive, value, alpha === 1 ? negative : scaled(negative, alpha));
}

/** Scaled exponential linear unit: 1.0507 · elu(x, 1.6733). Source: Klambauer et al., 2017. */
export function selu(x: Node): Node {
  return scaled(elu(x, 1.6732632423543772), 1.0507009873554805);
}

/** ln(1 + eˣ), computed as relu(x) + ln(1 + e^−|x|). */
export function softplus(x: Node): Node {
  const value = toFloat(x);
  // Not abs: at 0 this has the derivative of the left branch, which makes softplus exact there, to every order.
  const below = where(gt(value, constantLike(value, 0)), neg(value), value);
  return add(relu(value), log1p(exp(below)));
}

/** ln σ(x) = −softplus(−x). */
export function logSigmoid(x: Node): Node {
  return neg(softplus(neg(toFloat(x))));
}

/** x / (1 + |x|). */
export function softsign(x: Node): Node {
  const value = toFloat(x);
  return div(value, shifted(abs(value), 1));
}

/** x · σ(x). */
export function silu(x: Node): Node {
  const value = toFloat(x);
  return mul(value, sigmoid(value));
}
/** Keras' and TensorFlow's name of `silu`. */
export const swish = silu;

/**
 * Gaussian error linear unit: x · Φ(x) = x/2 · (1 + erf(x/√2)), or with `approximate` x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
 * Source: Hendrycks and Gimpel, 2016.
 */
export function gelu(x: Node, approximate = false): Node {
  const value = toFloat(x);
  if (!approximate) return mul(value, normalCdf(value));
  const inner = tanh(mul(scaled(value, Math.sqrt(2 / Math.PI)), shifted(scaled(mul(value, value), 0.044715), 1)));
  return mul(scaled(value, 0.5), shifted(inner, 1));
}

/** relu6(x + 3) / 6. */
export function hardSigmoid(x: Node): Node {
  const value = relu6(shifted(toFloat(x), 3));
  return div(value, constantLike(value, 6));
}

/** x · relu6(x + 3) / 6. */
export function hardSilu(x: Node): Node {
  const value = toFloat(x);
  return mul(value, hardSigmoid(value));
}

/** x · tanh(softplus(x)). Source: Misra, 2019. */
export function mish(x: Node): Node {
  const value = toFloat(x);
  return mul(value, tanh(softplus(value)));
}
