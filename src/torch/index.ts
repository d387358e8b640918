/**
 * The PyTorch door: modules, a dynamic graph, optimizers, data loaders and transforms, with PyTorch's names in camelCase and PyTorch's defaults.
 * Images are channels-first (NCHW).
 */
export * as nn from "./nn/index.ts";
export * as optim from "./optim/index.ts";
export { load, save } from "./serialization.ts";
