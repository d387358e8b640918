import { checkPadding, type PaddingMode, type Pair, pairOf, windowOutputShape } from "../../nn/windows.ts";
import { averagePool2d, globalAveragePool2d, maxPool2d, type Tensor } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import { inputError, Layer, type LayerOptions } from "../layer.ts";
import { checkDataFormat, type Pairlike } from "./convolutional.ts";

export interface PoolingLayerOptions extends LayerOptions {
  readonly poolSize?: Pairlike;
  /** Default: the pool size, so that windows do not overlap. */
  readonly strides?: Pairlike | null;
  readonly padding?: PaddingMode;
  readonly dataFormat?: "channels_last";
}

/** `new MaxPooling2D([2, 2], { … })` and `new MaxPooling2D({ poolSize: [2, 2], … })` are the same. */
function poolingOptions(
  poolSize: Pairlike | PoolingLayerOptions | undefined,
  options: PoolingLayerOptions | undefined,
): PoolingLayerOptions {
  if (poolSize === undefined) return options ?? {};
  if (typeof poolSize === "number" || Array.isArray(poolSize)) return { ...options, poolSize: poolSize as Pairlike };
  return poolSize as PoolingLayerOptions;
}

abstract class PoolingLayer extends Layer {
  readonly poolSize: Pair;
  readonly strides: Pair;
  readonly padding: PaddingMode;

  constructor(poolSize?: Pairlike | PoolingLayerOptions, options?: PoolingLayerOptions) {
    const given = poolingOptions(poolSize, options);
    super(given, ["poolSize", "strides", "padding", "dataFormat"]);
    const owner = `${this.className} "${this.name}"`;
    checkDataFormat(owner, given.dataFormat);
    this.poolSize = pairOf(owner, "poolSize", given.poolSize ?? 2);
    this.strides = pairOf(owner, "strides", given.strides ?? this.poolSize);
    this.padding = checkPadding(owner, given.padding ?? "valid");
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    if (inputShape.length !== 4) throw inputError(this, inputShape, "images: (batch, height, width, channels)");
    const [batch, height, width, channels] = inputShape;
    if (height === null || width === null) return [batch, null, null, channels];
    const owner = `${this.className} "${this.name}"`;
    return [
      batch,
      ...windowOutputShape(owner, [height, width], this.poolSize, this.strides, [1, 1], this.padding),
      channels,
    ];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), poolSize: this.poolSize, strides: this.strides, padding: this.padding };
  }
}

/** The largest number of each window. */
export class MaxPooling2D extends PoolingLayer {
  override call(inputs: Tensor): Tensor {
    this.computeOutputShape(inputs.shape);
    return maxPool2d(inputs, this.poolSize, { strides: this.strides, padding: this.padding });
  }
}

/** The mean of each window; what lies outside of the image does not count. */
export class AveragePooling2D extends PoolingLayer {
  override call(inputs: Tensor): Tensor {
    this.computeOutputShape(inputs.shape);
    return averagePool2d(inputs, this.poolSize, { strides: this.strides, padding: this.padding });
  }
}

export interface GlobalPoolingOptions extends LayerOptions {
  readonly dataFormat?: "channels_last";
  /** Keep height and width as axes of size 1. */
  readonly keepdims?: boolean;
}

/** The mean over height and width. */
export class GlobalAveragePooling2D extends Layer {
  private readonly keepdims: boolean;

  constructor(options: GlobalPoolingOptions = {}) {
    super(options, ["dataFormat", "keepdims"]);
    checkDataFormat(`GlobalAveragePooling2D "${this.name}"`, options.dataFormat);
    this.keepdims = options.keepdims ?? false;
  }
  override call(inputs: Tensor): Tensor {
    this.computeOutputShape(inputs.shape);
    return globalAveragePool2d(inputs, this.keepdims);
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    if (inputShape.length !== 4) throw inputError(this, inputShape, "images: (batch, height, width, channels)");
    const [batch, , , channels] = inputShape;
    return this.keepdims ? [batch, 1, 1, channels] : [batch, channels];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), keepdims: this.keepdims };
  }
}
