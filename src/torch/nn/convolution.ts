/** Convolutions of sequences (N, C, L) and images (N, C, H, W). */
import { ArgumentError, UnsupportedError } from "../../errors.ts";
import { sizeOf } from "../../graph/shape.ts";
import { type Pair, pairOf } from "../../nn/windows.ts";
import type { Tensor } from "../../tensor/index.ts";
import { convolutionPadding, single } from "./functional/geometry.ts";
import * as F from "./functional/index.ts";
import { convolutionOrder, initialBias, initialWeight } from "./initial.ts";
import { layerName, Module } from "./module.ts";
import { pythonText } from "./module-text.ts";
import type { Parameter } from "./parameter.ts";

type Size1 = F.Size1;
type Size2 = F.Size2;
/** What stands beyond the border: zeros, or what the data holds. */
export type ConvolutionPaddingMode = "zeros" | "reflect" | "replicate" | "circular";

export interface ConvolutionOptions<Size, Padding> {
  readonly stride?: Size;
  /** Zeros on each side, 'same' or 'valid'. */
  readonly padding?: Padding;
  readonly dilation?: Size;
  /** Channels are split into this many groups that do not mix. */
  readonly groups?: number;
  readonly bias?: boolean;
  readonly paddingMode?: ConvolutionPaddingMode;
}
export type Conv1dOptions = ConvolutionOptions<Size1, F.Padding1>;
export type Conv2dOptions = ConvolutionOptions<Size2, F.Padding2>;

function checkCounts(owner: string, inChannels: number, outChannels: number, groups: number): void {
  for (const [name, value] of Object.entries({ inChannels, outChannels, groups })) {
    if (!Number.isInteger(value) || value < 1)
      throw new ArgumentError(`${owner}: ${name} must be an integer of 1 or more, received ${value}.`);
  }
  if (inChannels % groups !== 0 || outChannels % groups !== 0) {
    throw new ArgumentError(
      `${owner}: ${inChannels} input and ${outChannels} output channels cannot be split into ${groups} groups.`,
    );
  }
}

