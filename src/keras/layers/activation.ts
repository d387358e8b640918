import { ArgumentError } from "../../errors.ts";
import {
  type Activation as ActivationFunction,
  elu,
  leakyRelu,
  learnedRelu,
  maskedSoftmax,
  relu,
  softmax,
} from "../../nn/activations.ts";
import type { Tensor, Variable } from "../../tensor/index.ts";
import * as activations from "../activations.ts";
import type { BatchShape, Config } from "../config.ts";
import type * as constraints from "../constraints.ts";
import type * as initializers from "../initializers.ts";
import { type CallOptions, inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";
import type * as regularizers from "../regularizers.ts";
import { activationConfig } from "./core.ts";
import { type WeightSetting, weightConfig, weightOptionNames, weightSetting } from "./weight-options.ts";

/** Layers that give one number for each number and let masks through. */
abstract class ElementwiseLayer extends Layer {
  constructor(options: LayerOptions, ownOptions: readonly string[] = []) {
    super(options, ownOptions);
    this.supportsMasking = true;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
}

/** Gives what it gets. After keras.layers.Identity. */
export class Identity extends ElementwiseLayer {
  constructor(options: LayerOptions = {}) {
    super(options);
  }
  override call(inputs: Tensor): Tensor {
    return inputs;
  }
}

/** Applies an activation function. */
export class Activation extends ElementwiseLayer {
  readonly activation: ActivationFunction;

  constructor(activation: activations.ActivationLike, options: LayerOptions = {}) {
    super(options);
    this.activation = activations.get(activation, `Activation "${this.name}"`);
  }
  override call(inputs: Tensor): Tensor {
    return this.activation(inputs);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), activation: activationConfig(this, this.activation) };
  }
}

export interface ReLUOptions extends LayerOptions {
  /** Upper limit; none by default. */
  readonly maxValue?: number | null;
  readonly negativeSlope?: number;
  readonly threshold?: number;
}

/** x above `threshold`, at most `maxValue`; negativeSlope·(x − threshold) below. */
export class ReLU extends ElementwiseLayer {
  private readonly maxValue: number | null;
  private readonly negativeSlope: number;
  private readonly threshold: number;

  constructor(options: ReLUOptions = {}) {
    super(options, ["maxValue", "negativeSlope", "threshold"]);
    const { maxValue = null, negativeSlope = 0, threshold = 0 } = options;
    for (const [option, value] of Object.entries({ maxValue, negativeSlope, threshold })) {
      if (value !== null && !(value >= 0)) {
        throw new ArgumentError(`ReLU "${this.name}": ${option} cannot be negative, received ${value}.`);
      }
    }
    this.maxValue = maxValue;
    this.negativeSlope = negativeSlope;
    this.threshold = threshold;
  }
  override call(inputs: Tensor): Tensor {
    const { maxValue, negativeSlope, threshold } = this;
    return relu(inputs, { maxValue: maxValue ?? undefined, negativeSlope, threshold });
  }
  override getConfig(): Config {
    const { maxValue, negativeSlope, threshold } = this;
    return { ...super.getConfig(), maxValue, negativeSlope, threshold };
  }
}

export interface LeakyReLUOptions extends LayerOptions {
  readonly negativeSlope?: number;
}

/** x above 0, negativeSlope·x below (0.3 by default). */
export class LeakyReLU extends ElementwiseLayer {
  private readonly negativeSlope: number;

  constructor(options: LeakyReLUOptions = {}) {
    super(options, ["negativeSlope"]);
    this.negativeSlope = options.negativeSlope ?? 0.3;
    if (!(this.negativeSlope >= 0)) {
      throw new ArgumentError(
        `LeakyReLU "${this.name}": negativeSlope cannot be negative, received ${this.negativeSlope}.`,
      );
    }
  }
  override call(inputs: Tensor): Tensor {
    return leakyRelu(inputs, this.negativeSlope);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), negativeSlope: this.negativeSlope };
  }
}

export interface SoftmaxOptions extends LayerOptions {
  readonly axis?: number;
}

/** eˣ / Σ eˣ along an axis, over the positions that a mask leaves. */
export class Softmax extends ElementwiseLayer {
  private readonly axis: number;

  constructor(options: SoftmaxOptions = {}) {
    super(options, ["axis"]);
    this.axis = options.axis ?? -1;
  }
  override call(inputs: Tensor, options: CallOptions = {}): Tensor {
    return options.mask ? maskedSoftmax(inputs, options.mask, this.axis) : softmax(inputs, this.axis);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), axis: this.axis };
  }
}

export interface ELUOptions extends LayerOptions {
  readonly alpha?: number;
}

/** x above 0, α·(eˣ − 1) below (α = 1 by default). After keras.layers.ELU. */
export class ELU extends ElementwiseLayer {
  readonly alpha: number;

  constructor(options: ELUOptions = {}) {
    super(options, ["alpha"]);
    this.alpha = options.alpha ?? 1;
  }
  override call(inputs: Tensor): Tensor {
    return elu(inputs, this.alpha);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), alpha: this.alpha };
  }
}

export interface PReLUOptions extends LayerOptions {
  readonly alphaInitializer?: initializers.InitializerLike;
  readonly alphaRegularizer?: regularizers.RegularizerLike | null;
  readonly alphaConstraint?: constraints.ConstraintLike | null;
  /** Axes along which one slope is shared, counted from 1: [1, 2] for images gives one slope for each channel. */
  readonly sharedAxes?: number | readonly number[] | null;
}

/** x above 0, α·x below, with trained slopes α of the shape of one example. Weights: alpha. After keras.layers.PReLU. */
export class PReLU extends ElementwiseLayer {
  readonly sharedAxes: readonly number[] | undefined;
  alpha!: Variable;
  private readonly setting: WeightSetting;

  constructor(options: PReLUOptions = {}) {
    super(options, [...weightOptionNames("alpha"), "sharedAxes"]);
    const { sharedAxes: shared } = options;
    this.sharedAxes = typeof shared === "number" ? [shared] : (shared ?? undefined);
    this.setting = weightSetting(`PReLU "${this.name}"`, options, "alpha", "zeros");
  }
  override build(inputShape: BatchShape): void {
    const { sharedAxes = [] } = this;
    if (sharedAxes.some((axis) => !Number.isInteger(axis) || axis < 1 || axis >= inputShape.length)) {
      throw inputError(this, inputShape, `axes [${sharedAxes.join(", ")}] (sharedAxes) beside the batch`);
    }
    const shape = inputShape
      .slice(1)
      .map((_, index) => (sharedAxes.includes(index + 1) ? 1 : knownSize(this, inputShape, index + 1, "size")));
    this.alpha = this.addWeight({ name: "alpha", shape, ...this.setting });
  }
  override call(inputs: Tensor): Tensor {
    return learnedRelu(inputs, this.alpha);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), ...weightConfig("alpha", this.setting), sharedAxes: this.sharedAxes ?? null };
  }
}
