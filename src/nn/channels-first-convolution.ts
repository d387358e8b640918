/** Convolutions of channels-first images with kernels [filters, channels / groups, height, width]. */
import { conv2d, conv2dTranspose, type Tensor } from "../tensor/index.ts";
import { toChannelsFirst, toChannelsLast } from "./channels-first.ts";
import type { Padding2d, Pair } from "./windows.ts";

export interface ChannelsFirstGeometry {
  readonly strides: Pair;
  readonly dilation: Pair;
  /** [[top, bottom], [left, right]]. */
  readonly padding: Padding2d;
  readonly groups: number;
}

/** Kernels OIHW to HWIO; for a transposed convolution, whose kernels are IOHW, to what its forward convolution would have. */
const kernelLast = (weight: Tensor): Tensor => weight.permute([2, 3, 1, 0]);

/** Convolution (cross-correlation) plus a bias per filter. */
export function channelsFirstConvolution(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  geometry: ChannelsFirstGeometry,
): Tensor {
  const output = conv2d(toChannelsLast(x), kernelLast(weight), geometry);
  return toChannelsFirst(bias ? output.add(bias) : output);
}

/**
 * Transposed convolution with kernels [channels, filters / groups, height, width]: each input element adds its multiple of the kernel.
 * The output has (n − 1)·stride − padding + (k − 1)·dilation + 1 + outputPadding positions along each axis; the last ones of these see
 * fewer kernels. After Dumoulin and Visin, 2016.
 */
export function channelsFirstTransposedConvolution(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  geometry: ChannelsFirstGeometry & { readonly outputPadding: Pair },
): Tensor {
  const { strides, dilation, groups } = geometry;
  const padding: [Pair, Pair] = [geometry.padding[0], geometry.padding[1]];
  const missing: [number, number] = [0, 0];
  const lengthOf = (axis: 0 | 1): number => {
    const [before, after] = padding[axis];
    const extra = geometry.outputPadding[axis];
    const reach = (weight.shape[axis + 2] - 1) * dilation[axis] + 1;
    const least = (x.shape[axis + 2] - 1) * strides[axis] + reach - before - after;
    // positions that a further window of the forward convolution would fit into are not padding to it: they are taken from the padding, or are zeros
    if (extra < strides[axis]) return least + extra;
    const taken = Math.min(extra, after);
    padding[axis] = [before, after - taken];
    missing[axis] = extra - taken;
    return least + taken;
  };
  const size: Pair = [lengthOf(0), lengthOf(1)];
  const plain = conv2dTranspose(toChannelsLast(x), kernelLast(weight), size, { strides, dilation, padding, groups });
  const output =
    missing[0] + missing[1] === 0
      ? plain
      : plain.pad([
          [0, 0],
          [0, missing[0]],
          [0, missing[1]],
          [0, 0],
        ]);
  return toChannelsFirst(bias ? output.add(bias) : output);
}
