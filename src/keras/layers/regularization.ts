/** Noise and dropout: what acts in training only. */
import { ArgumentError } from "../../errors.ts";
import { addNoise, alphaDropout, multiplyNoise } from "../../nn/dropout.ts";
import { dropout, Generator, type Tensor } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import { type CallOptions, inputError, Layer, type LayerOptions } from "../layer.ts";
import { L1L2 } from "../regularizers.ts";

export interface NoiseOptions extends LayerOptions {
  /** Makes the draws a sequence of their own; without it they come from the generator that `keras.utils.setRandomSeed` seeds. */
  readonly seed?: number;
}

/** Layers that draw numbers in training and give their inputs otherwise. */
abstract class NoiseLayer extends Layer {
  private readonly seed: number | undefined;
  protected readonly generator: Generator | undefined;

  constructor(options: NoiseOptions, ownOptions: readonly string[] = []) {
    super(options, ["seed", ...ownOptions]);
    this.seed = options.seed;
    this.generator = options.seed === undefined ? undefined : new Generator(options.seed);
    this.supportsMasking = true;
  }
  protected checkedRate(rate: number, most: "at most 1" | "below 1" = "at most 1"): number {
    if (rate >= 0 && (rate < 1 || (rate === 1 && most === "at most 1"))) return rate;
    throw new ArgumentError(`${this.className} "${this.name}": rate must be at least 0 and ${most}, received ${rate}.`);
  }
  protected abstract disturb(inputs: Tensor): Tensor;

  override call(inputs: Tensor, options: CallOptions): Tensor {
    return options.training ? this.disturb(inputs) : inputs;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override getConfig(): Config {
    return { ...super.getConfig(), seed: this.seed ?? null };
  }
}

/** x + n with normal noise of a standard deviation, in training. After keras.layers.GaussianNoise. */
export class GaussianNoise extends NoiseLayer {
  readonly stddev: number;
  constructor(stddev: number, options: NoiseOptions = {}) {
    super(options);
    if (!(stddev >= 0)) {
      throw new ArgumentError(`GaussianNoise "${this.name}": stddev must be 0 or more, received ${stddev}.`);
    }
    this.stddev = stddev;
  }
  protected override disturb(inputs: Tensor): Tensor {
    return this.stddev === 0 ? inputs : addNoise(inputs, this.stddev, { generator: this.generator });
  }
  override getConfig(): Config {
    return { ...super.getConfig(), stddev: this.stddev };
  }
}

/** x · n with normal noise of mean 1 and variance rate / (1 − rate), in training. After keras.layers.GaussianDropout. */
export class GaussianDropout extends NoiseLayer {
  readonly rate: number;
  constructor(rate: number, options: NoiseOptions = {}) {
    super(options);
    this.rate = this.checkedRate(rate, "below 1");
  }
  protected override disturb(inputs: Tensor): Tensor {
    return this.rate === 0 ? inputs : multiplyNoise(inputs, this.rate, { generator: this.generator });
  }
  override getConfig(): Config {
    return { ...super.getConfig(), rate: this.rate };
  }
}

export interface AlphaDropoutOptions extends NoiseOptions {
  /** Shape of the mask; null is the size of the input. */
  readonly noiseShape?: BatchShape;
}

/** Dropout that keeps mean and variance of what SELU gives. After keras.layers.AlphaDropout. */
export class AlphaDropout extends NoiseLayer {
  readonly rate: number;
  private readonly noiseShape: BatchShape | undefined;
  constructor(rate: number, options: AlphaDropoutOptions = {}) {
    super(options, ["noiseShape"]);
    this.rate = this.checkedRate(rate);
    this.noiseShape = options.noiseShape;
  }
  protected override disturb(inputs: Tensor): Tensor {
    const maskShape = this.noiseShape?.map((size, axis) => size ?? inputs.shape[axis]);
    return alphaDropout(inputs, this.rate, { maskShape, generator: this.generator });
  }
  override getConfig(): Config {
    return { ...super.getConfig(), rate: this.rate, noiseShape: this.noiseShape ?? null };
  }
}

abstract class SpatialDropout extends NoiseLayer {
  readonly rate: number;
  protected abstract readonly axes: number;
  constructor(rate: number, options: NoiseOptions & { readonly dataFormat?: "channels_last" } = {}) {
    super(options, ["dataFormat"]);
    this.rate = this.checkedRate(rate);
  }
  protected override disturb(inputs: Tensor): Tensor {
    if (inputs.rank !== this.axes + 2) throw inputError(this, inputs.shape, `${this.axes + 2} axes, channels last`);
    const maskShape = inputs.shape.map((size, axis) => (axis === 0 || axis === inputs.rank - 1 ? size : 1));
    return dropout(inputs, this.rate, { maskShape, generator: this.generator });
  }
  override getConfig(): Config {
    return { ...super.getConfig(), rate: this.rate };
  }
}
/** Drops whole channels of sequences. After keras.layers.SpatialDropout1D. */
export class SpatialDropout1D extends SpatialDropout {
  protected override readonly axes = 1;
}
/** Drops whole channels of images. After keras.layers.SpatialDropout2D. */
export class SpatialDropout2D extends SpatialDropout {
  protected override readonly axes = 2;
}

export interface ActivityRegularizationOptions extends Omit<LayerOptions, "activityRegularizer"> {
  readonly l1?: number;
  readonly l2?: number;
}
/** Adds l1·Σ|x| + l2·Σx² per example to the training loss and gives x. After keras.layers.ActivityRegularization. */
export class ActivityRegularization extends Layer {
  readonly l1: number;
  readonly l2: number;
  constructor({ l1 = 0, l2 = 0, ...options }: ActivityRegularizationOptions = {}) {
    super({ ...options, activityRegularizer: new L1L2({ l1, l2 }) });
    this.l1 = l1;
    this.l2 = l2;
    this.supportsMasking = true;
  }
  override call(inputs: Tensor): Tensor {
    return inputs;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override getConfig(): Config {
    const { name, trainable, l1, l2 } = this;
    return { name, trainable, l1, l2 };
  }
}
