/** Convolution, pooling and resizing of images (batch, height, width, channels) and of sequences (batch, steps, channels). */
import { ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import { averagePool2d, maxPool2d, type Tensor, where } from "../tensor/index.ts";
import { imageConvolution, transposedImageConvolution } from "./image-geometry.ts";
import { resizeLinear, resizeNearest } from "./resize.ts";
import { type Padding2d, type PaddingMode, type Pair, transposedOutputLength } from "./windows.ts";

/** "causal" pads before the first step only, so that no output sees a later input. */
export type SpatialPadding = PaddingMode | "causal";

export interface SpatialGeometry {
  /** One number for sequences, two for images; the same for `dilation`. */
  readonly strides: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: SpatialPadding;
}

/** Runs a function of images on sequences, which are images of height 1; on images it just runs. */
function asImages(x: Tensor, run: (images: Tensor) => Tensor): Tensor {
  return x.rank === 3 ? run(x.unsqueeze(1)).squeeze(1) : run(x);
}
const asImageKernel = (kernel: Tensor): Tensor => (kernel.rank === 3 ? kernel.unsqueeze(0) : kernel);
const asPair = (sizes: readonly number[]): Pair => (sizes.length === 1 ? [1, sizes[0]] : [sizes[0], sizes[1]]);

function paddingOf({ padding, dilation }: SpatialGeometry, steps: number): PaddingMode | Padding2d {
  if (padding !== "causal") return padding;
  return [
    [0, 0],
    [(steps - 1) * dilation[0], 0],
  ];
}

/** Convolution with a kernel [k, channels / groups, filters] or [kh, kw, channels / groups, filters], plus a bias for each filter. */
export function spatialConvolution(
  owner: string,
  x: Tensor,
  kernel: Tensor,
  bias: Tensor | undefined,
  geometry: SpatialGeometry,
): Tensor {
  const output = asImages(x, (images) =>
    imageConvolution(owner, images, asImageKernel(kernel), {
      strides: asPair(geometry.strides),
      dilation: asPair(geometry.dilation),
      padding: paddingOf(geometry, kernel.shape[0]),
      channelsFirst: false,
    }),
  );
  return bias ? output.add(bias) : output;
}

/**
 * A convolution of each channel by itself, kernel [k, channels, multiplier] or [kh, kw, channels, multiplier], then one over single positions,
 * kernel [1, channels · multiplier, filters] or [1, 1, channels · multiplier, filters], plus a bias.
 */
export function separableConvolution(
  owner: string,
  x: Tensor,
  kernels: { readonly depthwise: Tensor; readonly pointwise: Tensor; readonly bias: Tensor | undefined },
  geometry: SpatialGeometry,
): Tensor {
  const { depthwise, pointwise, bias } = kernels;
  const window = depthwise.shape.slice(0, -2);
  const [channels, multiplier] = depthwise.shape.slice(-2);
  const each = spatialConvolution(
    owner,
    x,
    depthwise.reshape([...window, 1, channels * multiplier]),
    undefined,
    geometry,
  );
  const ones = window.map(() => 1);
  return spatialConvolution(owner, each, pointwise, bias, { strides: ones, dilation: ones, padding: "valid" });
}

/** Transposed convolution with a kernel [k, filters, channels] or [kh, kw, filters, channels], plus a bias; lengths as `transposedOutputLength` says. */
export function transposedConvolution(
  owner: string,
  x: Tensor,
  kernel: Tensor,
  bias: Tensor | undefined,
  geometry: SpatialGeometry & { readonly outputPadding: readonly number[] | undefined },
): Tensor {
  const { strides, dilation, outputPadding } = geometry;
  const padding = geometry.padding as PaddingMode;
  const window = kernel.shape.slice(0, -2);
  const lengths = window.map((size, axis) =>
    transposedOutputLength(x.shape[axis + 1], size, strides[axis], dilation[axis], padding, outputPadding?.[axis]),
  );
  lengths.forEach((length, axis) => {
    const reach = (window[axis] - 1) * dilation[axis] + 1;
    const back = Math.ceil((padding === "same" ? length : length - reach + 1) / strides[axis]);
    if (back === x.shape[axis + 1]) return;
    throw new ShapeError(
      `${owner}: no convolution leads from ${length} positions back to the ${x.shape[axis + 1]} of an input of shape ${formatShape(x.shape)}; ` +
        `choose another outputPadding for a kernel of ${window.join("x")} with padding "${padding}".`,
    );
  });
  const output = asImages(x, (images) =>
    transposedImageConvolution(owner, images, asImageKernel(kernel), asPair(lengths), {
      strides: asPair(strides),
      dilation: asPair(dilation),
      padding,
      channelsFirst: false,
    }),
  );
  return bias ? output.add(bias) : output;
}

/** The largest element or the mean of each window; padding does not count. */
export function spatialPooling(
  kind: "max" | "average",
  x: Tensor,
  window: readonly number[],
  geometry: { readonly strides: readonly number[]; readonly padding: PaddingMode },
): Tensor {
  const pool = kind === "max" ? maxPool2d : averagePool2d;
  const settings = { strides: asPair(geometry.strides), padding: geometry.padding };
  return asImages(x, (images) => pool(images, asPair(window), settings));
}

/** The largest element or the mean over all axes between batch and channels. */
export function globalPooling(kind: "max" | "average", x: Tensor, keepdim: boolean): Tensor {
  const axes = Array.from({ length: x.rank - 2 }, (_, axis) => axis + 1);
  return kind === "max" ? x.amax(axes, { keepdim }) : x.mean(axes, { keepdim });
}

/** The mean over the steps of (batch, steps, channels) that a mask (batch, steps) leaves. */
export function maskedMeanOverSteps(x: Tensor, mask: Tensor, keepdim: boolean): Tensor {
  const counted = mask.cast("bool").unsqueeze(-1);
  const total = where(counted, x, 0).sum(1, { keepdim });
  return total.div(counted.cast("f32").sum(1, { keepdim }));
}

/** How new positions get their values. */
export type Interpolation = "nearest" | "bilinear";

/** Images (batch, height, width, channels), or sequences along one axis, at other sizes; coordinates are TensorFlow's, half a pixel off the corner. */
export function resizeSpatial(x: Tensor, sizes: readonly number[], interpolation: Interpolation): Tensor {
  const axes = sizes.map((length, index) => ({ axis: index + 1, length }));
  const values = x.dtype === "f32" ? x : x.cast("f32");
  return interpolation === "nearest" ? resizeNearest(values, axes, true) : resizeLinear(values, axes, false);
}

/** The part of images in the middle that has the proportions height : width; as large as possible. */
export function cropToProportions(x: Tensor, height: number, width: number): Tensor {
  const [batch, rows, columns, channels] = x.shape;
  const tall = Math.max(Math.min(rows, Math.trunc((columns * height) / width)), 1);
  const wide = Math.max(Math.min(columns, Math.trunc((rows * width) / height)), 1);
  const [top, left] = [Math.trunc((rows - tall) / 2), Math.trunc((columns - wide) / 2)];
  return x.slice([0, top, left, 0], [batch, top + tall, left + wide, channels]);
}

/** Images with a border, as wide on both sides, that brings them to the proportions height : width, or one position short of it. */
export function padToProportions(x: Tensor, height: number, width: number, value: number): Tensor {
  const [, rows, columns] = x.shape;
  const tall = Math.max(rows, Math.trunc((columns * height) / width));
  const wide = Math.max(columns, Math.trunc((rows * width) / height));
  const [above, beside] = [Math.trunc((tall - rows) / 2), Math.trunc((wide - columns) / 2)];
  const border: [number, number][] = [
    [0, 0],
    [above, above],
    [beside, beside],
    [0, 0],
  ];
  return x.pad(border, value);
}

/** The middle of images; where an image is too small, its largest part of the same proportions, resized. */
export function centerCrop(x: Tensor, height: number, width: number): Tensor {
  const [batch, rows, columns, channels] = x.shape;
  if (rows < height || columns < width) {
    return resizeSpatial(cropToProportions(x, height, width), [height, width], "bilinear");
  }
  const [top, left] = [Math.floor((rows - height) / 2), Math.floor((columns - width) / 2)];
  return x.slice([0, top, left, 0], [batch, top + height, left + width, channels]);
}
