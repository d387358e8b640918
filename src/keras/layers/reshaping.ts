/** Layers that move numbers without changing them: borders, repetition, order of axes. */
import { ArgumentError } from "../../errors.ts";
import { type Interpolation, resizeSpatial } from "../../nn/spatial.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import { type CallOptions, inputError, Layer, type LayerOptions } from "../layer.ts";
import { checkCount, checkDataFormat, dataForm, type Sizes, sizesOf } from "./convolution-layer.ts";

/** How much before and after an axis. */
export type Sides = readonly [before: number, after: number];
export interface SpatialLayerOptions extends LayerOptions {
  /** Only 'channels_last' is available. */
  readonly dataFormat?: "channels_last";
}

function sidesOf(owner: string, argument: string, value: unknown): Sides {
  const sides = typeof value === "number" ? [value, value] : value;
  const fits = Array.isArray(sides) && sides.length === 2;
  if (fits && sides.every((amount) => Number.isInteger(amount) && amount >= 0)) return [sides[0], sides[1]];
  throw new ArgumentError(
    `${owner}: ${argument} must be integers of 0 or more: one, or one for each axis or side, received ${JSON.stringify(value)}.`,
  );
}

/** Layers over the axes between batch and channels. */
abstract class SpatialLayer extends Layer {
  /** Number of these axes. */
  protected abstract readonly axes: number;

  constructor(options: SpatialLayerOptions, ownOptions: readonly string[]) {
    super(options, [...ownOptions, "dataFormat"]);
    checkDataFormat(this.owner, options.dataFormat);
  }
  protected get owner(): string {
    return `${this.className} "${this.name}"`;
  }
  protected abstract newLength(length: number, axis: number): number;

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { axes } = this;
    if (inputShape.length !== axes + 2) throw inputError(this, inputShape, dataForm(axes));
    const lengths = inputShape
      .slice(1, -1)
      .map((length, axis) => (length === null ? null : this.newLength(length, axis)));
    return [inputShape[0], ...lengths, inputShape[axes + 1]];
  }
}

/** One number for all sides, one for each axis, or [before, after] for each axis. */
export type Sides2D = number | Sides | readonly [Sides, Sides];

function sides2D(owner: string, argument: string, value: Sides2D): readonly [Sides, Sides] {
  if (typeof value === "number") return [sidesOf(owner, argument, value), sidesOf(owner, argument, value)];
  if (!Array.isArray(value) || value.length !== 2) sidesOf(owner, argument, value);
  return [sidesOf(owner, argument, value[0]), sidesOf(owner, argument, value[1])];
}

abstract class ZeroPadding extends SpatialLayer {
  protected abstract readonly sides: readonly Sides[];
  protected override newLength(length: number, axis: number): number {
    const [before, after] = this.sides[axis];
    return before + length + after;
  }
  override call(inputs: Tensor): Tensor {
    this.computeOutputShape(inputs.shape);
    return inputs.pad([[0, 0], ...this.sides.map(([before, after]): [number, number] => [before, after]), [0, 0]]);
  }
}

/** Zeros before and after sequences: one number, or [before, after]. After keras.layers.ZeroPadding1D. */
export class ZeroPadding1D extends ZeroPadding {
  protected override readonly axes = 1;
  readonly padding: Sides;
  constructor(padding: number | Sides = 1, options: SpatialLayerOptions = {}) {
    super(options, []);
    this.padding = sidesOf(this.owner, "padding", padding);
  }
  protected override get sides(): readonly Sides[] {
    return [this.padding];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), padding: this.padding };
  }
}

/** Zeros around images: one number, [vertical, horizontal], or [[top, bottom], [left, right]]. After keras.layers.ZeroPadding2D. */
export class ZeroPadding2D extends ZeroPadding {
  protected override readonly axes = 2;
  readonly padding: readonly [Sides, Sides];
  constructor(padding: Sides2D = 1, options: SpatialLayerOptions = {}) {
    super(options, []);
    this.padding = sides2D(this.owner, "padding", padding);
  }
  protected override get sides(): readonly Sides[] {
    return this.padding;
  }
  override getConfig(): Config {
    return { ...super.getConfig(), padding: this.padding };
  }
}

