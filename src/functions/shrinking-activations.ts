/** Activations that PyTorch has beside the common ones; which side the gradient takes at a kink is PyTorch's choice. */
import { ArgumentError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, normalizeAxis } from "../graph/shape.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { ge, gt, le, lt } from "../ops/compare.ts";
import { logicalAnd } from "../ops/logic.ts";
import { expand, slice } from "../ops/movement.ts";
import { constantLike, toFloat } from "../ops/prepare.ts";
import { reshape } from "../ops/reshape.ts";
import { expm1, sigmoid, tanh } from "../ops/transcendental.ts";
import { where } from "../ops/where.ts";
import { softplus } from "./activations.ts";

/** x for x > 0, α (e^(x/α) − 1) otherwise. Source: Barron, 2017. */
export function celu(x: Node, alpha = 1): Node {
  const value = toFloat(x);
  const zero = constantLike(value, 0);
  const scale = constantLike(value, alpha);
  const positive = gt(value, zero);
  return where(positive, value, mul(expm1(div(where(positive, zero, value), scale)), scale));
}

/** x between two bounds; on the bounds themselves the gradient is 0. */
export function hardTanh(x: Node, least = -1, most = 1): Node {
  if (!(least <= most)) throw new ArgumentError(`hardTanh: the bounds ${least} and ${most} must be in order.`);
  const value = toFloat(x);
  const [low, high] = [constantLike(value, least), constantLike(value, most)];
  return where(le(value, low), low, where(ge(value, high), high, value));
}

/** x − tanh x. */
export function tanhShrink(x: Node): Node {
  const value = toFloat(x);
  return sub(value, tanh(value));
}

/** x − λ above λ, x + λ below −λ, 0 between. */
export function softShrink(x: Node, lambda = 0.5): Node {
  const value = toFloat(x);
  const zero = constantLike(value, 0);
  const bound = constantLike(value, lambda);
  return where(
    gt(value, bound),
    sub(value, bound),
    where(lt(value, constantLike(value, -lambda)), add(value, bound), mul(value, zero)),
  );
}

/** x above λ or below −λ, 0 between. */
export function hardShrink(x: Node, lambda = 0.5): Node {
  const value = toFloat(x);
  const inside = logicalAnd(ge(value, constantLike(value, -lambda)), le(value, constantLike(value, lambda)));
  return where(inside, constantLike(value, 0), value);
}

/** x above a threshold, otherwise a fixed value. */
export function thresholded(x: Node, threshold: number, replacement: number): Node {
  const value = toFloat(x);
  return where(gt(value, constantLike(value, threshold)), value, constantLike(value, replacement));
}

/** ln(1 + e^(β·x)) / β; x itself where β·x exceeds the threshold. */
export function softplusScaled(x: Node, beta = 1, threshold = 20): Node {
  const value = toFloat(x);
  const scaled = beta === 1 ? value : mul(value, constantLike(value, beta));
  const linear = gt(scaled, constantLike(value, threshold));
  const soft = softplus(where(linear, constantLike(value, 0), scaled));
  return where(linear, value, beta === 1 ? soft : div(soft, constantLike(soft, beta)));
}

/** x for x > 0, slope · x otherwise; one slope for all, or one for each position along axis 1. Source: He et al., 2015. */
export function parametricRelu(x: Node, slope: Node): Node {
  const channels = x.shape.length > 1 ? x.shape[1] : 1;
  const count = slope.shape.reduce((product, extent) => product * extent, 1);
  if (count !== 1 && count !== channels) {
    throw new ShapeError(
      `prelu: ${count} slopes do not fit data of shape ${formatShape(x.shape)}: expected 1, or ${channels} (one for each channel along axis 1).`,
    );
  }
  const shaped =
    x.shape.length < 2
      ? reshape(
          slope,
          x.shape.map(() => 1),
        )
      : reshape(
          slope,
          x.shape.map((_, axis) => (axis === 1 ? count : 1)),
        );
  return where(gt(x, constantLike(x, 0)), x, mul(expand(shaped, x.shape), x));
}

/** First half · σ(second half) along an axis. Source: Dauphin et al., 2017. */
export function gatedLinearUnit(x: Node, axis = -1): Node {
  const at = normalizeAxis("glu", axis, x.shape.length);
  const size = x.shape[at];
  if (size % 2 !== 0) {
    throw new ShapeError(
      `glu: axis ${axis} of data of shape ${formatShape(x.shape)} has ${size} positions; expected an even number.`,
    );
  }
  const half = (start: number): Node =>
    slice(
      x,
      x.shape.map((_, i) => (i === at ? { start, stop: start + size / 2 } : undefined)),
    );
  return mul(half(0), sigmoid(half(size / 2)));
}
