/** Activation functions under the names that Keras gives them, and the memory of which logits a probability came from. */
import { ArgumentError } from "../errors.ts";
import { didYouMean } from "../nearest-name.ts";
import {
  arange,
  cumulativeSum,
  elu,
  gatedLinearUnit,
  gelu,
  hardSigmoid,
  hardSilu,
  leakyRelu,
  logSigmoid,
  mish,
  relu6,
  silu,
  softplus,
  softsign,
  sort,
  type Tensor,
  where,
  zerosLike,
} from "../tensor/index.ts";

export { elu, gelu, hardSigmoid, hardSilu, leakyRelu, logSigmoid, mish, relu6, silu, softplus, softsign };

export type Activation = (x: Tensor) => Tensor;

const logitsKey = Symbol("logits");
type Tagged = Tensor & { [logitsKey]?: { readonly logits: Tensor; readonly kind: "softmax" | "sigmoid" } };

/** Remembers what a softmax or sigmoid was computed from, so that a cross-entropy can use the logits. */
function tagged(output: Tensor, logits: Tensor, kind: "softmax" | "sigmoid"): Tensor {
  (output as Tagged)[logitsKey] = { logits, kind };
  return output;
}

/**
 * The logits behind probabilities that `softmax` (over the last axis) or `sigmoid` of this module made, if this is such a tensor. Keras on
 * TensorFlow does the same (`_keras_logits`): its cross-entropies never see clipped probabilities in a model that ends in softmax.
 */
export function logitsOf(probabilities: Tensor, kind: "softmax" | "sigmoid"): Tensor | undefined {
  const tag = (probabilities as Tagged)[logitsKey];
  return tag?.kind === kind ? tag.logits : undefined;
}

export function relu(
  x: Tensor,
  options: { maxValue?: number; negativeSlope?: number; threshold?: number } = {},
): Tensor {
  const { maxValue, negativeSlope = 0, threshold = 0 } = options;
  if (negativeSlope !== 0 && maxValue === undefined && threshold === 0) return leakyRelu(x, negativeSlope);
  let positive = threshold === 0 ? x.relu() : where(x.gt(threshold), x, 0);
  if (maxValue !== undefined) positive = positive.minimum(maxValue);
  if (negativeSlope === 0) return positive;
  return positive.sub(x.neg().add(threshold).relu().mul(negativeSlope));
}

export function softmax(x: Tensor, axis = -1): Tensor {
  const output = x.softmax(axis);
  return axis === -1 || axis === x.rank - 1 ? tagged(output, x, "softmax") : output;
}

export function sigmoid(x: Tensor): Tensor {
  return tagged(x.sigmoid(), x, "sigmoid");
}

/** Klambauer et al. 2017. At 0 the slope is that of the positive side, as in TensorFlow (PyTorch takes the other). */
export function selu(x: Tensor): Tensor {
  const [alpha, scale] = [1.6732632423543772, 1.0507009873554805];
  return where(x.lt(0), x.minimum(0).expm1().mul(alpha), x).mul(scale);
}

/** x above 0, slope · x below, with slopes that broadcast against x: relu(x) − slope · relu(−x). After He et al., 2015. */
export function learnedRelu(x: Tensor, slope: Tensor): Tensor {
  return x.relu().sub(slope.mul(x.neg().relu()));
}

/** Softmax along an axis where a mask holds, 0 elsewhere; a mask broadcasts to x. */
export function maskedSoftmax(x: Tensor, mask: Tensor, axis = -1): Tensor {
  return where(mask, where(mask, x, -1e30).softmax(axis), 0);
}