abstract class Cropping extends SpatialLayer {
  protected abstract readonly sides: readonly Sides[];
  protected override newLength(length: number, axis: number): number {
    const [before, after] = this.sides[axis];
    return length - before - after;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const shape = super.computeOutputShape(inputShape);
    if (shape.slice(1, -1).some((length) => length !== null && length < 1)) {
      throw inputError(this, inputShape, `an input larger than the cropping of ${JSON.stringify(this.sides)}`);
    }
    return shape;
  }
  override call(inputs: Tensor): Tensor {
    this.computeOutputShape(inputs.shape);
    const ends = this.sides.map(([, after], axis) => inputs.shape[axis + 1] - after);
    const [batch, channels] = [inputs.shape[0], inputs.shape[inputs.rank - 1]];
    return inputs.slice([0, ...this.sides.map(([before]) => before), 0], [batch, ...ends, channels]);
  }
}

/** Cuts steps off the ends of sequences: one number, or [before, after]. After keras.layers.Cropping1D. */
export class Cropping1D extends Cropping {
  protected override readonly axes = 1;
  readonly cropping: Sides;
  constructor(cropping: number | Sides = [1, 1], options: SpatialLayerOptions = {}) {
    super(options, []);
    this.cropping = sidesOf(this.owner, "cropping", cropping);
  }
  protected override get sides(): readonly Sides[] {
    return [this.cropping];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), cropping: this.cropping };
  }
}

/** Cuts the edges off images: one number, [vertical, horizontal], or [[top, bottom], [left, right]]. After keras.layers.Cropping2D. */
export class Cropping2D extends Cropping {
  protected override readonly axes = 2;
  readonly cropping: readonly [Sides, Sides];
  constructor(cropping: Sides2D = 0, options: SpatialLayerOptions = {}) {
    super(options, []);
    this.cropping = sides2D(this.owner, "cropping", cropping);
  }
  protected override get sides(): readonly Sides[] {
    return this.cropping;
  }
  override getConfig(): Config {
    return { ...super.getConfig(), cropping: this.cropping };
  }
}

abstract class UpSampling<Size extends Sizes> extends SpatialLayer {
  readonly size: Size;
  protected abstract readonly interpolation: Interpolation;
  constructor(size: Size, options: SpatialLayerOptions, ownOptions: readonly string[]) {
    super(options, ownOptions);
    this.size = size;
  }
  protected override newLength(length: number, axis: number): number {
    return length * this.size[axis];
  }
  override call(inputs: Tensor): Tensor {
    const shape = this.computeOutputShape(inputs.shape);
    return resizeSpatial(inputs, shape.slice(1, -1) as number[], this.interpolation);
  }
}

/** Every step `size` times in a row. After keras.layers.UpSampling1D. */
export class UpSampling1D extends UpSampling<readonly [number]> {
  protected override readonly axes = 1;
  protected override readonly interpolation = "nearest";
  constructor(size: number | readonly [number] = 2, options: SpatialLayerOptions = {}) {
    super(sizesOf<readonly [number]>("UpSampling1D", "size", size, 1), options, []);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), size: this.size[0] };
  }
}

export interface UpSampling2DOptions extends SpatialLayerOptions {
  /** "nearest" by default: every pixel repeated. */
  readonly interpolation?: Interpolation;
}

/** Images `size` times as high and wide. After keras.layers.UpSampling2D. */
export class UpSampling2D extends UpSampling<readonly [number, number]> {
  protected override readonly axes = 2;
  readonly interpolation: Interpolation;
  constructor(size: number | readonly [number, number] = 2, options: UpSampling2DOptions = {}) {
    super(sizesOf<readonly [number, number]>("UpSampling2D", "size", size, 2), options, ["interpolation"]);
    this.interpolation = checkInterpolation(this.owner, options.interpolation ?? "nearest");
  }
  override getConfig(): Config {
    return { ...super.getConfig(), size: this.size, interpolation: this.interpolation };
  }
}

export function checkInterpolation(owner: string, interpolation: string): Interpolation {
  if (interpolation === "nearest" || interpolation === "bilinear") return interpolation;
  throw new ArgumentError(
    `${owner}: interpolation must be "nearest" or "bilinear", received ${JSON.stringify(interpolation)}.`,
  );
}

