import { ArgumentError, DTypeError, ShapeError } from "../errors.ts";
import type { Node, TensorType } from "../graph/node.ts";
import { formatShape } from "../graph/shape.ts";
import { defineOp, type Meaning, type OpFunction } from "./define.ts";
import {
  type Pair,
  spatialSize,
  type WindowAttributes,
  type WindowOptions,
  windowAttributes,
  windowOutputSize,
} from "./window-geometry.ts";

export interface ConvolutionOptions extends WindowOptions {
  /** Channels are split into this many groups that do not mix; `groups` = channels is a depthwise convolution. */
  readonly groups?: number;
}

type ConvolutionAttributes = WindowAttributes & { readonly groups: number };
type InputGradientAttributes = ConvolutionAttributes & { readonly size: Pair };

function attributesOf(operation: string, window: Pair, options: ConvolutionOptions): ConvolutionAttributes {
  const groups = options.groups ?? 1;
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ArgumentError(`${operation}: groups must be an integer of 1 or more, received ${groups}.`);
  }
  return { ...windowAttributes(operation, window, options), groups };
}

/** Height and width of a kernel [kernel height, kernel width, channels / groups, filters]. */
function kernelWindow(operation: string, kernel: TensorType): Pair {
  if (kernel.shape.length !== 4) {
    throw new ShapeError(
      `${operation}: the kernel must have rank 4 (height, width, input channels / groups, filters), received ${formatShape(kernel.shape)}.`,
    );
  }
  return [kernel.shape[0], kernel.shape[1]];
}

function requireFloat(operation: string, types: readonly TensorType[]): void {
  for (const { dtype } of types) {
    if (dtype !== "f32")
      throw new DTypeError(`${operation}: needs f32 tensors, received ${dtype}; convert with .cast("f32").`);
  }
}

/** The one rule that ties data, kernel and result together; each of the three ops knows two of them and checks what it can. */
function checkChannels(operation: string, channels: number, perGroup: number, filters: number, groups: number): void {
  if (perGroup * groups !== channels) {
    throw new ShapeError(
      `${operation}: the kernel takes ${perGroup * groups} input channels (${perGroup} in each of ${groups} group${groups === 1 ? "" : "s"}), ` +
        `the data has ${channels} (data is batch, height, width, channels).`,
    );
  }
  if (filters % groups !== 0) {
    throw new ShapeError(`${operation}: ${filters} filters cannot be split into ${groups} groups.`);
  }
}

function checkResult(operation: string, gradient: TensorType, expected: readonly number[]): void {
  if (gradient.shape.length !== 4 || gradient.shape.some((extent, axis) => extent !== expected[axis])) {
    throw new ShapeError(
      `${operation}: the gradient has shape ${formatShape(gradient.shape)}, expected ${formatShape(expected)}.`,
    );
  }
}

const meaningOf =
  (direction: "forward" | "inputGradient" | "weightGradient") =>
  (_inputs: readonly TensorType[], { window, strides, dilation, padding, groups }: ConvolutionAttributes): Meaning => ({
    kind: "conv2d",
    direction,
    geometry: { window, strides, dilation, padding },
    groups,
  });

/**
 * Two-dimensional convolution (cross-correlation) of NHWC data with an HWIO kernel:
 * y[n, i, j, f] = Σ_{a, b, c} x[n, i·s + a·d − p, j·s + b·d − p, c] · w[a, b, c, f].
 *
 * ```ts
 * conv2d(images, kernel, { strides: 2, padding: [[1, 1], [1, 1]] })
 * ```
 */
