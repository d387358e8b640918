import { ArgumentError, UnsupportedError } from "../../errors.ts";
import type { Activation as ActivationFunction } from "../../nn/activations.ts";
import { convolution, depthwiseKernel } from "../../nn/linear.ts";
import { checkPadding, type PaddingMode, type Pair, pairOf, windowOutputShape } from "../../nn/windows.ts";
import type { Tensor, Variable } from "../../tensor/index.ts";
import * as activations from "../activations.ts";
import type { BatchShape, Config } from "../config.ts";
import type * as constraints from "../constraints.ts";
import type * as initializers from "../initializers.ts";
import { inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";
import type * as regularizers from "../regularizers.ts";
import { activationConfig } from "./core.ts";
import {
  type BiasOptions,
  type KernelOptions,
  type WeightSetting,
  weightConfig,
  weightOptionNames,
  weightSetting,
} from "./weight-options.ts";

/** One number for both axes, or one for each. */
export type Pairlike = number | Pair;

export interface ConvolutionLayerOptions extends LayerOptions, BiasOptions {
  readonly strides?: Pairlike;
  readonly padding?: PaddingMode;
  readonly dilationRate?: Pairlike;
  /** Only 'channels_last' is available. */
  readonly dataFormat?: "channels_last";
  readonly activation?: activations.ActivationLike | null;
  readonly useBias?: boolean;
}
const convolutionOptionNames = [
  "strides",
  "padding",
  "dilationRate",
  "dataFormat",
  "activation",
  "useBias",
  ...weightOptionNames("bias"),
] as const;

export function checkDataFormat(owner: string, format: string | undefined): void {
  if (format === undefined || format === "channels_last") return;
  throw new UnsupportedError(
    `${owner}: dataFormat "${format}" is not available here; use channels_last (batch, height, width, channels).`,
  );
}

/** What Conv2D and DepthwiseConv2D share. */
abstract class ConvolutionLayer extends Layer {
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly dilationRate: Pair;
  readonly padding: PaddingMode;
  readonly activation: ActivationFunction;
  readonly useBias: boolean;
  kernel!: Variable;
  bias: Variable | undefined;
  protected readonly settings: { readonly kernel: WeightSetting; readonly bias: WeightSetting };

  constructor(
    kernelSize: Pairlike,
    options: ConvolutionLayerOptions,
    kernelName: string,
    ownOptions: readonly string[],
  ) {
    super(options, [...ownOptions, ...weightOptionNames(kernelName), ...convolutionOptionNames]);
    const owner = `${this.className} "${this.name}"`;
    checkDataFormat(owner, options.dataFormat);
    this.kernelSize = pairOf(owner, "kernelSize", kernelSize);
    this.strides = pairOf(owner, "strides", options.strides ?? 1);
    this.dilationRate = pairOf(owner, "dilationRate", options.dilationRate ?? 1);
    this.padding = checkPadding(owner, options.padding ?? "valid");
    this.activation = activations.get(options.activation, owner);
    this.useBias = options.useBias ?? true;
    this.settings = {
      kernel: weightSetting(owner, options, kernelName, "glorot_uniform"),
      bias: weightSetting(owner, options, "bias", "zeros"),
    };
    if (Math.max(...this.strides) > 1 && Math.max(...this.dilationRate) > 1) {
      throw new ArgumentError(
        `${owner}: strides and dilationRate cannot both be larger than 1, received ${this.strides.join("x")} and ${this.dilationRate.join("x")}.`,
      );
    }
  }

  protected abstract filtersFor(channels: number): number;

  /** Number of channels of an input shape, which must be that of images. */
  protected channelsOf(inputShape: BatchShape): number {
    if (inputShape.length !== 4) throw inputError(this, inputShape, "images: (batch, height, width, channels)");
    return knownSize(this, inputShape, -1, "number of channels");
  }
  protected checkChannels(inputs: Tensor, channels: number): void {
    if (inputs.rank !== 4 || inputs.shape[3] !== channels) {
      throw inputError(this, inputs.shape, `images with ${channels} channels: (batch, height, width, ${channels})`);
    }
  }
  protected get geometry(): { strides: Pair; dilation: Pair; padding: PaddingMode } {
    return { strides: this.strides, dilation: this.dilationRate, padding: this.padding };
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const filters = this.filtersFor(this.channelsOf(inputShape));
    const [batch, height, width] = inputShape;
    if (height === null || width === null) return [batch, null, null, filters];
    const { kernelSize, strides, dilationRate, padding } = this;
    const owner = `${this.className} "${this.name}"`;
    return [batch, ...windowOutputShape(owner, [height, width], kernelSize, strides, dilationRate, padding), filters];
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      kernelSize: this.kernelSize,
      strides: this.strides,
      padding: this.padding,
      dilationRate: this.dilationRate,
      activation: activationConfig(this, this.activation),
      useBias: this.useBias,
      ...weightConfig("bias", this.settings.bias),
    };
  }
}

