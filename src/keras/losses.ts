/** `keras.losses`: names and defaults of Keras over the neutral losses. */
import { Callable } from "../nn/callable.ts";
import * as neutral from "../nn/losses.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Config } from "./config.ts";
import { maskOf } from "./mask.ts";
import { autoName } from "./naming.ts";
import { checkOptions } from "./options.ts";
import { constructing, Registry, type Serialized } from "./registry.ts";

export {
  binaryCrossentropy,
  categoricalCrossentropy,
  categoricalHinge,
  cosineSimilarity,
  hinge,
  huber,
  klDivergence,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  sparseCategoricalCrossentropy,
  squaredHinge,
} from "../nn/losses.ts";

export interface LossOptions {
  readonly name?: string;
  readonly reduction?: neutral.Reduction;
}

/** Base of all losses: `loss(yTrue, yPred, sampleWeight)` is a scalar (or, without reduction, one number per example). */
export abstract class Loss extends Callable<[yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor], Tensor> {
  override readonly name: string;
  readonly reduction: neutral.Reduction;

  constructor(options: LossOptions = {}) {
    super();
    this.name = options.name ?? autoName(new.target.name);
    this.reduction = neutral.checkReduction(new.target.name, options.reduction ?? "sum_over_batch_size");
  }
  /** One number per example. */
  abstract override call(yTrue: Tensor, yPred: Tensor): Tensor;

  override invoke(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): Tensor {
    return neutral.reduceLoss(this.call(yTrue, yPred), sampleWeight, this.reduction, maskOf(yPred));
  }
  get className(): string {
    return this.constructor.name;
  }
  /** Whether targets are class numbers. */
  get sparse(): boolean {
    return false;
  }
  getConfig(): Config {
    return { name: this.name, reduction: this.reduction };
  }
}

/** A loss from a function of targets and predictions. */
export class LossFunctionWrapper extends Loss {
  readonly fn: neutral.LossFunction;

  constructor(fn: neutral.LossFunction, options: LossOptions = {}) {
    checkOptions("LossFunctionWrapper", options, ["name", "reduction"]);
    super({ ...options, name: options.name ?? (fn.name === "" ? "loss" : fn.name) });
    this.fn = fn;
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return this.fn(yTrue, yPred);
  }
}

export interface CrossentropyOptions extends LossOptions {
  readonly fromLogits?: boolean;
  readonly labelSmoothing?: number;
}

export class CategoricalCrossentropy extends Loss {
  private readonly options: { readonly fromLogits: boolean; readonly labelSmoothing: number };

  constructor(options: CrossentropyOptions = {}) {
    checkOptions("CategoricalCrossentropy", options, ["name", "reduction", "fromLogits", "labelSmoothing"]);
    super({ name: "categorical_crossentropy", ...options });
    this.options = { fromLogits: options.fromLogits ?? false, labelSmoothing: options.labelSmoothing ?? 0 };
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.categoricalCrossentropy(yTrue, yPred, this.options);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), ...this.options };
  }
}

export class BinaryCrossentropy extends Loss {
  private readonly options: { readonly fromLogits: boolean; readonly labelSmoothing: number };

  constructor(options: CrossentropyOptions = {}) {
    checkOptions("BinaryCrossentropy", options, ["name", "reduction", "fromLogits", "labelSmoothing"]);
    super({ name: "binary_crossentropy", ...options });
    this.options = { fromLogits: options.fromLogits ?? false, labelSmoothing: options.labelSmoothing ?? 0 };
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.binaryCrossentropy(yTrue, yPred, this.options);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), ...this.options };
  }
}

export interface SparseCrossentropyOptions extends LossOptions {
  readonly fromLogits?: boolean;
  /** A class that does not count. */
  readonly ignoreClass?: number | null;
}

export class SparseCategoricalCrossentropy extends Loss {
  private readonly options: { readonly fromLogits: boolean; readonly ignoreClass: number | undefined };

  constructor(options: SparseCrossentropyOptions = {}) {
    checkOptions("SparseCategoricalCrossentropy", options, ["name", "reduction", "fromLogits", "ignoreClass"]);
    super({ name: "sparse_categorical_crossentropy", ...options });
    this.options = { fromLogits: options.fromLogits ?? false, ignoreClass: options.ignoreClass ?? undefined };
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.sparseCategoricalCrossentropy(yTrue, yPred, this.options);
  }
  override get sparse(): boolean {
    return this.options.ignoreClass === undefined;
  }
  override getConfig(): Config {
    const { fromLogits, ignoreClass } = this.options;
    return { ...super.getConfig(), fromLogits, ignoreClass: ignoreClass ?? null };
  }
}

export class Huber extends Loss {
  private readonly delta: number;

  constructor(options: LossOptions & { readonly delta?: number } = {}) {
    checkOptions("Huber", options, ["name", "reduction", "delta"]);
    super({ name: "huber_loss", ...options });
    this.delta = options.delta ?? 1;
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.huber(yTrue, yPred, { delta: this.delta });
  }
  override getConfig(): Config {
    return { ...super.getConfig(), delta: this.delta };
  }
}

