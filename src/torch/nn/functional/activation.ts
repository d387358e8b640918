/** Activations, elementwise unless a dim is given. After torch.nn.functional. */

import type { Tensor } from "../../../tensor/index.ts";
import * as T from "../../../tensor/index.ts";
import { dimOf } from "./geometry.ts";

type Dim = number | { readonly dim?: number };

export const relu = (x: Tensor): Tensor => T.relu(x);
export const relu6 = (x: Tensor): Tensor => T.relu6(x);
/** x for x > 0, slope · x otherwise. */
export const leakyRelu = (x: Tensor, negativeSlope = 0.01): Tensor => T.leakyRelu(x, negativeSlope);
/** x for x > 0, slope · x otherwise, with learned slopes: one, or one for each channel. */
export const prelu = (x: Tensor, weight: Tensor): Tensor => T.parametricRelu(x, weight);
/** x for x > 0, α (eˣ − 1) otherwise. */
export const elu = (x: Tensor, alpha = 1): Tensor => T.elu(x, alpha);
export const selu = (x: Tensor): Tensor => T.selu(x);
/** x for x > 0, α (e^(x/α) − 1) otherwise. */
export const celu = (x: Tensor, alpha = 1): Tensor => T.celu(x, alpha);
/** x · Φ(x), exactly or with 'tanh' by an approximation. */
export const gelu = (x: Tensor, options: { readonly approximate?: "none" | "tanh" } = {}): Tensor =>
  T.gelu(x, options.approximate === "tanh");
export const silu = (x: Tensor): Tensor => T.silu(x);
export const mish = (x: Tensor): Tensor => T.mish(x);
export const sigmoid = (x: Tensor): Tensor => T.sigmoid(x);
/** relu6(x + 3) / 6. */
export const hardsigmoid = (x: Tensor): Tensor => T.hardSigmoid(x);
/** x · relu6(x + 3) / 6. */
export const hardswish = (x: Tensor): Tensor => T.hardSilu(x);
/** x between two bounds. */
export const hardtanh = (x: Tensor, minVal = -1, maxVal = 1): Tensor => T.hardTanh(x, minVal, maxVal);
export const logsigmoid = (x: Tensor): Tensor => T.logSigmoid(x);
/** ln(1 + e^(β·x)) / β, x itself where β·x exceeds the threshold. */
export const softplus = (x: Tensor, beta = 1, threshold = 20): Tensor => T.softplusScaled(x, beta, threshold);
export const softsign = (x: Tensor): Tensor => T.softsign(x);
export const tanh = (x: Tensor): Tensor => T.tanh(x);
/** x − tanh x. */
export const tanhshrink = (x: Tensor): Tensor => T.tanhShrink(x);
/** x moved by λ towards 0, and 0 within λ. */
export const softshrink = (x: Tensor, lambd = 0.5): Tensor => T.softShrink(x, lambd);
/** x, and 0 within λ. */
export const hardshrink = (x: Tensor, lambd = 0.5): Tensor => T.hardShrink(x, lambd);
/** x above a threshold, otherwise a value. */
export const threshold = (x: Tensor, limit: number, value: number): Tensor => T.thresholded(x, limit, value);

/** e^x / Σ e^x along a dim. */
export function softmax(x: Tensor, dim: Dim): Tensor {
  return T.softmax(x, dimOf("softmax", dim, undefined));
}
/** x − ln Σ e^x along a dim. */
export function logSoftmax(x: Tensor, dim: Dim): Tensor {
  return T.logSoftmax(x, dimOf("logSoftmax", dim, undefined));
}
/** softmax of −x along a dim. */
export function softmin(x: Tensor, dim: Dim): Tensor {
  return T.softmax(T.neg(x), dimOf("softmin", dim, undefined));
}
/** First half · σ(second half) along a dim. */
export function glu(x: Tensor, dim: Dim = -1): Tensor {
  return T.gatedLinearUnit(x, dimOf("glu", dim, -1));
}
