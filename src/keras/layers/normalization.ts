import { ArgumentError } from "../../errors.ts";
import { batchNorm } from "../../nn/normalization.ts";
import type { Tensor, Variable } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import type * as constraints from "../constraints.ts";
import type * as initializers from "../initializers.ts";
import { type CallOptions, inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";
import type * as regularizers from "../regularizers.ts";
import { type WeightSetting, weightConfig, weightOptionNames, weightSetting } from "./weight-options.ts";

export interface BatchNormalizationOptions extends LayerOptions {
  /** The axis of the features. */
  readonly axis?: number;
  readonly momentum?: number;
  readonly epsilon?: number;
  /** Whether β is added. */
  readonly center?: boolean;
  /** Whether γ multiplies. */
  readonly scale?: boolean;
  readonly betaInitializer?: initializers.InitializerLike;
  readonly gammaInitializer?: initializers.InitializerLike;
  readonly betaRegularizer?: regularizers.RegularizerLike | null;
  readonly gammaRegularizer?: regularizers.RegularizerLike | null;
  readonly betaConstraint?: constraints.ConstraintLike | null;
  readonly gammaConstraint?: constraints.ConstraintLike | null;
  readonly movingMeanInitializer?: initializers.InitializerLike;
  readonly movingVarianceInitializer?: initializers.InitializerLike;
}

/**
 * Normalises features to mean 0 and variance 1: of the batch in training (which moves the running statistics), of the running statistics
 * otherwise, and whenever the layer is frozen. Weights: gamma, beta, moving_mean, moving_variance.
 */
export class BatchNormalization extends Layer {
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  gamma: Variable | undefined;
  beta: Variable | undefined;
  movingMean!: Variable;
  movingVariance!: Variable;
  private readonly settings: Readonly<Record<"beta" | "gamma" | "movingMean" | "movingVariance", WeightSetting>>;

  constructor(options: BatchNormalizationOptions = {}) {
    super(options, [
      "axis",
      "momentum",
      "epsilon",
      "center",
      "scale",
      ...weightOptionNames("beta"),
      ...weightOptionNames("gamma"),
      "movingMeanInitializer",
      "movingVarianceInitializer",
    ]);
    const owner = `BatchNormalization "${this.name}"`;
    this.axis = options.axis ?? -1;
    this.momentum = options.momentum ?? 0.99;
    this.epsilon = options.epsilon ?? 1e-3;
    this.center = options.center ?? true;
    this.scale = options.scale ?? true;
    if (!(this.momentum >= 0 && this.momentum <= 1)) {
      throw new ArgumentError(`${owner}: momentum must be between 0 and 1, received ${this.momentum}.`);
    }
    this.settings = {
      beta: weightSetting(owner, options, "beta", "zeros"),
      gamma: weightSetting(owner, options, "gamma", "ones"),
      movingMean: weightSetting(owner, options, "movingMean", "zeros"),
      movingVariance: weightSetting(owner, options, "movingVariance", "ones"),
    };
    this.supportsMasking = true;
  }
  override build(inputShape: BatchShape): void {
    if (this.axis >= inputShape.length || this.axis < -inputShape.length || this.axis === 0) {
      throw inputError(this, inputShape, `an axis ${this.axis} that is not the batch axis`);
    }
    const shape = [knownSize(this, inputShape, this.axis, `size of axis ${this.axis}`)];
    const { beta, gamma, movingMean, movingVariance } = this.settings;
    if (this.scale) this.gamma = this.addWeight({ name: "gamma", shape, ...gamma });
    if (this.center) this.beta = this.addWeight({ name: "beta", shape, ...beta });
    this.movingMean = this.addWeight({ name: "moving_mean", shape, ...movingMean, trainable: false });
    this.movingVariance = this.addWeight({ name: "moving_variance", shape, ...movingVariance, trainable: false });
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override call(inputs: Tensor, options: CallOptions): Tensor {
    if (inputs.shape.at(this.axis) !== this.movingMean.shape[0]) {
      throw inputError(this, inputs.shape, `${this.movingMean.shape[0]} features along axis ${this.axis}`);
    }
    const { gamma, beta, movingMean, movingVariance, axis, momentum, epsilon } = this;
    const training = options.training === true && this.trainable;
    return batchNorm(inputs, { gamma, beta, movingMean, movingVariance }, { axis, momentum, epsilon, training });
  }
  override getConfig(): Config {
    const { axis, momentum, epsilon, center, scale } = this;
    return {
      ...super.getConfig(),
      axis,
      momentum,
      epsilon,
      center,
      scale,
      ...weightConfig("beta", this.settings.beta),
      ...weightConfig("gamma", this.settings.gamma),
      ...weightConfig("movingMean", this.settings.movingMean),
      ...weightConfig("movingVariance", this.settings.movingVariance),
    };
  }
}
