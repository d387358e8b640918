/** Functions that networks are made of, beside those of functions.ts. */
import * as losses from "../functions/elementwise-losses.ts";
import * as norms from "../functions/group-normalization.ts";
import * as activations from "../functions/shrinking-activations.ts";
import type { Node } from "../graph/node.ts";
import { conv2dInputGradient } from "../ops/conv2d.ts";
import { lift } from "./lift.ts";

// ---- activations ----
export const celu = lift(activations.celu);
export const hardTanh = lift(activations.hardTanh);
export const tanhShrink = lift(activations.tanhShrink);
export const softShrink = lift(activations.softShrink);
export const hardShrink = lift(activations.hardShrink);
export const thresholded = lift(activations.thresholded);
export const softplusScaled = lift(activations.softplusScaled);
export const parametricRelu = lift(activations.parametricRelu);
export const gatedLinearUnit = lift(activations.gatedLinearUnit);

// ---- normalisation ----
export const groupNormalization = lift(norms.groupNormalization);
export const rootMeanSquareNormalization = lift(norms.rootMeanSquareNormalization);

// ---- convolution ----
type Pair = readonly [number, number];
/**
 * Transposed convolution of NHWC data to images of height and width `size`, with a kernel [h, w, output channels / groups, input channels]:
 * each input element adds its multiple of the kernel to the output. The gradient of `conv2d` with respect to its data.
 */
export const conv2dTranspose = lift(function conv2dTranspose(
  x: Node,
  kernel: Node,
  size: Pair,
  options?: {
    readonly strides?: Pair;
    readonly dilation?: Pair;
    readonly padding?: readonly [Pair, Pair];
    readonly groups?: number;
  },
): Node {
  return conv2dInputGradient(x, kernel, size, options);
});

// ---- losses over elements ----
export const squaredErrorLoss = lift(losses.squaredErrorLoss);
export const absoluteErrorLoss = lift(losses.absoluteErrorLoss);
export const smoothAbsoluteErrorLoss = lift(losses.smoothAbsoluteErrorLoss);
export const huberErrorLoss = lift(losses.huberErrorLoss);
export const binaryCrossEntropyLoss = lift(losses.binaryCrossEntropyLoss);
export const binaryCrossEntropyWithLogitsLoss = lift(losses.binaryCrossEntropyWithLogitsLoss);
export const divergenceLoss = lift(losses.divergenceLoss);
