import { ArgumentError } from "../../errors.ts";
import { type Activation as ActivationFunction, leakyRelu, relu, softmax } from "../../nn/activations.ts";
import type { Tensor } from "../../tensor/index.ts";
import * as activations from "../activations.ts";
import type { BatchShape, Config } from "../config.ts";
import { Layer, type LayerOptions } from "../layer.ts";
import { activationConfig } from "./core.ts";

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

/** eˣ / Σ eˣ along an axis. */
export class Softmax extends ElementwiseLayer {
  private readonly axis: number;

  constructor(options: SoftmaxOptions = {}) {
    super(options, ["axis"]);
    this.axis = options.axis ?? -1;
  }
  override call(inputs: Tensor): Tensor {
    return softmax(inputs, this.axis);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), axis: this.axis };
  }
}
