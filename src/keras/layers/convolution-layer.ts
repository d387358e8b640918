/** What convolutions of images and of sequences share. */
import { ArgumentError, UnsupportedError } from "../../errors.ts";
import type { Activation as ActivationFunction } from "../../nn/activations.ts";
import type { SpatialGeometry, SpatialPadding } from "../../nn/spatial.ts";
import { checkPadding, type Pair, windowOutputSizes } from "../../nn/windows.ts";
import type { Tensor, Variable } from "../../tensor/index.ts";
import * as activations from "../activations.ts";
import type { BatchShape, Config } from "../config.ts";
import { inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";
import { activationConfig } from "./core.ts";
import {
  type BiasOptions,
  type WeightSetting,
  weightConfig,
  weightOptionNames,
  weightSetting,
} from "./weight-options.ts";

/** One number for both axes, or one for each. */
export type Pairlike = number | Pair;
/** A number, alone or in a list. */
export type Single = number | readonly [number];
/** One size for each spatial axis: of sequences, of images. */
export type Sizes = readonly [number] | Pair;

/** The sizes that an option gives for each of `rank` axes. */
export function sizesOf<Size extends Sizes>(
  owner: string,
  argument: string,
  value: number | readonly number[],
  rank: Size["length"],
  least = 1,
): Size {
  const sizes = typeof value === "number" ? Array.from({ length: rank }, () => value) : value;
  if (
    !Array.isArray(sizes) ||
    sizes.length !== rank ||
    !sizes.every((size) => Number.isInteger(size) && size >= least)
  ) {
    throw new ArgumentError(
      `${owner}: ${argument} must be an integer of at least ${least}${rank === 1 ? "" : " or two of them"}, received ${JSON.stringify(value)}.`,
    );
  }
  return [...sizes] as unknown as Size;
}

/** A positive integer, or the error that says so. */
export function checkCount(owner: string, argument: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new ArgumentError(`${owner}: ${argument} must be a positive integer, received ${value}.`);
}

export function checkDataFormat(owner: string, format: string | undefined): void {
  if (format === undefined || format === "channels_last") return;
  throw new UnsupportedError(
    `${owner}: dataFormat "${format}" is not available here; use channels_last, such as (batch, height, width, channels).`,
  );
}

/** What data a layer over `rank` spatial axes takes. */
export const dataForm = (rank: number): string =>
  rank === 1 ? "sequences: (batch, steps, channels)" : "images: (batch, height, width, channels)";

/** Sizes are one number or one for each axis. */
export interface SpatialOptions<Size extends Sizes> extends LayerOptions, BiasOptions {
  readonly strides?: number | Size;
  readonly dilationRate?: number | Size;
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

/** Base of convolutions over one or two spatial axes. */
export abstract class ConvolutionLayer<Size extends Sizes> extends Layer {
  readonly kernelSize: Size;
  readonly strides: Size;
  readonly dilationRate: Size;
  readonly padding: SpatialPadding;
  readonly activation: ActivationFunction;
  readonly useBias: boolean;
  bias: Variable | undefined;
  protected readonly biasSetting: WeightSetting;

  constructor(
    rank: Size["length"],
    kernelSize: number | Size,
    options: SpatialOptions<Size> & { readonly padding?: SpatialPadding },
    ownOptions: readonly string[],
  ) {
    super(options, [...ownOptions, ...convolutionOptionNames]);
    const { owner } = this;
    checkDataFormat(owner, options.dataFormat);
    this.kernelSize = sizesOf<Size>(owner, "kernelSize", kernelSize, rank);
    this.strides = sizesOf<Size>(owner, "strides", options.strides ?? 1, rank);
    this.dilationRate = sizesOf<Size>(owner, "dilationRate", options.dilationRate ?? 1, rank);
    const padding = options.padding ?? "valid";
    this.padding = padding === "causal" && this.takesCausal ? padding : checkPadding(owner, padding);
    this.activation = activations.get(options.activation, owner);
    this.useBias = options.useBias ?? true;
    this.biasSetting = weightSetting(owner, options, "bias", "zeros");
    if (Math.max(...this.strides) > 1 && Math.max(...this.dilationRate) > 1) {
      throw new ArgumentError(
        `${owner}: strides and dilationRate cannot both be larger than 1, received ${this.strides.join("x")} and ${this.dilationRate.join("x")}.`,
      );
    }
  }

  protected get owner(): string {
    return `${this.className} "${this.name}"`;
  }
  protected get takesCausal(): boolean {
    return this.kernelSize.length === 1;
  }
  /** Number of output channels for a number of input channels. */
  protected abstract filtersFor(channels: number): number;

  /** Number of channels of an input shape, which must be that of images or sequences. */
  protected channelsOf(inputShape: BatchShape): number {
    const rank = this.kernelSize.length;
    if (inputShape.length !== rank + 2) throw inputError(this, inputShape, dataForm(rank));
    return knownSize(this, inputShape, -1, "number of channels");
  }
  protected checkChannels(inputs: Tensor, channels: number): void {
    const rank = this.kernelSize.length;
    if (inputs.rank !== rank + 2 || inputs.shape[rank + 1] !== channels) {
      const form =
        rank === 1
          ? `sequences with ${channels} channels: (batch, steps`
          : `images with ${channels} channels: (batch, height, width`;
      throw inputError(this, inputs.shape, `${form}, ${channels})`);
    }
  }
  protected get geometry(): SpatialGeometry {
    return { strides: this.strides, dilation: this.dilationRate, padding: this.padding };
  }
  protected makeBias(filters: number): void {
    if (this.useBias) this.bias = this.addWeight({ name: "bias", shape: [filters], ...this.biasSetting });
  }
  /** Lengths of the output along the spatial axes. */
  protected outputLengths(lengths: readonly (number | null)[]): readonly (number | null)[] {
    const { kernelSize, strides, dilationRate, padding } = this;
    const mode = padding === "causal" ? "same" : padding;
    return windowOutputSizes(this.owner, lengths, kernelSize, strides, dilationRate, mode);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const filters = this.filtersFor(this.channelsOf(inputShape));
    return [inputShape[0], ...this.outputLengths(inputShape.slice(1, -1)), filters];
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
      ...weightConfig("bias", this.biasSetting),
    };
  }
}