/** The axes of each example in another order, counted from 1: `new Permute([2, 1])` swaps the first two. After keras.layers.Permute. */
export class Permute extends Layer {
  readonly dims: readonly number[];
  constructor(dims: readonly number[], options: LayerOptions = {}) {
    super(options);
    const sorted = Array.isArray(dims) ? [...dims].sort((left, right) => left - right) : [];
    if (sorted.length === 0 || sorted.some((axis, index) => axis !== index + 1)) {
      throw new ArgumentError(
        `Permute "${this.name}": dims must name the axes 1 … n once each, received ${JSON.stringify(dims)}.`,
      );
    }
    this.dims = [...dims];
  }
  override call(inputs: Tensor): Tensor {
    this.computeOutputShape(inputs.shape);
    return inputs.permute([0, ...this.dims]);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { dims } = this;
    if (inputShape.length !== dims.length + 1) {
      throw inputError(this, inputShape, `${dims.length} axes beside the batch, for dims [${dims.join(", ")}]`);
    }
    return [inputShape[0], ...dims.map((axis) => inputShape[axis])];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), dims: this.dims };
  }
}

/** (batch, features) to (batch, n, features), n times the same. After keras.layers.RepeatVector. */
export class RepeatVector extends Layer {
  readonly n: number;
  constructor(n: number, options: LayerOptions = {}) {
    super(options);
    this.n = checkCount(`RepeatVector "${this.name}"`, "n", n);
  }
  override call(inputs: Tensor): Tensor {
    this.computeOutputShape(inputs.shape);
    return inputs.unsqueeze(1).expand([inputs.shape[0], this.n, inputs.shape[1]]);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    if (inputShape.length !== 2) throw inputError(this, inputShape, "two axes (batch, features)");
    return [inputShape[0], this.n, inputShape[1]];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), n: this.n };
  }
}

export interface LambdaOptions extends LayerOptions {
  /** Output shape of one example, or a function of the input shape; found out by a dry run by default. */
  readonly outputShape?: readonly (number | null)[] | ((inputShape: BatchShape) => BatchShape);
  /** The mask of the output: a tensor, or a function of inputs and their mask. */
  readonly mask?: Tensor | ((inputs: Tensor, mask: Tensor | undefined) => Tensor | undefined);
}

/**
 * Any function of a tensor as a layer. A function has no configuration: models that hold one are saved by their weights, or as a class of one's own
 * with `registerKerasSerializable`. After keras.layers.Lambda.
 *
 * @example
 * ```ts
 * const model = new Sequential([new layers.Dense(4), new layers.Lambda((x) => x.square())]);
 * ```
 */
export class Lambda extends Layer {
  readonly function: (inputs: Tensor, options: CallOptions) => Tensor;
  private readonly outputShapeOption: LambdaOptions["outputShape"];
  private readonly maskOption: LambdaOptions["mask"];

  constructor(fn: (inputs: Tensor, options: CallOptions) => Tensor, options: LambdaOptions = {}) {
    super(options, ["outputShape", "mask"]);
    if (typeof fn !== "function") {
      throw new ArgumentError(`Lambda "${this.name}": expected a function of a tensor, received ${typeof fn}.`);
    }
    this.function = fn;
    this.outputShapeOption = options.outputShape;
    this.maskOption = options.mask;
    this.supportsMasking = options.mask !== undefined;
  }
  override call(inputs: Tensor, options: CallOptions): Tensor {
    return this.function(inputs, options);
  }
  override computeMask(inputs: Tensor, mask?: Tensor): Tensor | undefined {
    const { maskOption } = this;
    return typeof maskOption === "function" ? maskOption(inputs, mask) : maskOption;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { outputShapeOption: given } = this;
    if (given === undefined) return super.computeOutputShape(inputShape);
    return typeof given === "function" ? given(inputShape) : [inputShape[0], ...given];
  }
  override getConfig(): Config {
    throw new ArgumentError(
      `Lambda "${this.name}": a function cannot be saved; make it a class of its own that extends Layer, or save the weights only.`,
    );
  }
}
