/**
 * `tf.nn`. Keyword arguments are one options object, as in `tf.nn.conv2d(x, filters, { strides: [1, 1, 1, 1], padding: "SAME" })`; the positional
 * forms of TensorFlow.js, `tf.nn.conv2d(x, filters, 1, "same")`, are the same.
 */
import { UnsupportedError } from "../errors.ts";
import { sparseTopKCategoricalAccuracy } from "../nn/accuracy.ts";
import {
  addChannelBias,
  depthwiseImageConvolution,
  imageConvolution,
  imagePooling,
  transposedImageConvolution,
} from "../nn/image-geometry.ts";
import * as losses from "../nn/logit-losses.ts";
import { meanAndVariance, normalizedWith } from "../nn/magnitudes.ts";
import type { Tensor, TensorLike } from "../tensor/index.ts";
import * as T from "../tensor/index.ts";
import { asTensor } from "./convert.ts";
import { define, defineRandom } from "./define.ts";
import {
  type DataFormat,
  geometryOf,
  heightAndWidth,
  type Padding,
  type Window,
  type WindowOptions,
} from "./geometry.ts";

export {
  elu,
  gelu,
  leakyRelu,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softplus,
  swish,
  tanh,
} from "./elementwise.ts";
export type { DataFormat, Padding, Window, WindowOptions } from "./geometry.ts";
export { l2Loss, l2Normalize } from "./products.ts";

function isOptions(value: unknown): value is WindowOptions {
  return typeof value === "object" && !Array.isArray(value);
}
function windowOptions(
  strides: Window | WindowOptions | undefined,
  padding: Padding | undefined,
  dataFormat: DataFormat | undefined,
  dilations: Window | undefined,
): WindowOptions {
  return isOptions(strides) ? strides : { strides, padding, dataFormat, dilations };
}

/** Convolution of images (batch, height, width, channels) with filters [height, width, channels, filters]. */
export const conv2d = define(function conv2d(
  x: TensorLike,
  filters: TensorLike,
  strides: Window | WindowOptions,
  padding?: Padding,
  dataFormat?: DataFormat,
  dilations?: Window,
): Tensor {
  const geometry = geometryOf("conv2d", windowOptions(strides, padding, dataFormat, dilations));
  return imageConvolution("conv2d", asTensor(x), asTensor(filters), geometry);
});

/** Convolution of each channel by itself with filters [height, width, channels, multiplier]. */
export const depthwiseConv2d = define(function depthwiseConv2d(
  x: TensorLike,
  filters: TensorLike,
  strides: Window | WindowOptions,
  padding?: Padding,
  dataFormat?: DataFormat,
  dilations?: Window,
): Tensor {
  const geometry = geometryOf("depthwiseConv2d", windowOptions(strides, padding, dataFormat, dilations));
  return depthwiseImageConvolution("depthwiseConv2d", asTensor(x), asTensor(filters), geometry);
});

/** A depthwise convolution followed by a 1x1 convolution. */
export const separableConv2d = define(function separableConv2d(
  x: TensorLike,
  depthwiseFilter: TensorLike,
  pointwiseFilter: TensorLike,
  strides: Window | WindowOptions,
  padding?: Padding,
  dataFormat?: DataFormat,
  dilations?: Window,
): Tensor {
  const options = windowOptions(strides, padding, dataFormat, dilations);
  const geometry = geometryOf("separableConv2d", options);
  const channels = depthwiseImageConvolution("separableConv2d", asTensor(x), asTensor(depthwiseFilter), geometry);
  const single = geometryOf("separableConv2d", { padding: "VALID", dataFormat: options.dataFormat });
  return imageConvolution("separableConv2d", channels, asTensor(pointwiseFilter), single);
});

/** The transpose of `conv2d`: filters [height, width, output channels, input channels], and the shape of the result. */
export const conv2dTranspose = define(function conv2dTranspose(
  x: TensorLike,
  filters: TensorLike,
  outputShape: readonly number[],
  strides: Window | WindowOptions,
  padding?: Padding,
  dataFormat?: DataFormat,
): Tensor {
  const given = windowOptions(strides, padding, dataFormat, undefined);
  const geometry = geometryOf("conv2dTranspose", { padding: "SAME", ...given });
  const [height, width] = geometry.channelsFirst ? outputShape.slice(-2) : outputShape.slice(-3, -1);
  return transposedImageConvolution("conv2dTranspose", asTensor(x), asTensor(filters), [height, width], geometry);
});

