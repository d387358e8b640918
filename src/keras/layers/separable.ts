/** Convolutions in two parts: each channel by itself, then across channels. */
import { separableConvolution } from "../../nn/spatial.ts";
import type { PaddingMode, Pair } from "../../nn/windows.ts";
import type { Tensor, Variable } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import type * as constraints from "../constraints.ts";
import type * as initializers from "../initializers.ts";
import type * as regularizers from "../regularizers.ts";
import {
  ConvolutionLayer,
  checkCount,
  type Pairlike,
  type Single,
  type Sizes,
  type SpatialOptions,
} from "./convolution-layer.ts";
import { type WeightSetting, weightConfig, weightOptionNames, weightSetting } from "./weight-options.ts";

export interface SeparableOptions<Size extends Sizes> extends SpatialOptions<Size> {
  readonly padding?: PaddingMode;
  /** Filters per channel of the first part. */
  readonly depthMultiplier?: number;
  readonly depthwiseInitializer?: initializers.InitializerLike;
  readonly depthwiseRegularizer?: regularizers.RegularizerLike | null;
  readonly depthwiseConstraint?: constraints.ConstraintLike | null;
  readonly pointwiseInitializer?: initializers.InitializerLike;
  readonly pointwiseRegularizer?: regularizers.RegularizerLike | null;
  readonly pointwiseConstraint?: constraints.ConstraintLike | null;
}

abstract class SeparableConvolution<Size extends Sizes> extends ConvolutionLayer<Size> {
  readonly filters: number;
  readonly depthMultiplier: number;
  depthwiseKernel!: Variable;
  pointwiseKernel!: Variable;
  private readonly settings: { readonly depthwise: WeightSetting; readonly pointwise: WeightSetting };

  constructor(rank: Size["length"], filters: number, kernelSize: number | Size, options: SeparableOptions<Size>) {
    super(rank, kernelSize, options, [
      "depthMultiplier",
      ...weightOptionNames("depthwise"),
      ...weightOptionNames("pointwise"),
    ]);
    const { owner } = this;
    this.filters = checkCount(owner, "filters", filters);
    this.depthMultiplier = checkCount(owner, "depthMultiplier", options.depthMultiplier ?? 1);
    this.settings = {
      depthwise: weightSetting(owner, options, "depthwise", "glorot_uniform"),
      pointwise: weightSetting(owner, options, "pointwise", "glorot_uniform"),
    };
  }
  protected override get takesCausal(): boolean {
    return false;
  }
  protected override filtersFor(): number {
    return this.filters;
  }
  override build(inputShape: BatchShape): void {
    const channels = this.channelsOf(inputShape);
    this.computeOutputShape(inputShape);
    const { kernelSize, depthMultiplier, filters, settings } = this;
    this.depthwiseKernel = this.addWeight({
      name: "depthwise_kernel",
      shape: [...kernelSize, channels, depthMultiplier],
      ...settings.depthwise,
    });
    this.pointwiseKernel = this.addWeight({
      name: "pointwise_kernel",
      shape: [...kernelSize.map(() => 1), channels * depthMultiplier, filters],
      ...settings.pointwise,
    });
    this.makeBias(filters);
  }
  override call(inputs: Tensor): Tensor {
    const { depthwiseKernel: depthwise, pointwiseKernel: pointwise, bias } = this;
    this.checkChannels(inputs, depthwise.shape[this.kernelSize.length]);
    return this.activation(separableConvolution(this.owner, inputs, { depthwise, pointwise, bias }, this.geometry));
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      filters: this.filters,
      depthMultiplier: this.depthMultiplier,
      ...weightConfig("depthwise", this.settings.depthwise),
      ...weightConfig("pointwise", this.settings.pointwise),
    };
  }
}

/**
 * A convolution of each channel of (batch, steps, channels) by itself, then one across channels. Weights: depthwise_kernel
 * [k, channels, depthMultiplier], pointwise_kernel [1, channels·depthMultiplier, filters], bias. After keras.layers.SeparableConv1D.
 */
export class SeparableConv1D extends SeparableConvolution<readonly [number]> {
  constructor(filters: number, kernelSize: Single, options: SeparableOptions<readonly [number]> = {}) {
    super(1, filters, kernelSize, options);
  }
}

/**
 * A convolution of each channel of images by itself, then one across channels. Weights: depthwise_kernel [kh, kw, channels, depthMultiplier],
 * pointwise_kernel [1, 1, channels·depthMultiplier, filters], bias [filters]. After keras.layers.SeparableConv2D.
 */
export class SeparableConv2D extends SeparableConvolution<Pair> {
  constructor(filters: number, kernelSize: Pairlike, options: SeparableOptions<Pair> = {}) {
    super(2, filters, kernelSize, options);
  }
}
