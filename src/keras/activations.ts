/** `keras.activations`: the neutral activations under Keras' names. */
import * as neutral from "../nn/activations.ts";

export type { ActivationName } from "../nn/activations.ts";
export {
  celu,
  elu,
  exponential,
  gelu,
  glu,
  hardShrink,
  hardSigmoid,
  hardSilu,
  hardSilu as hardSwish,
  hardTanh,
  leakyRelu,
  linear,
  logSigmoid,
  logSoftmax,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  silu as swish,
  softmax,
  softplus,
  softShrink,
  softsign,
  sparsemax,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  tanh,
  tanhShrink,
  threshold,
} from "../nn/activations.ts";

/** What an argument such as `activation` takes. */
export type ActivationLike = neutral.ActivationName | neutral.Activation;

/** The function that a name or a function stands for; none is the identity. */
export function get(identifier: ActivationLike | null | undefined, owner = "activations.get"): neutral.Activation {
  if (identifier === null || identifier === undefined) return neutral.activationByName(owner, "linear");
  return typeof identifier === "string" ? neutral.activationByName(owner, identifier) : identifier;
}
