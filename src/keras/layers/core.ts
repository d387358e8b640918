import { ArgumentError } from "../../errors.ts";
import { type Shape, sizeOf } from "../../graph/shape.ts";
import { type Activation as ActivationFunction, activationNameOf } from "../../nn/activations.ts";
import { dense } from "../../nn/linear.ts";
import { dropout, Generator, type Tensor, type Variable } from "../../tensor/index.ts";
import * as activations from "../activations.ts";
import type { BatchShape, Config, ConfigValue } from "../config.ts";
import { type AnyLayer, type CallOptions, inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";
import {
  type BiasOptions,
  type KernelOptions,
  type WeightSetting,
  weightConfig,
  weightOptionNames,
  weightSetting,
} from "./weight-options.ts";

/** The name of an activation, for a configuration. A function of the user's own has none. */
export function activationConfig(layer: AnyLayer, activation: ActivationFunction): ConfigValue {
  const name = activationNameOf(activation);
  if (name) return name;
  throw new ArgumentError(
    `${layer.className} "${layer.name}": its activation is a function of your own, which cannot be saved; use one of keras.activations.`,
  );
}

export interface DenseOptions extends LayerOptions, KernelOptions, BiasOptions {
  readonly activation?: activations.ActivationLike | null;
  readonly useBias?: boolean;
}

/** activation(x·kernel + bias) over the last axis. Weights: kernel [inputs, units], bias [units]. */
export class Dense extends Layer {
  readonly units: number;
  readonly activation: ActivationFunction;
  readonly useBias: boolean;
  kernel!: Variable;
  bias: Variable | undefined;
  private readonly settings: { readonly kernel: WeightSetting; readonly bias: WeightSetting };

  constructor(units: number, options: DenseOptions = {}) {
    super(options, ["activation", "useBias", ...weightOptionNames("kernel"), ...weightOptionNames("bias")]);
    const owner = `Dense "${this.name}"`;
    if (!Number.isInteger(units) || units <= 0) {
      throw new ArgumentError(`${owner}: units must be a positive integer, received ${units}.`);
    }
    this.units = units;
    this.activation = activations.get(options.activation, owner);
    this.useBias = options.useBias ?? true;
    this.settings = {
      kernel: weightSetting(owner, options, "kernel", "glorot_uniform"),
      bias: weightSetting(owner, options, "bias", "zeros"),
    };
    this.supportsMasking = true;
  }
  override build(inputShape: BatchShape): void {
    if (inputShape.length < 2) throw inputError(this, inputShape, "at least two axes (batch, features)");
    const width = knownSize(this, inputShape, -1, "size of the last axis");
    this.kernel = this.addWeight({ name: "kernel", shape: [width, this.units], ...this.settings.kernel });
    if (this.useBias) this.bias = this.addWeight({ name: "bias", shape: [this.units], ...this.settings.bias });
  }
  override call(inputs: Tensor): Tensor {
    if (inputs.shape[inputs.rank - 1] !== this.kernel.shape[0]) {
      throw inputError(this, inputs.shape, `a last axis of size ${this.kernel.shape[0]}`);
    }
    return this.activation(dense(inputs, this.kernel, this.bias));
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.units];
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      units: this.units,
      activation: activationConfig(this, this.activation),
      useBias: this.useBias,
      ...weightConfig("kernel", this.settings.kernel),
      ...weightConfig("bias", this.settings.bias),
    };
  }
}

/** All axes of an example in one. */
export class Flatten extends Layer {
  constructor(options: LayerOptions = {}) {
    super(options);
  }
  override call(inputs: Tensor): Tensor {
    return inputs.reshape([inputs.shape[0], sizeOf(inputs.shape.slice(1))]);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const sizes = inputShape.slice(1);
    return [inputShape[0], sizes.includes(null) ? null : sizeOf(sizes as Shape)];
  }
}

/** Another shape for each example; one size may be -1. */
export class Reshape extends Layer {
  readonly targetShape: Shape;

  constructor(targetShape: Shape, options: LayerOptions = {}) {
    super(options);
    if (!Array.isArray(targetShape) || targetShape.filter((size) => size === -1).length > 1) {
      throw new ArgumentError(
        `Reshape "${this.name}": targetShape must be sizes with at most one -1, received ${JSON.stringify(targetShape)}.`,
      );
    }
    this.targetShape = targetShape;
  }
  override call(inputs: Tensor): Tensor {
    return inputs.reshape([inputs.shape[0], ...(this.computeOutputShape(inputs.shape).slice(1) as Shape)]);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const sizes = inputShape.slice(1);
    if (sizes.includes(null)) return [inputShape[0], ...this.targetShape.map((size) => (size === -1 ? null : size))];
    const total = sizeOf(sizes as Shape);
    const known = sizeOf(this.targetShape.filter((size) => size !== -1));
    const shape = this.targetShape.map((size) => (size === -1 ? total / known : size));
    if (sizeOf(shape) !== total || !shape.every(Number.isInteger)) {
      throw inputError(
        this,
        inputShape,
        `${this.targetShape.includes(-1) ? "a multiple of " : ""}${known} numbers per example`,
      );
    }
    return [inputShape[0], ...shape];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), targetShape: this.targetShape };
  }
}

export interface DropoutOptions extends LayerOptions {
  readonly seed?: number;
  /** Shape of the mask; null is the size of the input. */
  readonly noiseShape?: BatchShape;
}

/** In training, sets a fraction `rate` of the inputs to 0 and scales the others by 1 / (1 − rate). */
export class Dropout extends Layer {
  readonly rate: number;
  private readonly seed: number | undefined;
  private readonly noiseShape: BatchShape | undefined;
  private readonly generator: Generator | undefined;

  constructor(rate: number, options: DropoutOptions = {}) {
    super(options, ["seed", "noiseShape"]);
    if (!(rate >= 0 && rate <= 1)) {
      throw new ArgumentError(`Dropout "${this.name}": rate must be between 0 and 1, received ${rate}.`);
    }
    this.rate = rate;
    this.seed = options.seed;
    this.noiseShape = options.noiseShape;
    this.generator = options.seed === undefined ? undefined : new Generator(options.seed);
    this.supportsMasking = true;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override call(inputs: Tensor, options: CallOptions): Tensor {
    if (!options.training || this.rate === 0) return inputs;
    const maskShape = this.noiseShape?.map((size, axis) => size ?? inputs.shape[axis]);
    return dropout(inputs, this.rate, { maskShape, generator: this.generator });
  }
  override getConfig(): Config {
    return { ...super.getConfig(), rate: this.rate, seed: this.seed ?? null, noiseShape: this.noiseShape ?? null };
  }
}