export interface PoolOptions extends WindowOptions {
  /** Height and width of the window. */
  readonly ksize: Window;
}
type PoolArguments = readonly [
  x: TensorLike,
  ksize: Window | PoolOptions,
  strides?: Window,
  padding?: Padding,
  dataFormat?: DataFormat,
];

function pool(
  operation: string,
  kind: "max" | "average",
  [x, ksize, strides, padding, dataFormat]: PoolArguments,
): Tensor {
  const options: PoolOptions =
    typeof ksize === "object" && "ksize" in ksize ? ksize : { ksize: ksize as Window, strides, padding, dataFormat };
  const window = heightAndWidth(operation, "ksize", options.ksize, options.dataFormat ?? "NHWC");
  return imagePooling(operation, kind, asTensor(x), window, geometryOf(operation, options, window));
}

/** Largest element of each window: `tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: "SAME" })`. */
export const maxPool2d = define(function maxPool2d(...args: PoolArguments): Tensor {
  return pool("maxPool2d", "max", args);
});
export const maxPool = maxPool2d;
/** Mean of each window; padding does not count. */
export const avgPool2d = define(function avgPool2d(...args: PoolArguments): Tensor {
  return pool("avgPool2d", "average", args);
});
export const avgPool = avgPool2d;

/** x + a bias for each channel. */
export const biasAdd = define(function biasAdd(
  x: TensorLike,
  bias: TensorLike,
  options: DataFormat | { readonly dataFormat?: DataFormat } = {},
): Tensor {
  const format = typeof options === "string" ? options : options.dataFormat;
  return addChannelBias("biasAdd", asTensor(x), asTensor(bias), format === "NCHW");
});

type AxisOption = number | { readonly axis?: number };
const axisOf = (option: AxisOption): number => (typeof option === "number" ? option : (option.axis ?? -1));

/** e^x / Σ e^x along an axis (the last by default). */
export const softmax = define(function softmax(x: TensorLike, axis: AxisOption = -1): Tensor {
  return T.softmax(asTensor(x), axisOf(axis));
});
/** x − ln Σ e^x along an axis (the last by default). */
export const logSoftmax = define(function logSoftmax(x: TensorLike, axis: AxisOption = -1): Tensor {
  return T.logSoftmax(asTensor(x), axisOf(axis));
});

export interface LabelsAndLogits {
  readonly labels: TensorLike;
  readonly logits: TensorLike;
}

/** −Σ labels · logSoftmax(logits) along an axis: one value per example. Labels are distributions. */
export const softmaxCrossEntropyWithLogits = define(function softmaxCrossEntropyWithLogits({
  labels,
  logits,
  axis = -1,
}: LabelsAndLogits & { readonly axis?: number }): Tensor {
  return losses.softmaxCrossEntropy(asTensor(labels), asTensor(logits), axis);
});
/** As `softmaxCrossEntropyWithLogits`, for class numbers. A label outside the classes is an error. */
export const sparseSoftmaxCrossEntropyWithLogits = define(function sparseSoftmaxCrossEntropyWithLogits({
  labels,
  logits,
}: LabelsAndLogits): Tensor {
  return losses.sparseSoftmaxCrossEntropy(asTensor(labels, "int32"), asTensor(logits));
});
/** Cross-entropy of each element with the probability σ(logit). */
export const sigmoidCrossEntropyWithLogits = define(function sigmoidCrossEntropyWithLogits({
  labels,
  logits,
}: LabelsAndLogits): Tensor {
  return losses.sigmoidCrossEntropy(asTensor(labels), asTensor(logits));
});
/** As `sigmoidCrossEntropyWithLogits`, positive labels counting `posWeight` times. */
export const weightedCrossEntropyWithLogits = define(function weightedCrossEntropyWithLogits({
  labels,
  logits,
  posWeight,
}: LabelsAndLogits & { readonly posWeight: number }): Tensor {
  return losses.weightedSigmoidCrossEntropy(asTensor(labels), asTensor(logits), posWeight);
});

