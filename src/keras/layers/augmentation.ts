/** Random changes to images, another for each image of a batch; in training only. */
import { ArgumentError } from "../../errors.ts";
import * as images from "../../nn/image-augmentation.ts";
import { centerCrop, type Interpolation } from "../../nn/spatial.ts";
import { Generator, randomUniform, type Tensor } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import { type CallOptions, inputError, Layer, type LayerOptions } from "../layer.ts";
import { checkCount, checkDataFormat, dataForm } from "./convolution-layer.ts";
import { checkInterpolation } from "./reshaping.ts";

export interface AugmentationOptions extends LayerOptions {
  /** Makes the draws a sequence of their own; without it they come from the generator that `keras.utils.setRandomSeed` seeds. */
  readonly seed?: number;
  /** Only 'channels_last' is available. */
  readonly dataFormat?: "channels_last";
}
/** A number f for the range [−f, f], or the range itself. */
export type Factor = number | readonly [lower: number, upper: number];
type Range = readonly [lower: number, upper: number];

/** Layers that change each image by chance in training, and give it as it is otherwise. */
abstract class AugmentationLayer extends Layer {
  private readonly seed: number | undefined;
  private readonly generator: Generator | undefined;

  constructor(options: AugmentationOptions, ownOptions: readonly string[]) {
    super(options, [...ownOptions, "seed", "dataFormat"]);
    checkDataFormat(this.owner, options.dataFormat);
    this.seed = options.seed;
    this.generator = options.seed === undefined ? undefined : new Generator(options.seed);
  }
  /** As in Keras: called directly these layers act, in a model only in training. */
  protected override get trainsByDefault(): boolean {
    return true;
  }
  protected get owner(): string {
    return `${this.className} "${this.name}"`;
  }
  /** One number for each image. */
  protected draw(batch: Tensor, [min, max]: Range = [0, 1]): Tensor {
    return randomUniform([batch.shape[0]], { min, max, generator: this.generator });
  }
  /** The range that a factor means; its ends lie between bounds. */
  protected rangeOf(argument: string, factor: Factor, least: number, most: number): Range {
    const ends = typeof factor === "number" ? [-Math.abs(factor), Math.abs(factor)] : factor;
    const fits =
      Array.isArray(ends) && ends.length === 2 && [factor].flat().every((end) => end >= least && end <= most);
    if (fits) return [Math.max(least, Math.min(...ends)), Math.max(...ends)];
    throw new ArgumentError(
      `${this.owner}: ${argument} must be a number in [${least}, ${most}] or two of them, received ${JSON.stringify(factor)}.`,
    );
  }
  /** Changes a batch by chance. */
  protected abstract augment(batch: Tensor): Tensor;

  override call(inputs: Tensor, options: CallOptions): Tensor {
    if (inputs.rank !== 3 && inputs.rank !== 4) throw inputError(this, inputs.shape, dataForm(2));
    if (!options.training) return inputs;
    const batch = inputs.dtype === "f32" ? inputs : inputs.cast("f32");
    return inputs.rank === 3 ? this.augment(batch.unsqueeze(0)).squeeze(0) : this.augment(batch);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override getConfig(): Config {
    return { ...super.getConfig(), seed: this.seed ?? null };
  }
}

export type FlipMode = "horizontal" | "vertical" | "horizontal_and_vertical";

/** Turns each image round with probability ½, along each axis of `mode`. After keras.layers.RandomFlip. */
export class RandomFlip extends AugmentationLayer {
  readonly mode: FlipMode;
  constructor(mode: FlipMode = "horizontal_and_vertical", options: AugmentationOptions = {}) {
    super(options, []);
    this.mode = mode;
    if (!["horizontal", "vertical", "horizontal_and_vertical"].includes(mode)) {
      throw new ArgumentError(
        `${this.owner}: mode must be "horizontal", "vertical" or "horizontal_and_vertical", received ${JSON.stringify(mode)}.`,
      );
    }
  }
  protected override augment(batch: Tensor): Tensor {
    const across = this.mode === "vertical" ? batch : images.flipExamples(batch, this.draw(batch), 2);
    return this.mode === "horizontal" ? across : images.flipExamples(across, this.draw(batch), 1);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), mode: this.mode };
  }
}

