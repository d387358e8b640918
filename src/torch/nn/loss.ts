/** Losses as modules: called with a prediction and a target. After torch.nn. */
import { ArgumentError } from "../../errors.ts";
import type { Tensor } from "../../tensor/index.ts";
import * as F from "./functional/index.ts";
import { Module } from "./module.ts";

/** A loss takes a prediction and a target; `reduction` is "mean" (default), "sum" or "none". */
abstract class Loss<Options extends { readonly reduction?: string }> extends Module<[input: Tensor, target: Tensor]> {
  readonly reduction: NonNullable<Options["reduction"]>;
  protected readonly options: Options;
  constructor(options?: Options, reductions: readonly string[] = ["none", "mean", "sum"]) {
    super();
    this.options = options ?? ({} as Options);
    this.reduction = (this.options.reduction ?? "mean") as NonNullable<Options["reduction"]>;
    if (!reductions.includes(this.reduction)) {
      throw new ArgumentError(
        `${this.constructor.name}: reduction must be one of ${reductions.map((name) => `"${name}"`).join(", ")}, received "${this.reduction}".`,
      );
    }
    // class weights belong to the state, as in PyTorch
    const given = this.options as { readonly weight?: Tensor | null; readonly posWeight?: Tensor | null };
    if (given.weight) this.registerBuffer("weight", given.weight);
    if (given.posWeight) this.registerBuffer("pos_weight", given.posWeight);
  }
  /** The weights at this moment: loading a state dict may have replaced them. */
  protected weights(): { readonly weight?: Tensor; readonly posWeight?: Tensor } {
    const buffers = Object.fromEntries(this.namedBuffers("", false));
    return {
      ...(buffers.weight && { weight: buffers.weight }),
      ...(buffers.pos_weight && { posWeight: buffers.pos_weight }),
    };
  }
}

/**
 * Cross-entropy of logits (N, C) or (N, C, …) with class numbers (N, …) or probabilities of the logits' shape. Options: `weight` (classes),
 * `ignoreIndex` (−100), `labelSmoothing`, `reduction`. After torch.nn.CrossEntropyLoss.
 *
 * @example
 * ```ts
 * const lossFn = new nn.CrossEntropyLoss();
 * const loss = lossFn(model(images), labels);
 * ```
 */
export class CrossEntropyLoss extends Loss<F.CrossEntropyOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(input, target, { ...this.options, ...this.weights() });
  }
}
/** −weight · x[label] of log-probabilities (N, C) or (N, C, …). After torch.nn.NLLLoss. */
export class NLLLoss extends Loss<F.NllLossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.nllLoss(input, target, { ...this.options, ...this.weights() });
  }
}
/** Binary cross-entropy of probabilities. After torch.nn.BCELoss. */
export class BCELoss extends Loss<F.BinaryCrossEntropyOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropy(input, target, { ...this.options, ...this.weights() });
  }
}
/** Binary cross-entropy of logits; `posWeight` weighs positive targets. After torch.nn.BCEWithLogitsLoss. */
export class BCEWithLogitsLoss extends Loss<F.BinaryCrossEntropyWithLogitsOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropyWithLogits(input, target, { ...this.options, ...this.weights() });
  }
}
/** (x − t)². After torch.nn.MSELoss. */
export class MSELoss extends Loss<F.LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.options);
  }
}
/** |x − t|. After torch.nn.L1Loss. */
export class L1Loss extends Loss<F.LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.options);
  }
}
/** e²/(2β) where |e| < β, |e| − β/2 beyond. After torch.nn.SmoothL1Loss. */
export class SmoothL1Loss extends Loss<F.LossOptions & { readonly beta?: number }> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.options);
  }
}
/** e²/2 where |e| ≤ δ, δ(|e| − δ/2) beyond. After torch.nn.HuberLoss. */
export class HuberLoss extends Loss<F.LossOptions & { readonly delta?: number }> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.options);
  }
}
/** t (ln t − x) of log-probabilities; `reduction` may be "batchmean". After torch.nn.KLDivLoss. */
export class KLDivLoss extends Loss<F.KlDivOptions> {
  constructor(options: F.KlDivOptions = {}) {
    super(options, ["none", "mean", "sum", "batchmean"]);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.klDiv(input, target, this.options);
  }
}
