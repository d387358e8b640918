/** Activations as modules; without parameters, except PReLU. After torch.nn. */
import { ArgumentError } from "../../errors.ts";
import { full, type Tensor } from "../../tensor/index.ts";
import * as F from "./functional/index.ts";
import { Module } from "./module.ts";
import { floatText, pythonText } from "./module-text.ts";
import { Parameter } from "./parameter.ts";

/** `{ inplace: true }` is accepted and changes nothing but the printed form: tensors are values. */
export interface InplaceOptions {
  readonly inplace?: boolean;
}

abstract class InplaceActivation extends Module {
  readonly inplace: boolean;
  constructor(options: boolean | InplaceOptions = {}) {
    super();
    this.inplace = typeof options === "boolean" ? options : (options.inplace ?? false);
  }
  override extraRepr(): string {
    return this.inplace ? "inplace=True" : "";
  }
}

/** max(x, 0). */
export class ReLU extends InplaceActivation {
  override forward(x: Tensor): Tensor {
    return F.relu(x);
  }
}
/** min(max(x, 0), 6). */
export class ReLU6 extends InplaceActivation {
  override forward(x: Tensor): Tensor {
    return F.relu6(x);
  }
}
/** Scaled exponential linear unit. */
export class SELU extends InplaceActivation {
  override forward(x: Tensor): Tensor {
    return F.selu(x);
  }
}
/** x · σ(x). */
export class SiLU extends InplaceActivation {
  override forward(x: Tensor): Tensor {
    return F.silu(x);
  }
}
/** x · tanh(softplus(x)). */
export class Mish extends InplaceActivation {
  override forward(x: Tensor): Tensor {
    return F.mish(x);
  }
}
/** relu6(x + 3) / 6. */
export class Hardsigmoid extends InplaceActivation {
  override forward(x: Tensor): Tensor {
    return F.hardsigmoid(x);
  }
  override extraRepr(): string {
    return "";
  }
}
/** x · relu6(x + 3) / 6. */
export class Hardswish extends InplaceActivation {
  override forward(x: Tensor): Tensor {
    return F.hardswish(x);
  }
  override extraRepr(): string {
    return "";
  }
}

/** x for x > 0, negativeSlope · x otherwise (default 0.01). */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;
  readonly inplace: boolean;
  constructor(negativeSlope = 0.01, options: InplaceOptions = {}) {
    super();
    this.negativeSlope = negativeSlope;
    this.inplace = options.inplace ?? false;
  }
  override forward(x: Tensor): Tensor {
    return F.leakyRelu(x, this.negativeSlope);
  }
  override extraRepr(): string {
    return `negative_slope=${pythonText(this.negativeSlope)}${this.inplace ? ", inplace=True" : ""}`;
  }
}

/** x for x > 0, weight · x otherwise, with one trained slope or one for each channel (axis 1); they start at 0.25. */
export class PReLU extends Module {
  readonly numParameters: number;
  weight: Parameter;
  constructor(numParameters = 1, options: { readonly init?: number } = {}) {
    super();
    if (!Number.isInteger(numParameters) || numParameters < 1)
      throw new ArgumentError(`PReLU: numParameters must be an integer of 1 or more, received ${numParameters}.`);
    this.numParameters = numParameters;
    this.weight = new Parameter(full([numParameters], options.init ?? 0.25), { name: "PReLU.weight" });
  }
  override forward(x: Tensor): Tensor {
    return F.prelu(x, this.weight);
  }
  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}

abstract class AlphaActivation extends Module {
  readonly alpha: number;
  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }
  override extraRepr(): string {
    return `alpha=${floatText(this.alpha)}`;
  }
}
/** x for x > 0, α (eˣ − 1) otherwise. */
export class ELU extends AlphaActivation {
  override forward(x: Tensor): Tensor {
    return F.elu(x, this.alpha);
  }
}
/** x for x > 0, α (e^(x/α) − 1) otherwise. */
export class CELU extends AlphaActivation {
  override forward(x: Tensor): Tensor {
    return F.celu(x, this.alpha);
  }
}

/** x · Φ(x), exactly or with 'tanh' by an approximation. */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";
  constructor(approximate: "none" | "tanh" | { readonly approximate?: "none" | "tanh" } = "none") {
    super();
    const chosen = typeof approximate === "string" ? approximate : (approximate.approximate ?? "none");
    if (chosen !== "none" && chosen !== "tanh")
      throw new ArgumentError(`GELU: approximate must be "none" or "tanh", received "${String(chosen)}".`);
    this.approximate = chosen;
  }
  override forward(x: Tensor): Tensor {
    return F.gelu(x, { approximate: this.approximate });
  }
  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

