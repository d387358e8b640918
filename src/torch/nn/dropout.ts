/** Dropout: active in training, nothing after `eval()`. After torch.nn (Srivastava et al., 2014). */
import { ArgumentError } from "../../errors.ts";
import type { Tensor } from "../../tensor/index.ts";
import * as F from "./functional/index.ts";
import { Module } from "./module.ts";
import { pythonText } from "./module-text.ts";

export interface DropoutOptions {
  /** Probability of becoming 0 (default 0.5). */
  readonly p?: number;
  /** Accepted, changes nothing but the printed form: tensors are values. */
  readonly inplace?: boolean;
}

abstract class DropoutBase extends Module {
  readonly p: number;
  readonly inplace: boolean;
  constructor(p: number | DropoutOptions = 0.5, options: DropoutOptions = {}) {
    super();
    const given = typeof p === "number" ? { ...options, p } : p;
    this.p = given.p ?? 0.5;
    this.inplace = given.inplace ?? false;
    if (!(this.p >= 0 && this.p <= 1))
      throw new ArgumentError(`${this.constructor.name}: p must lie between 0 and 1, received ${this.p}.`);
  }
  override extraRepr(): string {
    return `p=${pythonText(this.p)}, inplace=${pythonText(this.inplace)}`;
  }
}

/** Zeroes elements with probability p and scales the others by 1 / (1 − p). */
export class Dropout extends DropoutBase {
  override forward(x: Tensor): Tensor {
    return F.dropout(x, { p: this.p, training: this.training });
  }
}
/** Zeroes whole channels of (N, C, L). */
export class Dropout1d extends DropoutBase {
  override forward(x: Tensor): Tensor {
    return F.dropout1d(x, { p: this.p, training: this.training });
  }
}
/** Zeroes whole channels of (N, C, H, W). */
export class Dropout2d extends DropoutBase {
  override forward(x: Tensor): Tensor {
    return F.dropout2d(x, { p: this.p, training: this.training });
  }
}
/** Dropout for networks of SELU, which keeps mean and variance. */
export class AlphaDropout extends DropoutBase {
  override forward(x: Tensor): Tensor {
    return F.alphaDropout(x, { p: this.p, training: this.training });
  }
}