export interface BatchNormalizationOptions {
  readonly mean: TensorLike;
  readonly variance: TensorLike;
  readonly offset?: TensorLike | null;
  readonly scale?: TensorLike | null;
  readonly varianceEpsilon?: number;
}

/** (x − mean) / √(variance + ε) · scale + offset, in order or by name. */
export const batchNormalization = define(function batchNormalization(
  x: TensorLike,
  mean: TensorLike | BatchNormalizationOptions,
  variance?: TensorLike,
  offset?: TensorLike | null,
  scale?: TensorLike | null,
  varianceEpsilon = 1e-3,
): Tensor {
  const named = typeof mean === "object" && "mean" in mean && "variance" in mean && !(mean instanceof T.Tensor);
  const given = (named ? mean : { mean, variance, offset, scale, varianceEpsilon }) as BatchNormalizationOptions;
  const optional = (value: TensorLike | null | undefined) =>
    value === null || value === undefined ? undefined : asTensor(value);
  return normalizedWith(
    asTensor(x),
    asTensor(given.mean),
    asTensor(given.variance),
    optional(given.offset),
    optional(given.scale),
    given.varianceEpsilon ?? 1e-3,
  );
});
export const batchNorm = batchNormalization;

/** Mean and variance over axes. */
export const moments = define(function moments(
  x: TensorLike,
  axes?: number | readonly number[],
  keepDims: boolean | { readonly keepdims?: boolean } = false,
): { mean: Tensor; variance: Tensor } {
  return meanAndVariance(asTensor(x), axes, typeof keepDims === "boolean" ? keepDims : keepDims.keepdims);
});

export interface DropoutOptions {
  readonly rate?: number;
  /** The mask's shape; elements along axes of size 1 share their fate. */
  readonly noiseShape?: readonly number[];
  readonly seed?: number;
}

/** Zeroes elements with probability `rate` and scales the others by 1 / (1 − rate): `tf.nn.dropout(x, { rate: 0.4 })`. */
export const dropout = defineRandom(function dropout(
  x: TensorLike,
  rate: number | DropoutOptions,
  noiseShape?: readonly number[],
  seed?: number,
): Tensor {
  const options: DropoutOptions = typeof rate === "number" ? { rate, noiseShape, seed } : rate;
  return T.dropout(asTensor(x), options.rate ?? 0.5, {
    ...(options.noiseShape && { maskShape: options.noiseShape }),
    ...(options.seed !== undefined && { generator: new T.Generator(options.seed) }),
  });
});

/** Rows of `params` at positions `ids`. */
export const embeddingLookup = define(function embeddingLookup(params: Tensor, ids: TensorLike): Tensor {
  return T.gather(params, asTensor(ids, "int32"), 0);
});
/** Whether a target class is among the k largest predictions (bool). */
export const inTopK = define(function inTopK(targets: TensorLike, predictions: TensorLike, k: number): Tensor {
  return sparseTopKCategoricalAccuracy(asTensor(targets, "int32"), asTensor(predictions), k).cast("bool");
});

/** One-dimensional convolution of (batch, length, channels) with filters [length, channels, filters]. */
export const conv1d = define(function conv1d(
  x: TensorLike,
  filters: TensorLike,
  stride: number | { readonly stride?: number; readonly padding?: "SAME" | "VALID"; readonly dilations?: number },
  padding?: "SAME" | "VALID" | "same" | "valid",
): Tensor {
  const options = typeof stride === "number" ? { stride, padding } : stride;
  if (typeof options.padding !== "string") throw new UnsupportedError('conv1d: padding must be "SAME" or "VALID".');
  const dilations = "dilations" in options ? (options.dilations ?? 1) : 1;
  const geometry = geometryOf("conv1d", {
    strides: [1, options.stride ?? 1],
    dilations: [1, dilations],
    padding: options.padding,
  });
  const images = T.unsqueeze(asTensor(x), 1);
  return T.squeeze(imageConvolution("conv1d", images, T.unsqueeze(asTensor(filters), 0), geometry), 1);
});