/** 1 / (1 + e^−x). */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return F.sigmoid(x);
  }
}
/** ln σ(x). */
export class LogSigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return F.logsigmoid(x);
  }
}
/** x / (1 + |x|). */
export class Softsign extends Module {
  override forward(x: Tensor): Tensor {
    return F.softsign(x);
  }
}
/** Hyperbolic tangent. */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return F.tanh(x);
  }
}
/** x − tanh x. */
export class Tanhshrink extends Module {
  override forward(x: Tensor): Tensor {
    return F.tanhshrink(x);
  }
}

/** x between two bounds (default −1 and 1). */
export class Hardtanh extends Module {
  readonly minVal: number;
  readonly maxVal: number;
  constructor(minVal = -1, maxVal = 1) {
    super();
    if (!(minVal < maxVal))
      throw new ArgumentError(`Hardtanh: minVal must be less than maxVal, received ${minVal} and ${maxVal}.`);
    this.minVal = minVal;
    this.maxVal = maxVal;
  }
  override forward(x: Tensor): Tensor {
    return F.hardtanh(x, this.minVal, this.maxVal);
  }
  override extraRepr(): string {
    return `min_val=${floatText(this.minVal)}, max_val=${floatText(this.maxVal)}`;
  }
}

/** ln(1 + e^(β·x)) / β, x itself where β·x exceeds the threshold. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;
  constructor(beta = 1, threshold = 20) {
    super();
    this.beta = beta;
    this.threshold = threshold;
  }
  override forward(x: Tensor): Tensor {
    return F.softplus(x, this.beta, this.threshold);
  }
  override extraRepr(): string {
    return `beta=${floatText(this.beta)}, threshold=${floatText(this.threshold)}`;
  }
}

abstract class Shrink extends Module {
  readonly lambd: number;
  constructor(lambd = 0.5) {
    super();
    if (!(lambd >= 0)) throw new ArgumentError(`${this.constructor.name}: lambd must be 0 or more, received ${lambd}.`);
    this.lambd = lambd;
  }
  override extraRepr(): string {
    return pythonText(this.lambd);
  }
}
/** x moved by λ towards 0, and 0 within λ. */
export class Softshrink extends Shrink {
  override forward(x: Tensor): Tensor {
    return F.softshrink(x, this.lambd);
  }
}
/** x, and 0 within λ. */
export class Hardshrink extends Shrink {
  override forward(x: Tensor): Tensor {
    return F.hardshrink(x, this.lambd);
  }
}

/** x above a threshold, otherwise a value. */
export class Threshold extends Module {
  readonly threshold: number;
  readonly value: number;
  constructor(threshold: number, value: number) {
    super();
    this.threshold = threshold;
    this.value = value;
  }
  override forward(x: Tensor): Tensor {
    return F.threshold(x, this.threshold, this.value);
  }
  override extraRepr(): string {
    return `threshold=${pythonText(this.threshold)}, value=${pythonText(this.value)}`;
  }
}

/** A dim, alone or as an option. */
export type DimArgument = number | { readonly dim: number };

abstract class AlongDim extends Module {
  readonly dim: number | null;
  constructor(dim?: DimArgument) {
    super();
    this.dim = (typeof dim === "object" ? dim.dim : dim) ?? null;
  }
  /** The dim that was given, or PyTorch's implicit one: 0 for ranks 0, 1 and 3, otherwise 1. */
  protected dimFor(x: Tensor): number {
    return this.dim ?? ([0, 1, 3].includes(x.rank) ? 0 : 1);
  }
  override extraRepr(): string {
    return `dim=${pythonText(this.dim)}`;
  }
}
/** e^x / Σ e^x along a dim. */
export class Softmax extends AlongDim {
  override forward(x: Tensor): Tensor {
    return F.softmax(x, this.dimFor(x));
  }
}
/** x − ln Σ e^x along a dim. */
export class LogSoftmax extends AlongDim {
  override forward(x: Tensor): Tensor {
    return F.logSoftmax(x, this.dimFor(x));
  }
}
/** softmax of −x along a dim. */
export class Softmin extends AlongDim {
  override forward(x: Tensor): Tensor {
    return F.softmin(x, this.dimFor(x));
  }
}
/** First half · σ(second half) along a dim (default −1). */
export class GLU extends AlongDim {
  constructor(dim: DimArgument = -1) {
    super(dim);
  }
  override forward(x: Tensor): Tensor {
    return F.glu(x, this.dimFor(x));
  }
}
