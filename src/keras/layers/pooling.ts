/** Pooling of images and sequences. */
import { globalPooling, maskedMeanOverSteps, spatialPooling } from "../../nn/spatial.ts";
import { checkPadding, type PaddingMode, type Pair, windowOutputSizes } from "../../nn/windows.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import { type CallOptions, inputError, Layer, type LayerOptions } from "../layer.ts";
import { checkDataFormat, dataForm, type Sizes, sizesOf } from "./convolution-layer.ts";

export interface PoolingLayerOptions<Size extends Sizes = Pair> extends LayerOptions {
  readonly poolSize?: number | Size;
  /** Default: the pool size, so that windows do not overlap. */
  readonly strides?: number | Size | null;
  readonly padding?: PaddingMode;
  readonly dataFormat?: "channels_last";
}

/** `new MaxPooling2D([2, 2], { … })` and `new MaxPooling2D({ poolSize: [2, 2], … })` are the same. */
function poolingOptions<Size extends Sizes>(
  poolSize: number | Size | PoolingLayerOptions<Size> | undefined,
  options: PoolingLayerOptions<Size> | undefined,
): PoolingLayerOptions<Size> {
  if (poolSize === undefined) return options ?? {};
  if (typeof poolSize === "number" || Array.isArray(poolSize)) return { ...options, poolSize: poolSize as Size };
  return poolSize as PoolingLayerOptions<Size>;
}

abstract class PoolingLayer<Size extends Sizes> extends Layer {
  readonly poolSize: Size;
  readonly strides: Size;
  readonly padding: PaddingMode;

  constructor(rank: Size["length"], given: PoolingLayerOptions<Size>) {
    super(given, ["poolSize", "strides", "padding", "dataFormat"]);
    const owner = `${this.className} "${this.name}"`;
    checkDataFormat(owner, given.dataFormat);
    this.poolSize = sizesOf<Size>(owner, "poolSize", given.poolSize ?? 2, rank);
    this.strides = sizesOf<Size>(owner, "strides", given.strides ?? this.poolSize, rank);
    this.padding = checkPadding(owner, given.padding ?? "valid");
  }
  protected abstract readonly kind: "max" | "average";

  override call(inputs: Tensor): Tensor {
    this.computeOutputShape(inputs.shape);
    return spatialPooling(this.kind, inputs, this.poolSize, { strides: this.strides, padding: this.padding });
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { poolSize, strides, padding } = this;
    const rank = poolSize.length;
    if (inputShape.length !== rank + 2) throw inputError(this, inputShape, dataForm(rank));
    const owner = `${this.className} "${this.name}"`;
    const ones = poolSize.map(() => 1);
    const lengths = windowOutputSizes(owner, inputShape.slice(1, -1), poolSize, strides, ones, padding);
    return [inputShape[0], ...lengths, inputShape[rank + 1]];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), poolSize: this.poolSize, strides: this.strides, padding: this.padding };
  }
}

type Images = PoolingLayerOptions<Pair>;
type Sequences = PoolingLayerOptions<readonly [number]>;

/** The largest number of each window of images. */
export class MaxPooling2D extends PoolingLayer<Pair> {
  protected override readonly kind = "max";
  constructor(poolSize?: number | Pair | Images, options?: Images) {
    super(2, poolingOptions(poolSize, options));
  }
}
/** The mean of each window of images; what lies outside of the image does not count. */
export class AveragePooling2D extends PoolingLayer<Pair> {
  protected override readonly kind = "average";
  constructor(poolSize?: number | Pair | Images, options?: Images) {
    super(2, poolingOptions(poolSize, options));
  }
}
/** The largest number of each window of sequences. */
export class MaxPooling1D extends PoolingLayer<readonly [number]> {
  protected override readonly kind = "max";
  constructor(poolSize?: number | readonly [number] | Sequences, options?: Sequences) {
    super(1, poolingOptions(poolSize, options));
  }
}
/** The mean of each window of sequences; what lies outside does not count. */
export class AveragePooling1D extends PoolingLayer<readonly [number]> {
  protected override readonly kind = "average";
  constructor(poolSize?: number | readonly [number] | Sequences, options?: Sequences) {
    super(1, poolingOptions(poolSize, options));
  }
}

export interface GlobalPoolingOptions extends LayerOptions {
  readonly dataFormat?: "channels_last";
  /** Keep the axes that are pooled, with size 1. */
  readonly keepdims?: boolean;
}

abstract class GlobalPoolingLayer extends Layer {
  readonly keepdims: boolean;
  protected abstract readonly kind: "max" | "average";
  /** Number of axes that are pooled. */
  protected abstract readonly axes: number;

  constructor(options: GlobalPoolingOptions = {}) {
    super(options, ["dataFormat", "keepdims"]);
    checkDataFormat(`${this.className} "${this.name}"`, options.dataFormat);
    this.keepdims = options.keepdims ?? false;
  }
  override call(inputs: Tensor, _options: CallOptions): Tensor {
    this.computeOutputShape(inputs.shape);
    return globalPooling(this.kind, inputs, this.keepdims);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { axes, keepdims } = this;
    if (inputShape.length !== axes + 2) throw inputError(this, inputShape, dataForm(axes));
    return [inputShape[0], ...(keepdims ? Array.from({ length: axes }, () => 1) : []), inputShape[axes + 1]];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), keepdims: this.keepdims };
  }
}

/** The mean over height and width. */
export class GlobalAveragePooling2D extends GlobalPoolingLayer {
  protected override readonly kind = "average";
  protected override readonly axes = 2;
}
/** The largest number over height and width. */
export class GlobalMaxPooling2D extends GlobalPoolingLayer {
  protected override readonly kind = "max";
  protected override readonly axes = 2;
}
/** The largest number over all steps. A mask is not looked at, as in Keras. */
export class GlobalMaxPooling1D extends GlobalPoolingLayer {
  protected override readonly kind = "max";
  protected override readonly axes = 1;
}
/** The mean over the steps, those that a mask leaves. */
export class GlobalAveragePooling1D extends GlobalPoolingLayer {
  protected override readonly kind = "average";
  protected override readonly axes = 1;

  override call(inputs: Tensor, options: CallOptions): Tensor {
    const { mask } = options;
    if (!mask) return super.call(inputs, options);
    this.computeOutputShape(inputs.shape);
    return maskedMeanOverSteps(inputs, mask, this.keepdims);
  }
  override computeMask(): undefined {
    return undefined;
  }
}
