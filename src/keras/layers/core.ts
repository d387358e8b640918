import { ArgumentError } from "../../errors.ts";
import { type Shape, sizeOf } from "../../graph/shape.ts";
import { type Activation as ActivationFunction, activationNameOf } from "../../nn/activations.ts";
import { dense } from "../../nn/linear.ts";
import { dropout, Generator, type Tensor, type Variable } from "../../tensor/index.ts";
import * as activations from "../activations.ts";
import type { BatchShape, Config, ConfigValue } from "../config.ts";
import * as initializers from "../initializers.ts";
import { type CallOptions, inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";

/** The name of an activation, for a configuration. A function of the user's own has none. */
export function activationConfig(layer: Layer, activation: ActivationFunction): ConfigValue {
  const name = activationNameOf(activation);
  if (name) return name;
  throw new ArgumentError(
    `${layer.className} "${layer.name}": its activation is a function of your own, which cannot be saved; use one of keras.activations.`,
  );
}

export function initializerConfig(initializer: initializers.Initializer): Config {
  return initializers.serialize(initializer) as unknown as Config;
}

export interface InputLayerOptions extends LayerOptions {
  /** Sizes of one example. */
  readonly shape?: Shape;
  readonly batchSize?: number;
}

/** The entry of a model: says what shape the inputs have. */
export class InputLayer extends Layer {
  /** Input shape with the batch axis first. */
  readonly batchShape: BatchShape;

  constructor(options: InputLayerOptions) {
    super(options, ["shape", "batchSize"]);
    const shape = options.shape ?? options.inputShape;
    if (!shape?.every((size) => Number.isInteger(size) && size > 0)) {
      throw new ArgumentError(
        `InputLayer: shape must be the sizes of one example, like [28, 28, 1], received ${JSON.stringify(shape)}.`,
      );
    }
    this.batchShape = [options.batchSize ?? null, ...shape];
    this.buildFor(this.batchShape);
  }
  override call(inputs: Tensor): Tensor {
    return inputs;
  }
  override getConfig(): Config {
    return { name: this.name, shape: this.batchShape.slice(1), batchSize: this.batchShape[0] };
  }
}

/** A symbolic input: what `Input` gives to a Sequential model. */
export interface SymbolicInput {
  readonly shape: BatchShape;
  readonly layer: InputLayer;
}

export function isSymbolicInput(value: unknown): value is SymbolicInput {
  return typeof value === "object" && value !== null && (value as SymbolicInput).layer instanceof InputLayer;
}

/**
 * The input of a model.
 *
 * @example
 * ```ts
 * const model = new Sequential([Input({ shape: [28, 28, 1] }), new Flatten(), new Dense(10)]);
 * ```
 */
export function Input(options: InputLayerOptions | Shape): SymbolicInput {
  const layer = new InputLayer(Array.isArray(options) ? { shape: options as Shape } : (options as InputLayerOptions));
  return { shape: layer.batchShape, layer };
}

export interface DenseOptions extends LayerOptions {
  readonly activation?: activations.ActivationLike | null;
  readonly useBias?: boolean;
  readonly kernelInitializer?: initializers.InitializerLike;
  readonly biasInitializer?: initializers.InitializerLike;
}

/** activation(x·kernel + bias) over the last axis. Weights: kernel [inputs, units], bias [units]. */
export class Dense extends Layer {
  readonly units: number;
  readonly activation: ActivationFunction;
  readonly useBias: boolean;
  kernel!: Variable;
  bias: Variable | undefined;
  private readonly kernelInitializer: initializers.Initializer;
  private readonly biasInitializer: initializers.Initializer;

  constructor(units: number, options: DenseOptions = {}) {
    super(options, ["activation", "useBias", "kernelInitializer", "biasInitializer"]);
    if (!Number.isInteger(units) || units <= 0) {
      throw new ArgumentError(`Dense "${this.name}": units must be a positive integer, received ${units}.`);
    }
    this.units = units;
    this.activation = activations.get(options.activation, `Dense "${this.name}"`);
    this.useBias = options.useBias ?? true;
    this.kernelInitializer = initializers.get(options.kernelInitializer ?? "glorot_uniform", `Dense "${this.name}"`);
    this.biasInitializer = initializers.get(options.biasInitializer ?? "zeros", `Dense "${this.name}"`);
  }
  override build(inputShape: BatchShape): void {
    if (inputShape.length < 2) throw inputError(this, inputShape, "at least two axes (batch, features)");
    const width = knownSize(this, inputShape, -1, "size of the last axis");
    this.kernel = this.addWeight({ name: "kernel", shape: [width, this.units], initializer: this.kernelInitializer });
    if (this.useBias)
      this.bias = this.addWeight({ name: "bias", shape: [this.units], initializer: this.biasInitializer });
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
      kernelInitializer: initializerConfig(this.kernelInitializer),
      biasInitializer: initializerConfig(this.biasInitializer),
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
