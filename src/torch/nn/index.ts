/** Modules, layers, losses and what belongs to them: `import { nn } from "trivium/torch"`. After torch.nn. */
export * from "./activation.ts";
export { AnyModule } from "./any-module.ts";
export {
  type AttentionCallOptions,
  MultiheadAttention,
  type MultiheadAttentionOptions,
} from "./attention.ts";
export type { FullBackwardHook } from "./backward-hooks.ts";
export { ModuleDict, ModuleList, type NamedModule, Sequential } from "./containers.ts";
export * from "./convolution.ts";
export * from "./dropout.ts";
export * as functional from "./functional/index.ts";
export * as init from "./init.ts";
export * from "./linear.ts";
export * from "./loss.ts";
export {
  type ForwardHook,
  type ForwardPreHook,
  layerName,
  Module,
  type RemovableHandle,
} from "./module.ts";
export * from "./normalization.ts";
export { Buffer, Parameter, type ParameterOptions } from "./parameter.ts";
export { ParameterDict, ParameterList } from "./parameter-containers.ts";
export * from "./pooling.ts";
export * from "./recurrent.ts";
export * from "./shape.ts";
export { type LoadResult, type StateDict, StateDictError } from "./state-dict.ts";
export * from "./transformer.ts";
export * as utils from "./utils/index.ts";
export * from "./vision.ts";
