/** Losses. `reduction` is "mean" (default), "sum" or "none". After torch.nn.functional. */

import type { Tensor } from "../../../tensor/index.ts";
import * as T from "../../../tensor/index.ts";
import { given } from "./geometry.ts";

export type Reduction = "none" | "mean" | "sum";

export interface LossOptions {
  readonly reduction?: Reduction;
}
export interface NllLossOptions extends LossOptions {
  /** A weight for each class; the mean divides by the weights of the labels that occur. */
  readonly weight?: Tensor | null;
  /** A label whose examples do not count (default −100). */
  readonly ignoreIndex?: number;
}
export interface CrossEntropyOptions extends NllLossOptions {
  /** Share of each target that is spread over all classes. */
  readonly labelSmoothing?: number;
}

/** Options of the neutral functions: what is null is left out. */
function present<Options extends object>(options: Options): { [Key in keyof Options]: NonNullable<Options[Key]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => given(value) !== undefined)) as {
    [Key in keyof Options]: NonNullable<Options[Key]>;
  };
}

/**
 * Cross-entropy of logits (classes along axis 1, or the only axis) with class numbers (i32) or with probabilities of the logits' shape (f32).
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  return T.crossEntropy(input, target, present(options));
}
/** −w·x[label], where x holds log-probabilities (classes along axis 1, or the only axis). */
export function nllLoss(input: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  return T.nllLoss(input, target, present(options));
}
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Multiplies the loss of each element; broadcasts. */
  readonly weight?: Tensor | null;
}
/** −t ln p − (1 − t) ln (1 − p) of probabilities. */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  return T.binaryCrossEntropyLoss(input, target, present(options));
}
export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** Weight of positive targets; broadcasts. */
  readonly posWeight?: Tensor | null;
}
/** Binary cross-entropy of logits. */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  { posWeight, ...options }: BinaryCrossEntropyWithLogitsOptions = {},
): Tensor {
  return T.binaryCrossEntropyWithLogitsLoss(input, target, {
    ...present(options),
    ...(posWeight && { positiveWeight: posWeight }),
  });
}
/** (x − t)². */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  return T.squaredErrorLoss(input, target, options);
}
/** |x − t|. */
export function l1Loss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  return T.absoluteErrorLoss(input, target, options);
}
/** e²/(2β) where |e| < β, |e| − β/2 beyond. */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  options: LossOptions & { readonly beta?: number } = {},
): Tensor {
  return T.smoothAbsoluteErrorLoss(input, target, options);
}
/** e²/2 where |e| ≤ δ, δ(|e| − δ/2) beyond. */
export function huberLoss(
  input: Tensor,
  target: Tensor,
  options: LossOptions & { readonly delta?: number } = {},
): Tensor {
  return T.huberErrorLoss(input, target, options);
}
export interface KlDivOptions {
  /** "batchmean" divides the sum by the number of examples: the mathematical divergence. */
  readonly reduction?: Reduction | "batchmean";
  /** Whether the target holds logarithms too. */
  readonly logTarget?: boolean;
}
/** t (ln t − x), where x holds log-probabilities. */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  return T.divergenceLoss(input, target, options);
}