/** Losses whose only options are name and reduction. */
abstract class PlainLoss extends Loss {
  constructor(options: LossOptions, name: string) {
    checkOptions(new.target.name, options, ["name", "reduction"]);
    super({ name, ...options });
  }
}
export class MeanSquaredError extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "mean_squared_error");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.meanSquaredError(yTrue, yPred);
  }
}
export class MeanAbsoluteError extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "mean_absolute_error");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.meanAbsoluteError(yTrue, yPred);
  }
}
export class MeanAbsolutePercentageError extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "mean_absolute_percentage_error");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.meanAbsolutePercentageError(yTrue, yPred);
  }
}
export class MeanSquaredLogarithmicError extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "mean_squared_logarithmic_error");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.meanSquaredLogarithmicError(yTrue, yPred);
  }
}
export class LogCosh extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "log_cosh");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.logCosh(yTrue, yPred);
  }
}
export class Hinge extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "hinge");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.hinge(yTrue, yPred);
  }
}
export class SquaredHinge extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "squared_hinge");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.squaredHinge(yTrue, yPred);
  }
}
export class CategoricalHinge extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "categorical_hinge");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.categoricalHinge(yTrue, yPred);
  }
}
export class KLDivergence extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "kl_divergence");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.klDivergence(yTrue, yPred);
  }
}
export class Poisson extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "poisson");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.poisson(yTrue, yPred);
  }
}
export class CosineSimilarity extends PlainLoss {
  constructor(options: LossOptions = {}) {
    super(options, "cosine_similarity");
  }
  override call(yTrue: Tensor, yPred: Tensor): Tensor {
    return neutral.cosineSimilarity(yTrue, yPred);
  }
}

/** Names that strings may have. */
export type LossName =
  | "categorical_crossentropy"
  | "sparse_categorical_crossentropy"
  | "binary_crossentropy"
  | "mean_squared_error"
  | "mse"
  | "mean_absolute_error"
  | "mae"
  | "mean_absolute_percentage_error"
  | "mape"
  | "mean_squared_logarithmic_error"
  | "msle"
  | "huber"
  | "log_cosh"
  | "hinge"
  | "squared_hinge"
  | "categorical_hinge"
  | "kl_divergence"
  | "poisson"
  | "cosine_similarity";

const byName: Readonly<Record<LossName, (name: string) => Loss>> = {
  categorical_crossentropy: (name) => new CategoricalCrossentropy({ name }),
  sparse_categorical_crossentropy: (name) => new SparseCategoricalCrossentropy({ name }),
  binary_crossentropy: (name) => new BinaryCrossentropy({ name }),
  mean_squared_error: (name) => new MeanSquaredError({ name }),
  mse: (name) => new MeanSquaredError({ name }),
  mean_absolute_error: (name) => new MeanAbsoluteError({ name }),
  mae: (name) => new MeanAbsoluteError({ name }),
  mean_absolute_percentage_error: (name) => new MeanAbsolutePercentageError({ name }),
  mape: (name) => new MeanAbsolutePercentageError({ name }),
  mean_squared_logarithmic_error: (name) => new MeanSquaredLogarithmicError({ name }),
  msle: (name) => new MeanSquaredLogarithmicError({ name }),
  huber: (name) => new Huber({ name }),
  log_cosh: (name) => new LogCosh({ name }),
  hinge: (name) => new Hinge({ name }),
  squared_hinge: (name) => new SquaredHinge({ name }),
  categorical_hinge: (name) => new CategoricalHinge({ name }),
  kl_divergence: (name) => new KLDivergence({ name }),
  poisson: (name) => new Poisson({ name }),
  cosine_similarity: (name) => new CosineSimilarity({ name }),
};

/** The names, longer and shorter ones. */
export const names = Object.keys(byName) as readonly LossName[];

/** What `compile({ loss })` takes. */
export type LossLike = LossName | Loss | neutral.LossFunction;

/** A serialised loss: its class and configuration. */
export type SerializedLoss = Serialized;

const registry = new Registry<Loss, neutral.LossFunction>({
  kind: "a loss",
  base: Loss,
  classes: constructing<Loss>({
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    BinaryCrossentropy,
    MeanSquaredError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Huber,
    LogCosh,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    KLDivergence,
    Poisson,
    CosineSimilarity,
  }),
  names: byName,
  wrapper: LossFunctionWrapper,
});

/** The loss that a name, an instance, a function or a serialised form stands for. */
export function get(identifier: LossLike | SerializedLoss, owner = "losses.get"): Loss {
  return registry.get(identifier, owner);
}

/** What `get` makes the same loss of. */
export function serialize(loss: Loss): SerializedLoss {
  return registry.serialize(loss);
}