/** x itself. */
export const linear = (x: Tensor): Tensor => x;
/** max(x, 0) + α · min(0, e^(x/α) − 1). After Barron, 2017. */
export const celu = (x: Tensor, alpha = 1): Tensor => (alpha === 1 ? elu(x) : elu(x.div(alpha)).mul(alpha));
/** First half · σ(second half) along an axis. After Dauphin et al., 2017. */
export const glu = (x: Tensor, axis = -1): Tensor => gatedLinearUnit(x, axis);
/** ln(eˣ / Σ eˣ) along an axis. */
export const logSoftmax = (x: Tensor, axis = -1): Tensor => x.logSoftmax(axis);
export const tanh = (x: Tensor): Tensor => x.tanh();
/** eˣ. */
export const exponential = (x: Tensor): Tensor => x.exp();
/** x between −1 and 1. */
export const hardTanh = (x: Tensor): Tensor => x.clip(-1, 1);
/** x − tanh x. */
export const tanhShrink = (x: Tensor): Tensor => x.sub(x.tanh());
/** x moved towards 0 by `threshold`, 0 where it would pass it. */
export const softShrink = (x: Tensor, threshold = 0.5): Tensor => x.sub(x.clip(-threshold, threshold));
/** x where |x| exceeds `threshold`, else 0. */
export const hardShrink = (x: Tensor, threshold = 0.5): Tensor => where(x.abs().gt(threshold), x, zerosLike(x));
/** x where it exceeds `threshold`, else a value. */
export const threshold = (x: Tensor, limit: number, value: number): Tensor => where(x.gt(limit), x, value);
/** (x + √(x² + b)) / 2. After Barron, 2021. */
export const squareplus = (x: Tensor, b = 4): Tensor => x.add(x.square().add(b).sqrt()).mul(0.5);
/** 0 below −1, (x + 1)² / 4 up to 1, x above. */
export const sparsePlus = (x: Tensor): Tensor => where(x.lt(1), x.maximum(-1).add(1).square().mul(0.25), x);
/** (x + 1) / 2 between 0 and 1. */
export const sparseSigmoid = (x: Tensor): Tensor => x.add(1).mul(0.5).clip(0, 1);

/**
 * The point of the probability simplex that is closest to x: max(x − τ, 0) with the τ for which it sums to 1. After Martins and Astudillo, 2016.
 */
export function sparsemax(x: Tensor, axis = -1): Tensor {
  const at = axis < 0 ? axis + x.rank : axis;
  const sorted = sort(x, { axis: at, descending: true });
  const totals = cumulativeSum(sorted, { axis: at });
  const counts = arange(1, x.shape[at] + 1)
    .cast("f32")
    .reshape(x.shape.map((extent, index) => (index === at ? extent : 1)));
  // the largest k for which the k largest elements stay above the τ that they have
  const support = sorted.mul(counts).add(1).gt(totals);
  const size = support.cast("f32").sum(at, { keepdim: true });
  const total = where(support, sorted, 0).sum(at, { keepdim: true });
  return x.sub(total.sub(1).div(size)).relu();
}

/** Names as Keras spells them. */
const table = {
  linear,
  relu,
  relu6,
  leaky_relu: leakyRelu,
  elu,
  celu,
  selu,
  softmax,
  log_softmax: logSoftmax,
  sigmoid,
  log_sigmoid: logSigmoid,
  hard_sigmoid: hardSigmoid,
  tanh,
  hard_tanh: hardTanh,
  tanh_shrink: tanhShrink,
  softplus,
  softsign,
  soft_shrink: softShrink,
  hard_shrink: hardShrink,
  sparse_plus: sparsePlus,
  sparse_sigmoid: sparseSigmoid,
  sparsemax,
  squareplus,
  silu,
  swish: silu,
  hard_silu: hardSilu,
  hard_swish: hardSilu,
  gelu,
  glu,
  mish,
  exponential,
} as const satisfies Readonly<Record<string, Activation>>;

export type ActivationName = keyof typeof table;
export const activationNames = Object.keys(table) as ActivationName[];

/** An activation by name; an unknown name is an error that lists the known ones. */
export function activationByName(owner: string, name: string): Activation {
  if (Object.hasOwn(table, name)) return table[name as ActivationName];
  throw new ArgumentError(
    `${owner}: unknown activation "${name}"${didYouMean(name, activationNames)}; expected one of ${activationNames.join(", ")}.`,
  );
}

/** The name of an activation of the table, if it is one. */
export function activationNameOf(activation: Activation): ActivationName | undefined {
  return activationNames.find((name) => table[name] === activation);
}
