/** Activation functions under the names that Keras gives them, and the memory of which logits a probability came from. */
import { ArgumentError } from "../errors.ts";
import {
  elu,
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
  type Tensor,
  where,
  zerosLike,
} from "../tensor/index.ts";

export { elu, gelu, hardSigmoid, leakyRelu, silu, softplus };

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

/** Names as Keras spells them. */
const table = {
  linear: (x) => x,
  relu: (x) => relu(x),
  relu6: (x) => relu6(x),
  leaky_relu: (x) => leakyRelu(x),
  elu: (x) => elu(x),
  celu: (x) => elu(x),
  selu,
  softmax: (x) => softmax(x),
  log_softmax: (x) => x.logSoftmax(-1),
  sigmoid,
  log_sigmoid: (x) => logSigmoid(x),
  hard_sigmoid: (x) => hardSigmoid(x),
  tanh: (x) => x.tanh(),
  hard_tanh: (x) => x.clip(-1, 1),
  tanh_shrink: (x) => x.sub(x.tanh()),
  softplus: (x) => softplus(x),
  softsign: (x) => softsign(x),
  soft_shrink: (x) => x.sub(x.clip(-0.5, 0.5)),
  hard_shrink: (x) => where(x.abs().gt(0.5), x, zerosLike(x)),
  squareplus: (x) => x.add(x.square().add(4).sqrt()).mul(0.5),
  silu: (x) => silu(x),
  swish: (x) => silu(x),
  hard_silu: (x) => hardSilu(x),
  hard_swish: (x) => hardSilu(x),
  gelu: (x) => gelu(x),
  mish: (x) => mish(x),
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