/** What all convolutions share: geometry as lists of numbers, one for each spatial axis. */
abstract class Convolution extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | "same" | "valid";
  readonly dilation: readonly number[];
  readonly outputPadding: readonly number[];
  readonly groups: number;
  readonly paddingMode: ConvolutionPaddingMode;
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    inChannels: number,
    outChannels: number,
    geometry: {
      readonly kernelSize: readonly number[];
      readonly stride: readonly number[];
      readonly padding: readonly number[] | "same" | "valid";
      readonly dilation: readonly number[];
      readonly outputPadding?: readonly number[];
    },
    options: { readonly groups?: number; readonly bias?: boolean; readonly paddingMode?: ConvolutionPaddingMode },
    transposed: boolean,
  ) {
    super();
    const owner = this.constructor.name;
    const { groups = 1, bias = true, paddingMode = "zeros" } = options;
    checkCounts(owner, inChannels, outChannels, groups);
    if (!["zeros", "reflect", "replicate", "circular"].includes(paddingMode)) {
      throw new ArgumentError(
        `${owner}: paddingMode must be "zeros", "reflect", "replicate" or "circular", received "${paddingMode}".`,
      );
    }
    if (geometry.padding === "same" && geometry.stride.some((step) => step !== 1)) {
      throw new ArgumentError(`${owner}: padding "same" needs a stride of 1, received ${geometry.stride.join("x")}.`);
    }
    if (transposed && paddingMode !== "zeros") {
      throw new UnsupportedError(`${owner}: a transposed convolution has paddingMode "zeros" only.`);
    }
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = geometry.kernelSize;
    this.stride = geometry.stride;
    this.padding = geometry.padding;
    this.dilation = geometry.dilation;
    this.outputPadding = geometry.outputPadding ?? geometry.stride.map(() => 0);
    this.groups = groups;
    this.paddingMode = paddingMode;
    const [first, second] = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    // PyTorch counts the fan of a transposed kernel along its second axis too
    const fanIn = second * sizeOf(geometry.kernelSize);
    const order = !transposed && geometry.kernelSize.length === 2 ? convolutionOrder : undefined;
    this.weight = initialWeight(owner, [first, second, ...geometry.kernelSize], fanIn, order);
    this.bias = bias ? initialBias(owner, [outChannels], fanIn) : null;
  }

  /** Numbers of positions before and after each axis, for a padding mode that is not zeros. */
  protected borders(): readonly (readonly [number, number])[] {
    const { kernelSize: size, dilation, padding } = this;
    const [window, steps] =
      size.length === 1
        ? [
            [1, ...size],
            [1, ...dilation],
          ]
        : [size, dilation];
    const given = Array.isArray(padding) && padding.length === 1 ? [0, ...padding] : padding;
    const both = convolutionPadding(
      this.constructor.name,
      given as F.Padding2,
      window as unknown as Pair,
      [1, 1],
      steps as unknown as Pair,
    );
    return size.length === 1 ? [both[1]] : both;
  }
  /** The input with what the data holds beyond its border. */
  protected bordered(x: Tensor): Tensor {
    if (this.paddingMode === "zeros") return x;
    return F.pad(x, this.borders().toReversed().flat(), this.paddingMode, undefined, layerName(this));
  }
  protected get innerPadding(): readonly number[] | "same" | "valid" {
    return this.paddingMode === "zeros" ? this.padding : "valid";
  }

  override extraRepr(): string {
    const { padding, dilation, outputPadding } = this;
    const parts = [
      `${this.inChannels}, ${this.outChannels}`,
      `kernel_size=${pythonText(this.kernelSize)}`,
      `stride=${pythonText(this.stride)}`,
    ];
    if (typeof padding === "string") parts.push(`padding=${padding}`);
    else if (padding.some((amount) => amount !== 0)) parts.push(`padding=${pythonText(padding)}`);
    if (dilation.some((step) => step !== 1)) parts.push(`dilation=${pythonText(dilation)}`);
    if (outputPadding.some((amount) => amount !== 0)) parts.push(`output_padding=${pythonText(outputPadding)}`);
    if (this.groups !== 1) parts.push(`groups=${this.groups}`);
    if (!this.bias) parts.push("bias=False");
    if (this.paddingMode !== "zeros") parts.push(`padding_mode=${this.paddingMode}`);
    return parts.join(", ");
  }
}

/** Options, with stride and padding by position taken in. */
function optionsFrom<Size extends number | readonly number[], Padding, Options extends object>(
  strideOrOptions: Size | Options | undefined,
  padding: Padding | undefined,
): Options {
  const isStride = typeof strideOrOptions === "number" || Array.isArray(strideOrOptions);
  const options: object = isStride ? { stride: strideOrOptions } : ((strideOrOptions as Options | undefined) ?? {});
  return (padding === undefined ? options : { ...options, padding }) as Options;
}

/**
 * Convolution of images (N, C, H, W): y = x ⋆ weight + bias, with weight (outChannels, inChannels / groups, kh, kw). Stride and padding may be
 * given by position as in Python. After torch.nn.Conv2d.
 *
 * @example
 * ```ts
 * const conv = new nn.Conv2d(1, 32, 3, { padding: 1 });
 * conv(torch.zeros([8, 1, 28, 28])).shape; // [8, 32, 28, 28]
 * ```
 */
export class Conv2d extends Convolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size2,
    strideOrOptions?: Size2 | Conv2dOptions,
    padding?: F.Padding2,
  ) {
    const options = optionsFrom<Size2, F.Padding2, Conv2dOptions>(strideOrOptions, padding);
    super(inChannels, outChannels, geometry2d("Conv2d", kernelSize, options), options, false);
    this.borders();
  }
  override forward(x: Tensor): Tensor {
    const options = { stride: this.stride, padding: this.innerPadding, dilation: this.dilation, groups: this.groups };
    return F.conv2d(this.bordered(x), this.weight, this.bias, options as F.Conv2dFunctionOptions, layerName(this));
  }
}

