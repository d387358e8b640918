/** Convolutions of images and sequences. */
import { ArgumentError } from "../../errors.ts";
import { convolution, depthwiseKernel } from "../../nn/linear.ts";
import { type SpatialPadding, spatialConvolution } from "../../nn/spatial.ts";
import type { PaddingMode, Pair } from "../../nn/windows.ts";
import type { Tensor, Variable } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import type * as constraints from "../constraints.ts";
import type * as initializers from "../initializers.ts";
import { inputError } from "../layer.ts";
import type * as regularizers from "../regularizers.ts";
import {
  ConvolutionLayer,
  checkCount,
  type Pairlike,
  type Single,
  type Sizes,
  type SpatialOptions,
} from "./convolution-layer.ts";
import {
  type KernelOptions,
  type WeightSetting,
  weightConfig,
  weightOptionNames,
  weightSetting,
} from "./weight-options.ts";

export interface ConvolutionLayerOptions extends SpatialOptions<Pair> {
  readonly padding?: PaddingMode;
}

/** Convolutions whose filters see all channels, or those of their group. */
abstract class FullConvolution<Size extends Sizes> extends ConvolutionLayer<Size> {
  readonly filters: number;
  readonly groups: number;
  kernel!: Variable;
  private readonly kernelSetting: WeightSetting;

  constructor(
    rank: Size["length"],
    filters: number,
    kernelSize: number | Size,
    options: SpatialOptions<Size> & KernelOptions & { readonly padding?: SpatialPadding; readonly groups?: number },
  ) {
    super(rank, kernelSize, options, ["groups", ...weightOptionNames("kernel")]);
    const { owner } = this;
    this.filters = checkCount(owner, "filters", filters);
    this.groups = options.groups ?? 1;
    if (!Number.isInteger(this.groups) || this.groups <= 0 || filters % this.groups !== 0) {
      throw new ArgumentError(
        `${owner}: groups must divide filters, received ${this.groups} groups for ${filters} filters.`,
      );
    }
    this.kernelSetting = weightSetting(owner, options, "kernel", "glorot_uniform");
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
      ...this.kernelSetting,
    });
    this.makeBias(this.filters);
  }
  override call(inputs: Tensor): Tensor {
    this.checkChannels(inputs, this.kernel.shape[this.kernelSize.length] * this.groups);
    return this.activation(spatialConvolution(this.owner, inputs, this.kernel, this.bias, this.geometry));
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      filters: this.filters,
      groups: this.groups,
      ...weightConfig("kernel", this.kernelSetting),
    };
  }
}

export interface Conv1DOptions extends SpatialOptions<readonly [number]>, KernelOptions {
  /** "causal" pads before the first step only: output t sees inputs 0 … t. */
  readonly padding?: SpatialPadding;
  readonly groups?: number;
}

/**
 * activation(convolution(x, kernel) + bias) over sequences (batch, steps, channels). Weights: kernel [k, channels / groups, filters], bias [filters].
 * After keras.layers.Conv1D.
 */
export class Conv1D extends FullConvolution<readonly [number]> {
  constructor(filters: number, kernelSize: Single, options: Conv1DOptions = {}) {
    super(1, filters, kernelSize, options);
  }
}

export interface Conv2DOptions extends ConvolutionLayerOptions, KernelOptions {
  readonly groups?: number;
}

/**
 * activation(convolution(x, kernel) + bias) over images (batch, height, width, channels). Weights: kernel [kh, kw, channels / groups, filters],
 * bias [filters].
 */
export class Conv2D extends FullConvolution<Pair> {
  constructor(filters: number, kernelSize: Pairlike, options: Conv2DOptions = {}) {
    super(2, filters, kernelSize, options);
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
export class DepthwiseConv2D extends ConvolutionLayer<Pair> {
  readonly depthMultiplier: number;
  kernel!: Variable;
  private readonly kernelSetting: WeightSetting;

  constructor(kernelSize: Pairlike, options: DepthwiseConv2DOptions = {}) {
    super(2, kernelSize, options, ["depthMultiplier", ...weightOptionNames("depthwise")]);
    this.depthMultiplier = checkCount(this.owner, "depthMultiplier", options.depthMultiplier ?? 1);
    this.kernelSetting = weightSetting(this.owner, options, "depthwise", "glorot_uniform");
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
      ...this.kernelSetting,
    });
    this.makeBias(channels * this.depthMultiplier);
  }
  override call(inputs: Tensor): Tensor {
    const channels = this.kernel.shape[2];
    this.checkChannels(inputs, channels);
    const { strides, dilationRate: dilation } = this;
    const geometry = { strides, dilation, padding: this.padding as PaddingMode, groups: channels };
    return this.activation(convolution(this.owner, inputs, depthwiseKernel(this.kernel), this.bias, geometry));
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      depthMultiplier: this.depthMultiplier,
      ...weightConfig("depthwise", this.kernelSetting),
    };
  }
}
