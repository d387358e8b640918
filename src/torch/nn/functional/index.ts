/** Layers as functions: `nn.functional`, usually imported as `F`. After torch.nn.functional. */
export * from "./activation.ts";
export * from "./attention.ts";
export * from "./convolution.ts";
export * from "./distance.ts";
export * from "./dropout.ts";
export type { Padding1, Padding2, Size1, Size2 } from "./geometry.ts";
export * from "./linear.ts";
export * from "./loss.ts";
export * from "./normalization.ts";
export {
  type AdaptiveSize2,
  type AvgPool1dOptions,
  type AvgPool2dOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  type MaxPool1dOptions,
  type MaxPool2dOptions,
  type MaxUnpoolOptions,
  maxPool1d,
  maxPool2d,
  maxUnpool2d,
} from "./pooling.ts";
export * from "./unfold.ts";
export * from "./vision.ts";
