/** Convolution and pooling of images with TensorFlow's geometry: padding by name or explicit, channels last or first. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import { averagePool2d, conv2d, conv2dTranspose, maxPool2d, type Tensor } from "../tensor/index.ts";
import { toChannelsFirst, toChannelsLast } from "./channels-first.ts";
import { depthwiseKernel } from "./linear.ts";
import { type Padding2d, type PaddingMode, type Pair, windowOutputShape, windowPadding } from "./windows.ts";

export interface ImageGeometry {
  readonly strides: Pair;
  readonly dilation: Pair;
  readonly padding: PaddingMode | Padding2d;
  /** Whether axis 1 holds the channels, rather than the last. */
  readonly channelsFirst: boolean;
}

/** Runs a function of channels-last images on images of either layout. */
function laidOut(operation: string, x: Tensor, channelsFirst: boolean, run: (images: Tensor) => Tensor): Tensor {
  if (x.rank !== 4) {
    throw new ShapeError(
      `${operation}: expected images (batch, height, width, channels), received ${formatShape(x.shape)}.`,
    );
  }
  return channelsFirst ? toChannelsFirst(run(toChannelsLast(x))) : run(x);
}

function padded(operation: string, size: Pair, window: Pair, { strides, dilation, padding }: ImageGeometry): Padding2d {
  if (typeof padding !== "string") return padding;
  windowOutputShape(operation, size, window, strides, dilation, padding);
  return windowPadding(size, window, strides, dilation, padding);
}
const sizeOf = (x: Tensor): Pair => [x.shape[1], x.shape[2]];
const windowOf = (operation: string, kernel: Tensor): Pair => {
  if (kernel.rank !== 4) {
    throw new ShapeError(`${operation}: the kernel must have 4 axes, received ${formatShape(kernel.shape)}.`);
  }
  return [kernel.shape[0], kernel.shape[1]];
};

/** Convolution with a kernel [height, width, channels / groups, filters]. */
export function imageConvolution(operation: string, x: Tensor, kernel: Tensor, geometry: ImageGeometry): Tensor {
  const window = windowOf(operation, kernel);
  return laidOut(operation, x, geometry.channelsFirst, (images) => {
    const channels = images.shape[3];
    const groups = kernel.shape[2] > 0 && channels % kernel.shape[2] === 0 ? channels / kernel.shape[2] : 1;
    const padding = padded(operation, sizeOf(images), window, geometry);
    return conv2d(images, kernel, { strides: geometry.strides, dilation: geometry.dilation, padding, groups });
  });
}

/** Convolution of each channel by itself, with a kernel [height, width, channels, multiplier]. */
export function depthwiseImageConvolution(
  operation: string,
  x: Tensor,
  kernel: Tensor,
  geometry: ImageGeometry,
): Tensor {
  const window = windowOf(operation, kernel);
  return laidOut(operation, x, geometry.channelsFirst, (images) => {
    if (images.shape[3] !== kernel.shape[2]) {
      throw new ShapeError(
        `${operation}: the kernel is for ${kernel.shape[2]} channels, the images have ${images.shape[3]}.`,
      );
    }
    const padding = padded(operation, sizeOf(images), window, geometry);
    const groups = kernel.shape[2];
    return conv2d(images, depthwiseKernel(kernel), {
      strides: geometry.strides,
      dilation: geometry.dilation,
      padding,
      groups,
    });
  });
}

/** The transpose of `imageConvolution`, to images of a given height and width; kernel [height, width, filters, channels]. */
export function transposedImageConvolution(
  operation: string,
  x: Tensor,
  kernel: Tensor,
  size: Pair,
  geometry: ImageGeometry,
): Tensor {
  const window = windowOf(operation, kernel);
  return laidOut(operation, x, geometry.channelsFirst, (images) => {
    const padding = padded(operation, size, window, geometry);
    return conv2dTranspose(images, kernel, size, { strides: geometry.strides, dilation: geometry.dilation, padding });
  });
}

/** The largest element or the mean of each window; what padding adds does not count. */
export function imagePooling(
  operation: string,
  kind: "max" | "average",
  x: Tensor,
  window: Pair,
  geometry: ImageGeometry,
): Tensor {
  return laidOut(operation, x, geometry.channelsFirst, (images) => {
    const padding = padded(operation, sizeOf(images), window, geometry);
    const { strides, dilation } = geometry;
    if (kind === "max") return maxPool2d(images, window, { strides, dilation, padding });
    if (dilation.some((step) => step !== 1)) throw new ArgumentError(`${operation}: averages take no dilations.`);
    return averagePool2d(images, window, { strides, padding });
  });
}

/** x + a number for each channel, along the last axis or axis 1. */
export function addChannelBias(operation: string, x: Tensor, bias: Tensor, channelsFirst: boolean): Tensor {
  const axis = channelsFirst ? 1 : x.rank - 1;
  if (bias.rank !== 1 || x.rank < 2 || bias.shape[0] !== x.shape[axis]) {
    throw new ShapeError(
      `${operation}: a bias of shape ${formatShape(bias.shape)} does not fit ${formatShape(x.shape)}: expected (${x.shape[axis]}).`,
    );
  }
  return x.add(channelsFirst ? bias.reshape([bias.size, ...x.shape.slice(2).map(() => 1)]) : bias);
}
