import { ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import { conv2d, type Tensor } from "../tensor/index.ts";
import { type PaddingMode, type Pair, windowOutputShape, windowPadding } from "./windows.ts";

/** x·W + b over the last axis: [..., in] x [in, out]. */
export function dense(x: Tensor, kernel: Tensor, bias?: Tensor): Tensor {
  const width = x.shape[x.rank - 1];
  if (width !== kernel.shape[0]) {
    throw new ShapeError(
      `dense: inputs of shape ${formatShape(x.shape)} do not fit a kernel of shape ${formatShape(kernel.shape)}: ` +
        `the last axis must be ${kernel.shape[0]}.`,
    );
  }
  const rows = x.rank === 2 ? x : x.reshape([x.size / width, width]);
  const product = rows.matmul(kernel);
  const output = x.rank === 2 ? product : product.reshape([...x.shape.slice(0, -1), kernel.shape[1]]);
  return bias ? output.add(bias) : output;
}

export interface ConvolutionGeometry {
  readonly strides: Pair;
  readonly dilation: Pair;
  readonly padding: PaddingMode;
  readonly groups?: number;
}

/** Convolution of NHWC images with an HWIO kernel, plus a bias per filter. */
export function convolution(
  owner: string,
  x: Tensor,
  kernel: Tensor,
  bias: Tensor | undefined,
  geometry: ConvolutionGeometry,
): Tensor {
  const { strides, dilation, padding, groups = 1 } = geometry;
  const size: Pair = [x.shape[1], x.shape[2]];
  const window: Pair = [kernel.shape[0], kernel.shape[1]];
  windowOutputShape(owner, size, window, strides, dilation, padding);
  const around = windowPadding(size, window, strides, dilation, padding);
  const output = conv2d(x, kernel, { strides, dilation, padding: around, groups });
  return bias ? output.add(bias) : output;
}

/** A kernel [h, w, channels, multiplier] as the grouped kernel [h, w, 1, channels·multiplier]: each channel has its own filters. */
export function depthwiseKernel(kernel: Tensor): Tensor {
  const [height, width, channels, multiplier] = kernel.shape;
  return kernel.reshape([height, width, 1, channels * multiplier]);
}