export interface Conv2DOptions extends ConvolutionLayerOptions, KernelOptions {
  readonly groups?: number;
}

/**
 * activation(convolution(x, kernel) + bias) over images (batch, height, width, channels). Weights: kernel [kh, kw, channels / groups, filters],
 * bias [filters].
 */
export class Conv2D extends ConvolutionLayer {
  readonly filters: number;
  readonly groups: number;

  constructor(filters: number, kernelSize: Pairlike, options: Conv2DOptions = {}) {
    super(kernelSize, options, "kernel", ["groups"]);
    const owner = `Conv2D "${this.name}"`;
    this.filters = filters;
    this.groups = options.groups ?? 1;
    if (!Number.isInteger(filters) || filters <= 0) {
      throw new ArgumentError(`${owner}: filters must be a positive integer, received ${filters}.`);
    }
    if (!Number.isInteger(this.groups) || this.groups <= 0 || filters % this.groups !== 0) {
      throw new ArgumentError(
        `${owner}: groups must divide filters, received ${this.groups} groups for ${filters} filters.`,
      );
    }
  }
  protected override filtersFor(): number {
    return this.filters;
  }
  override build(inputShape: BatchShape): void {
    const channels = this.channelsOf(inputShape);
    if (channels % this.groups !== 0) {
      throw inputError(this, inputShape, `a number of channels that ${this.groups} groups divide`);
    }
    this.computeOutputShape(inputShape);
    this.kernel = this.addWeight({
      name: "kernel",
      shape: [...this.kernelSize, channels / this.groups, this.filters],
      ...this.settings.kernel,
    });
    if (this.useBias) this.bias = this.addWeight({ name: "bias", shape: [this.filters], ...this.settings.bias });
  }
  override call(inputs: Tensor): Tensor {
    this.checkChannels(inputs, this.kernel.shape[2] * this.groups);
    const geometry = { ...this.geometry, groups: this.groups };
    return this.activation(convolution(`Conv2D "${this.name}"`, inputs, this.kernel, this.bias, geometry));
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      filters: this.filters,
      groups: this.groups,
      ...weightConfig("kernel", this.settings.kernel),
    };
  }
}

export interface DepthwiseConv2DOptions extends ConvolutionLayerOptions {
  /** Filters per channel. */
  readonly depthMultiplier?: number;
  readonly depthwiseInitializer?: initializers.InitializerLike;
  readonly depthwiseRegularizer?: regularizers.RegularizerLike | null;
  readonly depthwiseConstraint?: constraints.ConstraintLike | null;
}

/** A convolution of each channel by itself. Weights: kernel [kh, kw, channels, depthMultiplier], bias [channels·depthMultiplier]. */
export class DepthwiseConv2D extends ConvolutionLayer {
  readonly depthMultiplier: number;

  constructor(kernelSize: Pairlike, options: DepthwiseConv2DOptions = {}) {
    super(kernelSize, options, "depthwise", ["depthMultiplier"]);
    this.depthMultiplier = options.depthMultiplier ?? 1;
    if (!Number.isInteger(this.depthMultiplier) || this.depthMultiplier <= 0) {
      throw new ArgumentError(
        `DepthwiseConv2D "${this.name}": depthMultiplier must be a positive integer, received ${this.depthMultiplier}.`,
      );
    }
  }
  protected override filtersFor(channels: number): number {
    return channels * this.depthMultiplier;
  }
  override build(inputShape: BatchShape): void {
    const channels = this.channelsOf(inputShape);
    this.computeOutputShape(inputShape);
    this.kernel = this.addWeight({
      name: "kernel",
      shape: [...this.kernelSize, channels, this.depthMultiplier],
      ...this.settings.kernel,
    });
    if (this.useBias) {
      const shape = [channels * this.depthMultiplier];
      this.bias = this.addWeight({ name: "bias", shape, ...this.settings.bias });
    }
  }
  override call(inputs: Tensor): Tensor {
    const channels = this.kernel.shape[2];
    this.checkChannels(inputs, channels);
    const geometry = { ...this.geometry, groups: channels };
    const owner = `DepthwiseConv2D "${this.name}"`;
    return this.activation(convolution(owner, inputs, depthwiseKernel(this.kernel), this.bias, geometry));
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      depthMultiplier: this.depthMultiplier,
      ...weightConfig("depthwise", this.settings.kernel),
    };
  }
}
