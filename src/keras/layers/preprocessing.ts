/** Layers that bring data into the range and size that a network wants. */
import { ArgumentError } from "../../errors.ts";
import { normalizeAxes } from "../../graph/shape.ts";
import { mergeStatistics, rescale, standardize, statisticsOver } from "../../nn/normalization.ts";
import {
  centerCrop,
  cropToProportions,
  type Interpolation,
  padToProportions,
  resizeSpatial,
} from "../../nn/spatial.ts";
import { full, type NestedArray, type NumericArray, Tensor, tensor, type Variable, zeros } from "../../tensor/index.ts";
import type { BatchShape, Config, ConfigValue } from "../config.ts";
import * as initializers from "../initializers.ts";
import { inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";
import { checkCount, checkDataFormat, dataForm } from "./convolution-layer.ts";
import { checkInterpolation, type SpatialLayerOptions } from "./reshaping.ts";

/** A number, or numbers for each channel. */
export type Numbers = number | readonly number[];
const constantOf = (numbers: Numbers): number | Tensor =>
  typeof numbers === "number" ? numbers : tensor([...numbers]);

export interface RescalingOptions extends LayerOptions {
  readonly offset?: Numbers;
}

/** x · scale + offset, for use and training alike: `new Rescaling(1 / 255)`. After keras.layers.Rescaling. */
export class Rescaling extends Layer {
  readonly scale: Numbers;
  readonly offset: Numbers;
  constructor(scale: Numbers, options: RescalingOptions = {}) {
    super(options, ["offset"]);
    this.scale = scale;
    this.offset = options.offset ?? 0;
    for (const [name, value] of Object.entries({ scale, offset: this.offset })) {
      if ([value].flat().every((entry) => typeof entry === "number")) continue;
      throw new ArgumentError(
        `Rescaling "${this.name}": ${name} must be a number or numbers, received ${typeof value}.`,
      );
    }
    this.supportsMasking = true;
  }
  override call(inputs: Tensor): Tensor {
    return rescale(inputs, constantOf(this.scale), constantOf(this.offset));
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override getConfig(): Config {
    return { ...super.getConfig(), scale: this.scale, offset: this.offset };
  }
}

/** A count starts at zero, as an integer. */
class CountInitializer extends initializers.Initializer {
  constructor() {
    super({});
  }
  protected override initialize(): () => Tensor {
    return () => zeros([], "i32");
  }
}

/** Data to adapt to: one array, or an iterable of batches. */
export type AdaptData = Tensor | NumericArray | NestedArray | Iterable<Tensor>;

export interface NormalizationOptions extends LayerOptions {
  /** Axes whose positions have a mean and variance each; the last by default, null for one mean of everything. */
  readonly axis?: number | readonly number[] | null;
  /** Given statistics, instead of `adapt`: numbers, or arrays that fit the axes. */
  readonly mean?: Numbers | null;
  readonly variance?: Numbers | null;
  /** The reverse: x · √variance + mean. */
  readonly invert?: boolean;
}

/**
 * (x − mean) / √variance with statistics that `adapt(data)` finds or that are given. Weights, unless given: mean, variance, count. After
 * keras.layers.Normalization.
 *
 * @example
 * ```ts
 * const normalize = new layers.Normalization();
 * normalize.adapt(x);
 * ```
 */
export class Normalization extends Layer {
  readonly axis: readonly number[];
  readonly invert: boolean;
  private readonly given: { readonly mean: Numbers; readonly variance: Numbers } | undefined;
  private meanWeight: Variable | undefined;
  private varianceWeight: Variable | undefined;
  private rank = 0;

  constructor(options: NormalizationOptions = {}) {
    super(options, ["axis", "mean", "variance", "invert"]);
    const { axis = -1, mean = null, variance = null } = options;
    this.axis = axis === null ? [] : typeof axis === "number" ? [axis] : axis;
    this.invert = options.invert ?? false;
    if ((mean === null) !== (variance === null)) {
      throw new ArgumentError(`Normalization "${this.name}": give both mean and variance, or neither.`);
    }
    if (mean !== null && variance !== null) {
      if ([mean].flat().length !== [variance].flat().length) {
        throw new ArgumentError(
          `Normalization "${this.name}": mean has ${[mean].flat().length} numbers, variance ${[variance].flat().length}.`,
        );
      }
      this.given = { mean, variance };
    }
    this.supportsMasking = true;
  }

  private keptAxes(rank: number): number[] {
    return normalizeAxes(`Normalization "${this.name}"`, this.axis, rank);
  }
  override build(inputShape: BatchShape): void {
    this.rank = inputShape.length;
    const shape = this.keptAxes(this.rank).map((axis) => knownSize(this, inputShape, axis, `size of axis ${axis}`));
    if (this.given) return;
    const options = { shape, trainable: false } as const;
    this.meanWeight = this.addWeight({ ...options, name: "mean", initializer: "zeros" });
    this.varianceWeight = this.addWeight({ ...options, name: "variance", initializer: "ones" });
    this.addWeight({ name: "count", shape: [], trainable: false, initializer: new CountInitializer() });
  }

  /** Finds mean and variance of data, of one array or of batches. */
  adapt(data: AdaptData): void {
    if (this.given) {
      throw new ArgumentError(`adapt: Normalization "${this.name}" was given its mean and variance.`);
    }
    const batches = isBatches(data) ? data : [data instanceof Tensor ? data : tensor(data as NumericArray)];
    let total: { readonly mean: Tensor; readonly variance: Tensor } | undefined;
    let count = 0;
    for (const batch of batches) {
      if (!this.built) this.buildFor([null, ...batch.shape.slice(1)]);
      const kept = this.keptAxes(this.rank);
      const shape = kept.map((axis) => batch.shape[axis]);
      if (batch.rank !== this.rank || shape.some((size, index) => size !== this.meanWeight?.shape[index])) {
        throw inputError(
          this,
          batch.shape,
          `data like those that it was built for, (${this.meanWeight?.shape.join(", ")}) kept`,
        );
      }
      const reduced = batch.shape.flatMap((_, axis) => (kept.includes(axis) ? [] : [axis]));
      const size = reduced.reduce((product, axis) => product * batch.shape[axis], 1);
      const statistics = statisticsOver(batch, reduced);
      count += size;
      total = total === undefined ? statistics : mergeStatistics(total, statistics, size / count);
    }
    if (!total || count === 0) throw new ArgumentError(`adapt: Normalization "${this.name}" received no data.`);
    this.meanWeight?.assign(total.mean.detach());
    this.varianceWeight?.assign(total.variance.detach());
  }

  override call(inputs: Tensor): Tensor {
    if (inputs.rank !== this.rank) throw inputError(this, inputs.shape, `${this.rank} axes`);
    const kept = this.keptAxes(this.rank);
    const place = (values: Tensor): Tensor => {
      // fewer numbers than kept axes belong to the last of these
      const own = kept.slice(kept.length - values.rank);
      return values.reshape(inputs.shape.map((_, axis) => (own.includes(axis) ? values.shape[own.indexOf(axis)] : 1)));
    };
    const numbers = (value: Numbers): Tensor => place(typeof value === "number" ? full([], value) : tensor([...value]));
    const mean = this.given ? numbers(this.given.mean) : place(this.meanWeight as Variable);
    const variance = this.given ? numbers(this.given.variance) : place(this.varianceWeight as Variable);
    return standardize(inputs, mean, variance, this.invert);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
  override getConfig(): Config {
    const { mean = null, variance = null } = this.given ?? {};
    const base = super.getConfig();
    return { ...base, axis: this.axis as ConfigValue, mean, variance, invert: this.invert };
  }
}

const isBatches = (data: AdaptData): data is Iterable<Tensor> => {
  if (data instanceof Tensor || ArrayBuffer.isView(data)) return false;
  return !Array.isArray(data) || data.length === 0 || data[0] instanceof Tensor;
};

/** Layers that give images of one size. */
abstract class SizeLayer extends Layer {
  readonly height: number;
  readonly width: number;
  constructor(height: number, width: number, options: SpatialLayerOptions, ownOptions: readonly string[] = []) {
    super(options, [...ownOptions, "dataFormat"]);
    const owner = `${this.className} "${this.name}"`;
    checkDataFormat(owner, options.dataFormat);
    this.height = checkCount(owner, "height", height);
    this.width = checkCount(owner, "width", width);
  }
  protected abstract resize(images: Tensor): Tensor;

  override call(inputs: Tensor): Tensor {
    this.computeOutputShape(inputs.shape);
    return inputs.rank === 3 ? this.resize(inputs.unsqueeze(0)).squeeze(0) : this.resize(inputs);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    if (inputShape.length !== 3 && inputShape.length !== 4) throw inputError(this, inputShape, dataForm(2));
    return [...inputShape.slice(0, -3), this.height, this.width, inputShape[inputShape.length - 1]];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), height: this.height, width: this.width };
  }
}

export interface ResizingOptions extends SpatialLayerOptions {
  /** "bilinear" by default. */
  readonly interpolation?: Interpolation;
  /** Cut what does not fit the proportions of the new size, instead of distorting. */
  readonly cropToAspectRatio?: boolean;
  /** Add a border of `fillValue` instead. */
  readonly padToAspectRatio?: boolean;
  readonly fillValue?: number;
}

/** Images at another size. After keras.layers.Resizing. */
export class Resizing extends SizeLayer {
  readonly interpolation: Interpolation;
  readonly cropToAspectRatio: boolean;
  readonly padToAspectRatio: boolean;
  readonly fillValue: number;
  constructor(height: number, width: number, options: ResizingOptions = {}) {
    super(height, width, options, ["interpolation", "cropToAspectRatio", "padToAspectRatio", "fillValue"]);
    this.interpolation = checkInterpolation(`Resizing "${this.name}"`, options.interpolation ?? "bilinear");
    this.cropToAspectRatio = options.cropToAspectRatio ?? false;
    this.padToAspectRatio = options.padToAspectRatio ?? false;
    this.fillValue = options.fillValue ?? 0;
    if (this.cropToAspectRatio && this.padToAspectRatio) {
      throw new ArgumentError(
        `Resizing "${this.name}": only one of cropToAspectRatio and padToAspectRatio can be true.`,
      );
    }
  }
  protected override resize(images: Tensor): Tensor {
    const { height, width, interpolation } = this;
    let shaped = images;
    if (this.cropToAspectRatio) shaped = cropToProportions(images, height, width);
    if (this.padToAspectRatio) shaped = padToProportions(images, height, width, this.fillValue);
    return resizeSpatial(shaped, [height, width], interpolation);
  }
  override getConfig(): Config {
    const { interpolation, cropToAspectRatio, padToAspectRatio, fillValue } = this;
    return { ...super.getConfig(), interpolation, cropToAspectRatio, padToAspectRatio, fillValue };
  }
}

/** The middle of images; smaller ones are resized first. After keras.layers.CenterCrop. */
export class CenterCrop extends SizeLayer {
  constructor(height: number, width: number, options: SpatialLayerOptions = {}) {
    super(height, width, options);
  }
  protected override resize(images: Tensor): Tensor {
    return centerCrop(images, this.height, this.width);
  }
}
