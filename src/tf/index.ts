/**
 * The TensorFlow door: functions over tensors, variables, gradient tapes, compiled functions, data pipelines and the static dataflow graph of version 1,
 * under the names that TensorFlow.js users know (and TensorFlow's, where they differ). Images are channels-last (NHWC).
 */
export * as keras from "../keras/index.ts";
export * as initializers from "../keras/initializers.ts";
export * as losses from "../keras/losses.ts";
export * as metrics from "../keras/metrics.ts";
export * as optimizers from "../keras/optimizers.ts";
export { Tensor, TensorShape, Variable } from "../tensor/index.ts";
export * as compat from "./compat.ts";
export type { DTypeName } from "./convert.ts";
export * as data from "./data.ts";
export * from "./dtypes.ts";
export { CompiledFunction, type FunctionOptions, TensorSpec, tfFunction as function } from "./function.ts";
export * from "./functions.ts";
export {
  type GradientOptions,
  type GradientsOf,
  GradientTape,
  type GradientTapeOptions,
  type Tensors,
} from "./gradient-tape.ts";
export { grad, grads, valueAndGrad, valueAndGrads, variableGrads } from "./gradients.ts";
export * as linalg from "./linalg.ts";
export * as math from "./math.ts";
export * from "./memory.ts";
export * as nn from "./nn.ts";
export * as random from "./random.ts";
export { normal as randomNormal, truncatedNormal, uniform as randomUniform } from "./random.ts";
export * as train from "./train.ts";
