/**
 * Networks with the structure, defaults and state names of torchvision, as modules of the PyTorch door. Images are (N, 3, H, W).
 *
 * @example
 * ```ts no-run: needs a file of weights
 * import { resnet50 } from "trivium/models";
 * const model = resnet50({ weights: "resnet50.safetensors" }).eval();
 * ```
 */
export {
  DenseBlock,
  DenseLayer,
  type DenseLayerOptions,
  DenseNet,
  type DenseNetModelOptions,
  type DenseNetOptions,
  densenet121,
  densenet161,
  densenet169,
  densenet201,
  Transition,
} from "./densenet.ts";
export {
  Conv2dNormActivation,
  type Conv2dNormActivationOptions,
  InvertedResidual,
  type InvertedResidualOptions,
  type InvertedResidualRow,
  MobileNetV2,
  type MobileNetV2Options,
  mobilenetV2,
} from "./mobilenet.ts";
export type { NormLayer } from "./norm-layer.ts";
export { type ImageClassification, type ImageClassificationOptions, imageClassification } from "./presets.ts";
export { getModel, listModels, type ModelName, type ModelOptions } from "./registry.ts";
export * from "./resnet.ts";
export * from "./vgg.ts";
export { loadWeights, type WeightsOption } from "./weights.ts";
