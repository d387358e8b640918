/**
 * The PyTorch door: modules, a dynamic graph, optimizers, data loaders and transforms, with PyTorch's names in camelCase and PyTorch's defaults.
 * Images are channels-first (NCHW).
 */
export { enableGrad, isGradEnabled, noGrad } from "../tensor/control.ts";
export type { Index } from "../tensor/methods/indexing.ts";
export type { ValuesAndIndices } from "../tensor/methods/reductions.ts";
export { Tensor } from "../tensor/tensor.ts";
export * as autograd from "./autograd.ts";
export { inferenceMode, setGradEnabled } from "./autograd.ts";
export { compile, OptimizedModule } from "./compile.ts";
export * from "./creation.ts";
export * as datasets from "./datasets/index.ts";
export * from "./device.ts";
export * from "./dtypes.ts";
export * from "./functions/index.ts";
export * as jit from "./jit/index.ts";
export * as nn from "./nn/index.ts";
export * as optim from "./optim/index.ts";
export * from "./random.ts";
export { load, save } from "./serialization.ts";
export * as transforms from "./transforms/index.ts";
export * as utils from "./utils/index.ts";
