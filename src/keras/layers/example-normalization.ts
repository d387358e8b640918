/** Normalisation of each example by itself. */
import { ArgumentError } from "../../errors.ts";
import { normalizeAxes } from "../../graph/shape.ts";
import { normalizeAxesTogether, rootMeanSquareNorm, unitNorm } from "../../nn/normalization.ts";
import { groupNormalization, type Tensor, type Variable } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import type * as constraints from "../constraints.ts";
import type * as initializers from "../initializers.ts";
import { inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";
import type * as regularizers from "../regularizers.ts";
import { type WeightSetting, weightConfig, weightOptionNames, weightSetting } from "./weight-options.ts";

/** Options about γ and β. */
export interface ScaleAndShiftOptions extends LayerOptions {
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
}

abstract class ScaleAndShift extends Layer {
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  gamma: Variable | undefined;
  beta: Variable | undefined;
  private readonly settings: { readonly beta: WeightSetting; readonly gamma: WeightSetting };

  constructor(options: ScaleAndShiftOptions, ownOptions: readonly string[]) {
    const own = ["epsilon", "center", "scale", ...weightOptionNames("beta"), ...weightOptionNames("gamma")];
    super(options, [...ownOptions, ...own]);
    this.epsilon = options.epsilon ?? 1e-3;
    this.center = options.center ?? true;
    this.scale = options.scale ?? true;
    this.settings = {
      beta: weightSetting(this.owner, options, "beta", "zeros"),
      gamma: weightSetting(this.owner, options, "gamma", "ones"),
    };
    this.supportsMasking = true;
  }
  protected get owner(): string {
    return `${this.className} "${this.name}"`;
  }
  protected makeWeights(shape: readonly number[]): void {
    if (this.scale) this.gamma = this.addWeight({ name: "gamma", shape, ...this.settings.gamma });
    if (this.center) this.beta = this.addWeight({ name: "beta", shape, ...this.settings.beta });
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override getConfig(): Config {
    const { epsilon, center, scale } = this;
    return {
      ...super.getConfig(),
      epsilon,
      center,
      scale,
      ...weightConfig("beta", this.settings.beta),
      ...weightConfig("gamma", this.settings.gamma),
    };
  }
}

const given = <Value>(name: "gamma" | "beta", value: Value | undefined) =>
  value === undefined ? {} : { [name]: value };

/** The axes of a layer as positive numbers, none of them the batch axis. */
function featureAxes(layer: Layer, axis: number | readonly number[], inputShape: BatchShape): number[] {
  const list = typeof axis === "number" ? [axis] : axis;
  const rank = inputShape.length;
  const fits = list.length > 0 && list.every((at) => Number.isInteger(at) && at >= -rank && at < rank);
  const axes = fits ? normalizeAxes(layer.className, list, rank) : [0];
  if (axes.includes(0)) throw inputError(layer, inputShape, `axes [${list.join(", ")}] that are not the batch axis`);
  return axes;
}

export interface LayerNormalizationOptions extends ScaleAndShiftOptions {
  /** The axes that are normalised together; the last by default. */
  readonly axis?: number | readonly number[];
}

/**
 * (x − μ) / √(σ² + ε) · γ + β with μ and σ² of each example over `axis`. Weights: gamma and beta with the sizes of `axis`. After
 * keras.layers.LayerNormalization (Ba et al., 2016).
 */
export class LayerNormalization extends ScaleAndShift {
  readonly axis: number | readonly number[];
  constructor(options: LayerNormalizationOptions = {}) {
    super(options, ["axis"]);
    this.axis = options.axis ?? -1;
  }
  override build(inputShape: BatchShape): void {
    const axes = featureAxes(this, this.axis, inputShape);
    this.makeWeights(axes.map((axis) => knownSize(this, inputShape, axis, `size of axis ${axis}`)));
  }
  override call(inputs: Tensor): Tensor {
    const { gamma, beta, epsilon } = this;
    const axes = featureAxes(this, this.axis, inputs.shape);
    return normalizeAxesTogether(inputs, axes, { epsilon, ...given("gamma", gamma), ...given("beta", beta) });
  }
  override getConfig(): Config {
    return { ...super.getConfig(), axis: this.axis };
  }
}

export interface GroupNormalizationOptions extends ScaleAndShiftOptions {
  /** Number of groups of channels; 32 by default, −1 for as many as channels (instance normalisation). */
  readonly groups?: number;
  /** The axis of channels. */
  readonly axis?: number;
}

/** Normalises the channels of each example in groups, over all positions. Weights: gamma, beta. After keras.layers.GroupNormalization (Wu and He, 2018). */
export class GroupNormalization extends ScaleAndShift {
  readonly groups: number;
  readonly axis: number;
  constructor(options: GroupNormalizationOptions = {}) {
    super(options, ["groups", "axis"]);
    this.groups = options.groups ?? 32;
    this.axis = options.axis ?? -1;
    if (!Number.isInteger(this.groups) || (this.groups <= 0 && this.groups !== -1)) {
      throw new ArgumentError(
        `${this.owner}: groups must be a positive integer, or -1 for one per channel, received ${this.groups}.`,
      );
    }
  }
  private groupsFor(channels: number): number {
    return this.groups === -1 ? channels : this.groups;
  }
  override build(inputShape: BatchShape): void {
    const [axis] = featureAxes(this, this.axis, inputShape);
    const channels = knownSize(this, inputShape, axis, "number of channels");
    if (channels % this.groupsFor(channels) !== 0) {
      throw inputError(this, inputShape, `a number of channels that ${this.groups} groups divide`);
    }
    this.makeWeights([channels]);
  }
  override call(inputs: Tensor): Tensor {
    const { gamma, beta, epsilon, axis } = this;
    const groups = this.groupsFor(inputs.shape.at(axis) as number);
    return groupNormalization(inputs, { groups, axis, epsilon, ...given("gamma", gamma), ...given("beta", beta) });
  }
  override getConfig(): Config {
    return { ...super.getConfig(), groups: this.groups, axis: this.axis };
  }
}

export interface RMSNormalizationOptions extends LayerOptions {
  readonly axis?: number;
  readonly epsilon?: number;
}

/** x / √(mean x² + ε) · scale over the last axis. Weights: scale. After keras.layers.RMSNormalization. */
export class RMSNormalization extends Layer {
  readonly axis: number;
  readonly epsilon: number;
  scale!: Variable;
  constructor(options: RMSNormalizationOptions = {}) {
    super(options, ["axis", "epsilon"]);
    this.axis = options.axis ?? -1;
    this.epsilon = options.epsilon ?? 1e-6;
    this.supportsMasking = true;
  }
  override build(inputShape: BatchShape): void {
    const [axis] = featureAxes(this, this.axis, inputShape);
    const shape = [knownSize(this, inputShape, axis, `size of axis ${axis}`)];
    this.scale = this.addWeight({ name: "scale", shape, initializer: "ones" });
  }
  override call(inputs: Tensor): Tensor {
    return rootMeanSquareNorm(inputs, this.scale, this.axis, this.epsilon);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override getConfig(): Config {
    return { ...super.getConfig(), axis: this.axis, epsilon: this.epsilon };
  }
}

export interface UnitNormalizationOptions extends LayerOptions {
  readonly axis?: number | readonly number[];
}

/** Each example at length 1 along `axis`: x / √(Σ x²). After keras.layers.UnitNormalization. */
export class UnitNormalization extends Layer {
  readonly axis: number | readonly number[];
  constructor(options: UnitNormalizationOptions = {}) {
    super(options, ["axis"]);
    this.axis = options.axis ?? -1;
    this.supportsMasking = true;
  }
  override call(inputs: Tensor): Tensor {
    return unitNorm(inputs, featureAxes(this, this.axis, inputs.shape));
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override getConfig(): Config {
    return { ...super.getConfig(), axis: this.axis };
  }
}
