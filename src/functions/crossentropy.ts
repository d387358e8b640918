/**
 * Cross-entropies with Keras 3's numbers: probabilities are clipped to [1e-7, 1 − 1e-7], one value is returned for each example (the mean
 * over the batch is the caller's), and an output that was built by `softmax` or `sigmoid` is seen through to its logits.
 */
import { ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, normalizeAxis, sameShape } from "../graph/shape.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { checkIndices } from "../ops/check-indices.ts";
import { eq, ne } from "../ops/compare.ts";
import { constantLike, toFloat } from "../ops/prepare.ts";
import { mean, sum } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { log, sigmoid } from "../ops/transcendental.ts";
import { neg } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { clip, softplus } from "./activations.ts";
import { logitsOfSoftmax, logSoftmax, shiftedLogits } from "./softmax.ts";
import { classMask } from "./sorting.ts";

/** Keras' fuzz factor. */
export const kerasEpsilon = 1e-7;

export interface CrossentropyOptions {
  /** Whether the output holds logits rather than probabilities. */
  readonly fromLogits?: boolean;
  /** Moves this share of each target to all classes evenly (binary: towards 0.5). */
  readonly labelSmoothing?: number;
  readonly axis?: number;
}

const clipped = (probabilities: Node): Node => clip(probabilities, kerasEpsilon, 1 - kerasEpsilon);

function checkSameShape(operation: string, target: Node, output: Node): void {
  if (!sameShape(target.shape, output.shape)) {
    throw new ShapeError(
      `${operation}: targets of shape ${formatShape(target.shape)} and outputs of shape ${formatShape(output.shape)} must have one shape.`,
    );
  }
}

/** target · scale + offset, as a number that the structure fixes. */
function smoothed(target: Node, share: number, evenly: number): Node {
  if (!share) return target;
  return add(mul(target, constantLike(target, 1 - share)), constantLike(target, share * evenly));
}

/** −Σ target · ln p along an axis: targets are distributions over classes. */
export function categoricalCrossentropy(
  target: Node,
  output: Node,
  { fromLogits = false, labelSmoothing = 0, axis = -1 }: CrossentropyOptions = {},
): Node {
  const name = "categoricalCrossentropy";
  checkSameShape(name, target, output);
  const classAxis = normalizeAxis(name, axis, output.shape.length);
  const wanted = smoothed(toFloat(target), labelSmoothing, 1 / target.shape[target.shape.length - 1]);
  const logits = fromLogits ? output : logitsOfSoftmax(output, classAxis);
  if (logits) return neg(sum(mul(wanted, logSoftmax(logits, classAxis)), classAxis));
  const probabilities = div(output, sum(output, classAxis, true));
  return neg(sum(mul(wanted, log(clipped(probabilities))), classAxis));
}

export interface SparseCrossentropyOptions {
  readonly fromLogits?: boolean;
  /** A label whose examples count 0. */
  readonly ignoreClass?: number;
}

/** Labels as i32; NaN becomes −1, which no range contains (a cast alone would make it class 0). */
export function labelIndices(labels: Node): Node {
  if (labels.dtype !== "f32") return cast(labels, "i32");
  const indices = cast(labels, "i32");
  return where(eq(labels, labels), indices, constantLike(indices, -1));
}

/** −ln p[label] along the last axis: targets are class numbers. A label outside the classes is an `IndexRangeError`. */
export function sparseCategoricalCrossentropy(
  target: Node,
  output: Node,
  { fromLogits = false, ignoreClass }: SparseCrossentropyOptions = {},
): Node {
  const name = "sparseCategoricalCrossentropy";
  const rank = output.shape.length;
  const examples = output.shape.slice(0, -1);
  const classes = output.shape[rank - 1];
  const squeezed =
    target.shape.length === rank && target.shape[rank - 1] === 1 ? reshape(target, target.shape.slice(0, -1)) : target;
  if (rank < 1 || !sameShape(squeezed.shape, examples)) {
    throw new ShapeError(
      `${name}: labels of shape ${formatShape(target.shape)} do not fit outputs of shape ${formatShape(output.shape)}: ` +
        `expected ${formatShape(examples)}, one label for each example.`,
    );
  }
  const given = labelIndices(squeezed);
  const counts = ignoreClass === undefined ? undefined : ne(given, constantLike(given, ignoreClass));
  const labels = checkIndices(counts ? where(counts, given, constantLike(given, 0)) : given, classes);
  const mask = classMask(labels, classes);
  const chosen = (x: Node): Node => sum(where(mask, x, constantLike(x, 0)), -1);

  const logits = fromLogits ? output : logitsOfSoftmax(output);
  let loss: Node;
  if (logits) {
    const { shifted, logTotal } = shiftedLogits(logits, -1);
    loss = sub(reshape(logTotal, examples), chosen(shifted));
  } else {
    // Keras takes the logarithms of the clipped probabilities as logits, which divides by their sum.
    const probabilities = clipped(output);
    loss = sub(log(sum(probabilities, -1)), chosen(log(probabilities)));
  }
  return counts ? where(counts, loss, constantLike(loss, 0)) : loss;
}

/** −t ln p − (1 − t) ln (1 − p), mean over the last axis (or `axis`). */
export function binaryCrossentropy(
  target: Node,
  output: Node,
  { fromLogits = false, labelSmoothing = 0, axis = -1 }: CrossentropyOptions = {},
): Node {
  checkSameShape("binaryCrossentropy", target, output);
  const wanted = smoothed(toFloat(target), labelSmoothing, 0.5);
  const logits = fromLogits ? output : output.op === sigmoid && output.inputs.length > 0 ? output.inputs[0] : undefined;
  if (logits) return mean(sigmoidCrossentropy(wanted, logits), axis);
  const p = clipped(output);
  const one = constantLike(p, 1);
  return mean(neg(add(mul(wanted, log(p)), mul(sub(one, wanted), log(sub(one, p))))), axis);
}

/** Elementwise −t ln σ(x) − (1 − t) ln (1 − σ(x)) = softplus(x) − t x. */
export function sigmoidCrossentropy(target: Node, logits: Node): Node {
  return sub(softplus(logits), mul(target, logits));
}
