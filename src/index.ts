/**
 * Trivium: deep learning in TypeScript. Tensors with automatic differentiation over one compiler that emits machine code.
 * The Keras style is in `trivium/keras`.
 */
export * from "./errors.ts";
export type { DType, TensorData } from "./graph/dtype.ts";
export type { Shape } from "./graph/shape.ts";
export {
  type CopyWeightsOptions,
  copyWeights,
  toChannelsFirstWeight,
  toChannelsLastWeight,
} from "./nn/weight-layouts.ts";
export * from "./tensor/index.ts";