export interface TransformOptions extends AugmentationOptions {
  /** What lies outside the image: its mirror image by default. */
  readonly fillMode?: images.FillMode;
  /** The value for "constant". */
  readonly fillValue?: number;
  readonly interpolation?: Interpolation;
}

abstract class TransformLayer extends AugmentationLayer {
  readonly fillMode: images.FillMode;
  readonly fillValue: number;
  readonly interpolation: Interpolation;
  constructor(options: TransformOptions, ownOptions: readonly string[] = []) {
    super(options, [...ownOptions, "fillMode", "fillValue", "interpolation"]);
    this.fillMode = options.fillMode ?? "reflect";
    if (!images.fillModes.includes(this.fillMode)) {
      throw new ArgumentError(
        `${this.owner}: fillMode must be one of ${images.fillModes.join(", ")}, received ${JSON.stringify(this.fillMode)}.`,
      );
    }
    this.fillValue = options.fillValue ?? 0;
    this.interpolation = checkInterpolation(this.owner, options.interpolation ?? "bilinear");
  }
  /** Where each image of a batch is read, [batch, 6]. */
  protected abstract transforms(batch: Tensor, height: number, width: number): Tensor;

  protected override augment(batch: Tensor): Tensor {
    const transforms = this.transforms(batch, batch.shape[1], batch.shape[2]);
    return images.affineTransform(this.owner, batch, transforms, this);
  }
  override getConfig(): Config {
    const { fillMode, fillValue, interpolation } = this;
    return { ...super.getConfig(), fillMode, fillValue, interpolation };
  }
}

/** Turns each image by an angle of `factor` · 360°, drawn between −factor and factor or between two numbers. After keras.layers.RandomRotation. */
export class RandomRotation extends TransformLayer {
  readonly factor: Factor;
  private readonly range: Range;
  constructor(factor: Factor, options: TransformOptions = {}) {
    super(options);
    this.factor = factor;
    this.range = this.rangeOf("factor", factor, -1, 1);
  }
  protected override transforms(batch: Tensor, height: number, width: number): Tensor {
    const turn = 2 * Math.PI;
    return images.rotations(this.draw(batch, [this.range[0] * turn, this.range[1] * turn]), height, width);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), factor: this.factor };
  }
}

/** Shifts each image by shares of its height (down) and width (right). After keras.layers.RandomTranslation. */
export class RandomTranslation extends TransformLayer {
  readonly heightFactor: Factor;
  readonly widthFactor: Factor;
  private readonly vertical: Range;
  private readonly horizontal: Range;
  constructor(heightFactor: Factor, widthFactor: Factor, options: TransformOptions = {}) {
    super(options);
    this.heightFactor = heightFactor;
    this.widthFactor = widthFactor;
    this.vertical = this.rangeOf("heightFactor", heightFactor, -1, 1);
    this.horizontal = this.rangeOf("widthFactor", widthFactor, -1, 1);
  }
  protected override transforms(batch: Tensor, height: number, width: number): Tensor {
    const down = this.draw(batch, [this.vertical[0] * height, this.vertical[1] * height]);
    const right = this.draw(batch, [this.horizontal[0] * width, this.horizontal[1] * width]);
    return images.translations(down, right);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), heightFactor: this.heightFactor, widthFactor: this.widthFactor };
  }
}

/** Zooms each image by 1 + factor: below 0 in, above 0 out. Without a factor for the width the proportions stay. After keras.layers.RandomZoom. */
export class RandomZoom extends TransformLayer {
  readonly heightFactor: Factor;
  readonly widthFactor: Factor | null;
  private readonly vertical: Range;
  private readonly horizontal: Range | undefined;
  constructor(
    heightFactor: Factor,
    widthFactor: Factor | null | TransformOptions = null,
    options: TransformOptions = {},
  ) {
    const isFactor = widthFactor === null || typeof widthFactor === "number" || Array.isArray(widthFactor);
    super(isFactor ? options : (widthFactor as TransformOptions));
    const factor = isFactor ? (widthFactor as Factor | null) : null;
    this.heightFactor = heightFactor;
    this.widthFactor = factor;
    this.vertical = this.zoomRange("heightFactor", heightFactor);
    this.horizontal = factor === null ? undefined : this.zoomRange("widthFactor", factor);
  }
  private zoomRange(argument: string, factor: Factor): Range {
    const [lower, upper] = this.rangeOf(argument, factor, -1, 1);
    if (lower === -1)
      throw new ArgumentError(`${this.owner}: ${argument} must be above -1, received ${JSON.stringify(factor)}.`);
    return [1 + lower, 1 + upper];
  }
  protected override transforms(batch: Tensor, height: number, width: number): Tensor {
    const vertical = this.draw(batch, this.vertical);
    const horizontal = this.horizontal ? this.draw(batch, this.horizontal) : vertical;
    return images.zooms(vertical, horizontal, height, width);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), heightFactor: this.heightFactor, widthFactor: this.widthFactor };
  }
}