export const conv2d: OpFunction<[data: Node, kernel: Node, options?: ConvolutionOptions]> = defineOp({
  name: "conv2d",
  summary: "Convolution of NHWC data with an HWIO kernel: y[n,i,j,f] = Σ x[n, i·s + a·d − p, …, c] · w[a, b, c, f].",
  prepare: (data: Node, kernel: Node, options: ConvolutionOptions = {}) => ({
    inputs: [data, kernel],
    attributes: attributesOf("conv2d", kernelWindow("conv2d", kernel.type), options),
  }),
  infer: ([data, kernel], attributes) => {
    requireFloat("conv2d", [data, kernel]);
    const size = spatialSize("conv2d", "data", data.shape);
    const [, , perGroup, filters] = kernel.shape;
    checkChannels("conv2d", data.shape[3], perGroup, filters, attributes.groups);
    return { shape: [data.shape[0], ...windowOutputSize("conv2d", size, attributes), filters], dtype: "f32" };
  },
  meaning: meaningOf("forward"),
  gradient: (gradient, { inputs: [data, kernel], attributes, needs }) => [
    needs[0] ? conv2dInputGradient(gradient, kernel, [data.shape[1], data.shape[2]], attributes) : undefined,
    needs[1] ? conv2dWeightGradient(data, gradient, attributes.window, attributes) : undefined,
  ],
  cases: [
    {
      name: "3x3 data, 2x2 kernel",
      args: (constant) => [
        constant([1, 3, 3, 1], "f32", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        constant([2, 2, 1, 1], "f32", [1, 0, 0, -1]),
      ],
      shape: [1, 2, 2, 1],
      expected: [-4, -4, -4, -4],
      smooth: true,
    },
    {
      name: "padding at the end only, stride 2, infinity stays where it is seen",
      args: (constant) => [
        constant([1, 2, 3, 1], "f32", [1, 2, Infinity, 4, 5, 6]),
        constant([2, 2, 1, 1], "f32", [1, 1, 1, 1]),
        {
          strides: 2,
          padding: [
            [0, 0],
            [0, 1],
          ],
        },
      ],
      shape: [1, 1, 2, 1],
      expected: [12, Infinity],
    },
    {
      name: "two groups of one channel (depthwise), dilation 2",
      args: (constant) => [
        constant([1, 1, 3, 2], "f32", [1, 10, 2, 20, 3, 30]),
        constant([1, 2, 1, 2], "f32", [1, 2, 3, 4]),
        { groups: 2, dilation: [1, 2] },
      ],
      shape: [1, 1, 1, 2],
      expected: [1 + 9, 20 + 120],
      smooth: true,
    },
  ],
});

/** Gradient of `conv2d` with respect to its data of height and width `size`; also the transposed convolution. */
export const conv2dInputGradient: OpFunction<[gradient: Node, kernel: Node, size: Pair, options?: ConvolutionOptions]> =
  defineOp({
    name: "conv2dInputGradient",
    summary: "Transposed convolution: x[n, i·s + a·d − p, …, c] += g[n, i, j, f] · w[a, b, c, f].",
    prepare: (gradient: Node, kernel: Node, size: Pair, options: ConvolutionOptions = {}) => ({
      inputs: [gradient, kernel],
      attributes: {
        ...attributesOf("conv2dInputGradient", kernelWindow("conv2dInputGradient", kernel.type), options),
        size,
      } as InputGradientAttributes,
    }),
    infer: ([gradient, kernel], attributes) => {
      const name = "conv2dInputGradient";
      requireFloat(name, [gradient, kernel]);
      const [, , perGroup, filters] = kernel.shape;
      const channels = perGroup * attributes.groups;
      checkChannels(name, channels, perGroup, filters, attributes.groups);
      spatialSize(name, "the gradient", gradient.shape);
      checkResult(name, gradient, [gradient.shape[0], ...windowOutputSize(name, attributes.size, attributes), filters]);
      return { shape: [gradient.shape[0], ...attributes.size, channels], dtype: "f32" };
    },
    meaning: meaningOf("inputGradient"),
    gradient: (upstream, { inputs: [gradient, kernel], attributes, needs }) => [
      needs[0] ? conv2d(upstream, kernel, attributes) : undefined,
      needs[1] ? conv2dWeightGradient(upstream, gradient, attributes.window, attributes) : undefined,
    ],
    cases: [
      {
        name: "overlapping windows add up",
        args: (constant) => [constant([1, 1, 2, 1], "f32", [1, 10]), constant([1, 2, 1, 1], "f32", [2, 3]), [1, 3]],
        shape: [1, 1, 3, 1],
        expected: [2, 23, 30],
        smooth: true,
      },
      {
        name: "a column that no window reaches is 0",
        args: (constant) => [
          constant([1, 1, 1, 1], "f32", [5]),
          constant([1, 2, 1, 1], "f32", [2, 3]),
          [1, 3],
          { strides: 2 },
        ],
        shape: [1, 1, 3, 1],
        expected: [10, 15, 0],
        smooth: true,
      },
    ],
  });

/** Gradient of `conv2d` with respect to its kernel of height and width `window`. */
export const conv2dWeightGradient: OpFunction<
  [data: Node, gradient: Node, window: Pair, options?: ConvolutionOptions]
> = defineOp({
  name: "conv2dWeightGradient",
  summary: "Kernel gradient: w[a, b, c, f] = Σ_{n, i, j} x[n, i·s + a·d − p, …, c] · g[n, i, j, f].",
  prepare: (data: Node, gradient: Node, window: Pair, options: ConvolutionOptions = {}) => ({
    inputs: [data, gradient],
    attributes: attributesOf("conv2dWeightGradient", window, options),
  }),
  infer: ([data, gradient], attributes) => {
    const name = "conv2dWeightGradient";
    requireFloat(name, [data, gradient]);
    const size = spatialSize(name, "data", data.shape);
    spatialSize(name, "the gradient", gradient.shape);
    const filters = gradient.shape[3];
    const channels = data.shape[3];
    checkChannels(name, channels, Math.floor(channels / attributes.groups), filters, attributes.groups);
    checkResult(name, gradient, [data.shape[0], ...windowOutputSize(name, size, attributes), filters]);
    return { shape: [...attributes.window, channels / attributes.groups, filters], dtype: "f32" };
  },
  meaning: meaningOf("weightGradient"),
  gradient: (upstream, { inputs: [data, gradient], attributes, needs }) => [
    needs[0] ? conv2dInputGradient(gradient, upstream, [data.shape[1], data.shape[2]], attributes) : undefined,
    needs[1] ? conv2d(data, upstream, attributes) : undefined,
  ],
  cases: [
    {
      name: "sums over batch and positions",
      args: (constant) => [
        constant([2, 1, 3, 1], "f32", [1, 2, 3, 4, 5, 6]),
        constant([2, 1, 2, 1], "f32", [1, 10, 1, 10]),
        [1, 2],
      ],
      shape: [1, 2, 1, 1],
      expected: [1 + 20 + 4 + 50, 2 + 30 + 5 + 60],
      smooth: true,
    },
    {
      name: "an empty batch gives zeros",
      args: (constant) => [constant([0, 2, 2, 1], "f32", []), constant([0, 2, 2, 1], "f32", []), [1, 1]],
      shape: [1, 1, 1, 1],
      expected: [0],
    },
  ],
});
