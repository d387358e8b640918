/** Activation functions under the names that Keras gives them, and the memory of which logits a probability came from. */
import { ArgumentError } from "../errors.ts";
import { type Tensor, where, zerosLike } from "../tensor/index.ts";

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

/** x for x ≥ 0, slope·x below. */
export function leakyRelu(x: Tensor, negativeSlope = 0.2): Tensor {
  return where(x.gt(0), x, x.mul(negativeSlope));
}

export function softmax(x: Tensor, axis = -1): Tensor {
  const output = x.softmax(axis);
  return axis === -1 || axis === x.rank - 1 ? tagged(output, x, "softmax") : output;
}

export function sigmoid(x: Tensor): Tensor {
  return tagged(x.sigmoid(), x, "sigmoid");
}

/** ln(1 + eˣ), without overflow: max(x, 0) + ln(1 + e^−|x|). */
export function softplus(x: Tensor): Tensor {
  return x.relu().add(x.abs().neg().exp().log1p());
}

/** α(eˣ − 1) below 0. */
export function elu(x: Tensor, alpha = 1): Tensor {
  return where(x.gt(0), x, x.minimum(0).expm1().mul(alpha));
}

/** Klambauer et al. 2017. */
export function selu(x: Tensor): Tensor {
  return elu(x, 1.6732632423543772).mul(1.0507009873554805);
}

/** x·Φ(x), exact by default; the tanh approximation on request (Hendrycks & Gimpel 2016). */
export function gelu(x: Tensor, approximate = false): Tensor {
  const half = x.mul(0.5);
  if (!approximate) return half.mul(x.mul(Math.SQRT1_2).erf().add(1));
  const inner = x.mul(x.square().mul(0.044715).add(1)).mul(Math.sqrt(2 / Math.PI));
  return half.mul(inner.tanh().add(1));
}

export function silu(x: Tensor): Tensor {
  return x.mul(x.sigmoid());
}

/** clip(x + 3, 0, 6) / 6. */
export function hardSigmoid(x: Tensor): Tensor {
  return x.add(3).clip(0, 6).div(6);
}

/** Names as Keras spells them. */
const table = {
  linear: (x) => x,
  relu: (x) => relu(x),
  relu6: (x) => relu(x, { maxValue: 6 }),
  leaky_relu: (x) => leakyRelu(x),
  elu: (x) => elu(x),
  selu,
  celu: (x) => elu(x),
  softmax: (x) => softmax(x),
  log_softmax: (x) => x.logSoftmax(-1),
  sigmoid,
  log_sigmoid: (x) => softplus(x.neg()).neg(),
  hard_sigmoid: hardSigmoid,
  tanh: (x) => x.tanh(),
  hard_tanh: (x) => x.clip(-1, 1),
  tanh_shrink: (x) => x.sub(x.tanh()),
  softplus,
  softsign: (x) => x.div(x.abs().add(1)),
  soft_shrink: (x) => x.sub(x.clip(-0.5, 0.5)),
  hard_shrink: (x) => where(x.abs().gt(0.5), x, zerosLike(x)),
  squareplus: (x) => x.add(x.square().add(4).sqrt()).mul(0.5),
  silu,
  swish: silu,
  hard_silu: (x) => x.mul(hardSigmoid(x)),
  hard_swish: (x) => x.mul(hardSigmoid(x)),
  gelu: (x) => gelu(x),
  mish: (x) => x.mul(softplus(x).tanh()),
  exponential: (x) => x.exp(),
} as const satisfies Readonly<Record<string, Activation>>;

export type ActivationName = keyof typeof table;
export const activationNames = Object.keys(table) as ActivationName[];

/** An activation by name; an unknown name is an error that lists the known ones. */
export function activationByName(owner: string, name: string): Activation {
  if (Object.hasOwn(table, name)) return table[name as ActivationName];
  throw new ArgumentError(`${owner}: unknown activation "${name}"; expected one of ${activationNames.join(", ")}.`);
}

/** The name of an activation of the table, if it is one. */
export function activationNameOf(activation: Activation): ActivationName | undefined {
  return activationNames.find((name) => table[name] === activation);
}