export interface ColorOptions extends AugmentationOptions {
  /** Least and largest value of a pixel; [0, 255] by default. */
  readonly valueRange?: readonly [number, number];
}

abstract class ColorLayer extends AugmentationLayer {
  readonly valueRange: readonly [number, number];
  readonly factor: Factor;
  constructor(factor: Factor, options: ColorOptions) {
    super(options, ["valueRange"]);
    this.factor = factor;
    const range = options.valueRange ?? [0, 255];
    if (!Array.isArray(range) || range.length !== 2 || !(range[0] < range[1])) {
      throw new ArgumentError(
        `${this.owner}: valueRange must be two ascending numbers, received ${JSON.stringify(range)}.`,
      );
    }
    this.valueRange = [range[0], range[1]];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), factor: this.factor, valueRange: this.valueRange };
  }
}

/** (x − μ)·c + μ with the mean μ of each channel of an image and c between 1 − lower and 1 + upper. After keras.layers.RandomContrast. */
export class RandomContrast extends ColorLayer {
  private readonly range: Range;
  constructor(factor: Factor, options: ColorOptions = {}) {
    super(factor, options);
    const [lower, upper] = typeof factor === "number" ? [factor, factor] : factor;
    this.rangeOf("factor", [lower, upper], 0, 1);
    this.range = [1 - lower, 1 + upper];
  }
  protected override augment(batch: Tensor): Tensor {
    return images.adjustContrast(batch, this.draw(batch, this.range), this.valueRange);
  }
}

/** Adds a share of the value range to each image, drawn between −factor and factor or between two numbers. After keras.layers.RandomBrightness. */
export class RandomBrightness extends ColorLayer {
  private readonly range: Range;
  constructor(factor: Factor, options: ColorOptions = {}) {
    super(factor, options);
    this.range = this.rangeOf("factor", factor, -1, 1);
  }
  protected override augment(batch: Tensor): Tensor {
    return images.adjustBrightness(batch, this.draw(batch, this.range), this.valueRange);
  }
}

/**
 * In training a window of each image, another for each; otherwise the middle. Images that are too small, and the middle, are the largest part of
 * the same proportions, resized. After keras.layers.RandomCrop.
 */
export class RandomCrop extends AugmentationLayer {
  readonly height: number;
  readonly width: number;
  constructor(height: number, width: number, options: AugmentationOptions = {}) {
    super(options, []);
    this.height = checkCount(this.owner, "height", height);
    this.width = checkCount(this.owner, "width", width);
  }
  override call(inputs: Tensor, options: CallOptions): Tensor {
    if (options.training || inputs.rank < 3 || inputs.rank > 4) return super.call(inputs, options);
    const { height, width } = this;
    const crop = (batch: Tensor): Tensor => centerCrop(batch, height, width);
    return inputs.rank === 3 ? crop(inputs.unsqueeze(0)).squeeze(0) : crop(inputs);
  }
  protected override augment(batch: Tensor): Tensor {
    const { height, width } = this;
    const [down, right] = [batch.shape[1] - height, batch.shape[2] - width];
    if (down < 0 || right < 0) return centerCrop(batch, height, width);
    const rows = images.wholeOffsets(this.draw(batch), down);
    const columns = images.wholeOffsets(this.draw(batch), right);
    return images.cropExamples(this.owner, batch, rows, columns, [height, width]);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -3), this.height, this.width, inputShape[inputShape.length - 1]];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), height: this.height, width: this.width };
  }
}
