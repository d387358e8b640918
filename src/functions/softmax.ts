import { withGradMode } from "../graph/grad-mode.ts";
import type { Node } from "../graph/node.ts";
import { normalizeAxes, type Shape } from "../graph/shape.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { lt } from "../ops/compare.ts";
import { expand } from "../ops/movement.ts";
import { constantLike, toFloat } from "../ops/prepare.ts";
import { amax, sum } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { exp, log } from "../ops/transcendental.ts";
import { abs } from "../ops/unary.ts";
import { where } from "../ops/where.ts";

type Axes = number | readonly number[];

/** The largest element over axes, kept; the results below do not depend on it, so no gradient flows through it. */
function peak(x: Node, axes: Axes | undefined): Node {
  return withGradMode(false, () => amax(x, axes, true));
}

/** x − max x and ln Σ e^(x − max x), kept axes: what log-probabilities are made of, without overflow. */
export function shiftedLogits(x: Node, axis: Axes): { readonly shifted: Node; readonly logTotal: Node } {
  const shifted = sub(x, peak(x, axis));
  return { shifted, logTotal: log(sum(exp(shifted), axis, true)) };
}

/** e^x / Σ e^x along an axis: one division for each sum (which is at least 1), since one for each element would take longer than the powers. */
export function softmax(x: Node, axis: Axes = -1): Node {
  const value = toFloat(x);
  const powers = exp(sub(value, peak(value, axis)));
  const total = sum(powers, axis, true);
  return mul(powers, div(constantLike(total, 1), total));
}

/** x − ln Σ e^x along an axis. */
export function logSoftmax(x: Node, axis: Axes = -1): Node {
  const { shifted, logTotal } = shiftedLogits(toFloat(x), axis);
  return sub(shifted, logTotal);
}

/** ln Σ e^x over axes (all of them unless given); −∞ where all elements are −∞, ∞ where one is ∞. */
export function logSumExp(x: Node, axes?: Axes, keepDims = false): Node {
  const value = toFloat(x);
  const largest = peak(value, axes);
  const zero = constantLike(largest, 0);
  const finite = where(lt(abs(largest), constantLike(largest, Number.POSITIVE_INFINITY)), largest, zero);
  const result = add(log(sum(exp(sub(value, finite)), axes, true)), finite);
  return keepDims
    ? result
    : reshape(result, withoutAxes(value.shape, normalizeAxes("logSumExp", axes, value.shape.length)));
}

function withoutAxes(shape: Shape, axes: readonly number[]): Shape {
  return shape.filter((_, axis) => !axes.includes(axis));
}

function beforeBroadcast(node: Node): Node {
  let source = node;
  while ((source.op === expand || source.op === reshape) && source.inputs.length === 1) source = source.inputs[0];
  return source;
}

/**
 * The x of a node that was built as softmax(x, axis), if it can still be seen. Keras computes the cross-entropy of such an output from x,
 * which neither loses digits nor saturates.
 */
export function logitsOfSoftmax(probabilities: Node, axis = -1): Node | undefined {
  if (probabilities.op !== mul || probabilities.inputs.length !== 2) return undefined;
  const [powers, factor] = probabilities.inputs;
  if (powers.op !== exp || powers.inputs.length !== 1) return undefined;
  const quotient = beforeBroadcast(factor);
  if (quotient.op !== div || quotient.inputs.length !== 2) return undefined;
  const total = beforeBroadcast(quotient.inputs[1]);
  if (total.op !== sum || total.inputs[0] !== powers) return undefined;
  const [reduced] = normalizeAxes("softmax", axis, powers.shape.length);
  const axes = total.attributes.axes as readonly number[];
  if (axes.length !== 1 || axes[0] !== reduced) return undefined;
  const difference = powers.inputs[0];
  return difference.op === sub && difference.inputs.length === 2 ? difference.inputs[0] : undefined;
}