/** Convolution of sequences (N, C, L), with weight (outChannels, inChannels / groups, k). After torch.nn.Conv1d. */
export class Conv1d extends Convolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size1,
    strideOrOptions?: Size1 | Conv1dOptions,
    padding?: F.Padding1,
  ) {
    const options = optionsFrom<Size1, F.Padding1, Conv1dOptions>(strideOrOptions, padding);
    super(inChannels, outChannels, geometry1d("Conv1d", kernelSize, options), options, false);
    this.borders();
  }
  override forward(x: Tensor): Tensor {
    const options = { stride: this.stride, padding: this.innerPadding, dilation: this.dilation, groups: this.groups };
    return F.conv1d(this.bordered(x), this.weight, this.bias, options as F.Conv1dFunctionOptions, layerName(this));
  }
}

export interface ConvTransposeOptions<Size> extends Omit<ConvolutionOptions<Size, Size>, "paddingMode"> {
  /** Further positions at the end of the output. */
  readonly outputPadding?: Size;
  readonly paddingMode?: "zeros";
}
export type ConvTranspose1dOptions = ConvTransposeOptions<Size1>;
export type ConvTranspose2dOptions = ConvTransposeOptions<Size2>;

/**
 * Transposed convolution of images (N, C, H, W), with weight (inChannels, outChannels / groups, kh, kw): the output has
 * (H − 1)·stride − 2·padding + dilation·(kh − 1) + outputPadding + 1 rows. After torch.nn.ConvTranspose2d.
 */
export class ConvTranspose2d extends Convolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size2,
    strideOrOptions?: Size2 | ConvTranspose2dOptions,
    padding?: Size2,
  ) {
    const options = optionsFrom<Size2, Size2, ConvTranspose2dOptions>(strideOrOptions, padding);
    super(inChannels, outChannels, geometry2d("ConvTranspose2d", kernelSize, options), options, true);
  }
  override forward(x: Tensor): Tensor {
    const options = {
      stride: this.stride,
      padding: this.padding,
      dilation: this.dilation,
      groups: this.groups,
      outputPadding: this.outputPadding,
    };
    return F.convTranspose2d(x, this.weight, this.bias, options as F.ConvTranspose2dFunctionOptions, layerName(this));
  }
}

/** Transposed convolution of sequences (N, C, L), with weight (inChannels, outChannels / groups, k). After torch.nn.ConvTranspose1d. */
export class ConvTranspose1d extends Convolution {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size1,
    strideOrOptions?: Size1 | ConvTranspose1dOptions,
    padding?: Size1,
  ) {
    const options = optionsFrom<Size1, Size1, ConvTranspose1dOptions>(strideOrOptions, padding);
    super(inChannels, outChannels, geometry1d("ConvTranspose1d", kernelSize, options), options, true);
  }
  override forward(x: Tensor): Tensor {
    const options = {
      stride: this.stride,
      padding: this.padding,
      dilation: this.dilation,
      groups: this.groups,
      outputPadding: this.outputPadding,
    };
    return F.convTranspose1d(
      x,
      this.weight,
      this.bias,
      options as unknown as F.ConvTranspose1dFunctionOptions,
      layerName(this),
    );
  }
}

interface GivenGeometry<Size> {
  readonly stride?: Size;
  readonly padding?: Size | "same" | "valid";
  readonly dilation?: Size;
  readonly outputPadding?: Size;
}

function geometry2d(owner: string, kernelSize: Size2, options: GivenGeometry<Size2>) {
  const { padding = 0 } = options;
  return {
    kernelSize: pairOf(owner, "kernelSize", kernelSize),
    stride: pairOf(owner, "stride", options.stride ?? 1),
    padding: typeof padding === "string" ? padding : pairOf(owner, "padding", padding, 0),
    dilation: pairOf(owner, "dilation", options.dilation ?? 1),
    outputPadding: pairOf(owner, "outputPadding", options.outputPadding ?? 0, 0),
  };
}

function geometry1d(owner: string, kernelSize: Size1, options: GivenGeometry<Size1>) {
  const { padding = 0 } = options;
  return {
    kernelSize: [single(owner, "kernelSize", kernelSize)],
    stride: [single(owner, "stride", options.stride ?? 1)],
    padding: typeof padding === "string" ? padding : [single(owner, "padding", padding, 0)],
    dilation: [single(owner, "dilation", options.dilation ?? 1)],
    outputPadding: [single(owner, "outputPadding", options.outputPadding ?? 0, 0)],
  };
}
