/** Modules, layers, losses and what belongs to them: `import { nn } from "trivium/torch"`. After torch.nn. */
export { AnyModule } from "./any-module.ts";
export { ModuleDict, ModuleList, type NamedModule, Sequential } from "./containers.ts";
export {
  type ForwardHook,
  type ForwardPreHook,
  layerName,
  Module,
  type RemovableHandle,
} from "./module.ts";
export { Buffer, Parameter, type ParameterOptions } from "./parameter.ts";
export { ParameterDict, ParameterList } from "./parameter-containers.ts";
export * from "./recurrent.ts";
export { type LoadResult, type StateDict, StateDictError } from "./state-dict.ts";
