/** Transposed convolutions ("deconvolutions"). */
import { ArgumentError } from "../../errors.ts";
import { transposedConvolution } from "../../nn/spatial.ts";
import { type PaddingMode, type Pair, transposedOutputLength } from "../../nn/windows.ts";
import type { Tensor, Variable } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import {
  ConvolutionLayer,
  checkCount,
  type Pairlike,
  type Single,
  type Sizes,
  type SpatialOptions,
  sizesOf,
} from "./convolution-layer.ts";
import {
  type KernelOptions,
  type WeightSetting,
  weightConfig,
  weightOptionNames,
  weightSetting,
} from "./weight-options.ts";

export interface TransposedOptions<Size extends Sizes> extends SpatialOptions<Size>, KernelOptions {
  readonly padding?: PaddingMode;
  /** Added to the length of the output, less than the stride; by default what makes it n·stride ("same") or the whole reach ("valid"). */
  readonly outputPadding?: number | Size | null;
}

abstract class TransposedConvolution<Size extends Sizes> extends ConvolutionLayer<Size> {
  readonly filters: number;
  readonly outputPadding: Size | undefined;
  kernel!: Variable;
  private readonly kernelSetting: WeightSetting;

  constructor(rank: Size["length"], filters: number, kernelSize: number | Size, options: TransposedOptions<Size>) {
    super(rank, kernelSize, options, ["outputPadding", ...weightOptionNames("kernel")]);
    const { owner } = this;
    this.filters = checkCount(owner, "filters", filters);
    const extra = options.outputPadding ?? undefined;
    this.outputPadding = extra === undefined ? undefined : sizesOf<Size>(owner, "outputPadding", extra, rank, 0);
    if (this.outputPadding?.some((amount, axis) => amount >= this.strides[axis])) {
      throw new ArgumentError(
        `${owner}: outputPadding must be less than strides, received ${this.outputPadding.join("x")} and ${this.strides.join("x")}.`,
      );
    }
    this.kernelSetting = weightSetting(owner, options, "kernel", "glorot_uniform");
  }
  protected override get takesCausal(): boolean {
    return false;
  }
  protected override filtersFor(): number {
    return this.filters;
  }
  protected override outputLengths(lengths: readonly (number | null)[]): readonly (number | null)[] {
    const { kernelSize, strides, dilationRate, outputPadding } = this;
    const padding = this.padding as PaddingMode;
    return lengths.map((length, axis) => {
      if (length === null) return null;
      const extra = outputPadding?.[axis];
      return transposedOutputLength(length, kernelSize[axis], strides[axis], dilationRate[axis], padding, extra);
    });
  }
  override build(inputShape: BatchShape): void {
    const channels = this.channelsOf(inputShape);
    this.kernel = this.addWeight({
      name: "kernel",
      shape: [...this.kernelSize, this.filters, channels],
      ...this.kernelSetting,
    });
    this.makeBias(this.filters);
  }
  override call(inputs: Tensor): Tensor {
    const { kernel, bias, outputPadding, geometry } = this;
    this.checkChannels(inputs, kernel.shape[kernel.rank - 1]);
    const settings = { ...geometry, outputPadding };
    return this.activation(transposedConvolution(this.owner, inputs, kernel, bias, settings));
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      filters: this.filters,
      outputPadding: this.outputPadding ?? null,
      ...weightConfig("kernel", this.kernelSetting),
    };
  }
}

/** A transposed convolution of sequences. Weights: kernel [k, filters, channels], bias [filters]. After keras.layers.Conv1DTranspose. */
export class Conv1DTranspose extends TransposedConvolution<readonly [number]> {
  constructor(filters: number, kernelSize: Single, options: TransposedOptions<readonly [number]> = {}) {
    super(1, filters, kernelSize, options);
  }
}

/**
 * A transposed convolution of images: each position adds its multiple of the kernel to the output, stride positions apart. Weights: kernel
 * [kh, kw, filters, channels], bias [filters]. After keras.layers.Conv2DTranspose.
 *
 * @example
 * ```ts
 * new layers.Conv2DTranspose(8, 3, { strides: 2, padding: "same" })(zeros([1, 7, 5, 4])).shape; // [1, 14, 10, 8]
 * ```
 */
export class Conv2DTranspose extends TransposedConvolution<Pair> {
  constructor(filters: number, kernelSize: Pairlike, options: TransposedOptions<Pair> = {}) {
    super(2, filters, kernelSize, options);
  }
}
