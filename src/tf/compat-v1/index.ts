/**
 * TensorFlow 1: the static dataflow graph. `const tf = compat.v1` reads like `import tensorflow.compat.v1 as tf`: functions of tensors make operations
 * when a tensor of the graph takes part, and `Session.run` computes them.
 */

export * from "../dtypes.ts";
export * from "../functions.ts";
export * as linalg from "../linalg.ts";
export * as math from "../math.ts";
export * as nn from "../nn.ts";
export { controlDependencies, group, noOp } from "./control.ts";
export { type GradientsOptions, gradients } from "./gradients.ts";
export {
  disableEagerExecution,
  enableEagerExecution,
  executingEagerly,
  Graph,
  GraphTensor,
  getDefaultGraph,
  Operation,
  type PartialShape,
  resetDefaultGraph,
} from "./graph.ts";
export { placeholder } from "./placeholder.ts";
export * from "./random.ts";
export { type FeedDict, type Fetch, type Fetched, type RunOptions, Session } from "./session.ts";
export * as train from "./train.ts";
export {
  assign,
  assignAdd,
  assignSub,
  GraphVariable,
  GraphVariable as Variable,
  type GraphVariableOptions,
  getVariable,
  globalVariables,
  globalVariablesInitializer,
  identity,
  trainableVariables,
  variableScope,
  variablesInitializer,
} from "./variables.ts";
