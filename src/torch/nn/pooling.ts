/** Pooling of sequences (N, C, L) and images (N, C, H, W). */

import { pairOf } from "../../nn/windows.ts";
import type { Tensor } from "../../tensor/index.ts";
import { single } from "./functional/geometry.ts";
import * as F from "./functional/index.ts";
import { strideOrOptions } from "./functional/pooling.ts";
import { layerName, Module } from "./module.ts";
import { pythonText } from "./module-text.ts";

type Size1 = F.Size1;
type Size2 = F.Size2;

/** What pooling gives: the maxima, and with `returnIndices` their places. */
export type MaxPoolResult<Indices extends boolean> = Indices extends true ? [output: Tensor, indices: Tensor] : Tensor;

/** Largest element of each window of images. The stride may be given by position; by default it is the window. After torch.nn.MaxPool2d. */
export class MaxPool2d<Indices extends boolean = false> extends Module<[x: Tensor], MaxPoolResult<Indices>> {
  readonly kernelSize: Size2;
  readonly options: F.MaxPool2dOptions;
  constructor(kernelSize: Size2, options?: Size2 | (F.MaxPool2dOptions & { readonly returnIndices?: Indices })) {
    super();
    pairOf("MaxPool2d", "kernelSize", kernelSize);
    this.kernelSize = kernelSize;
    this.options = strideOrOptions<Size2, F.MaxPool2dOptions>(options);
  }
  override forward(x: Tensor): MaxPoolResult<Indices> {
    return F.maxPool2d(x, this.kernelSize, this.options, layerName(this)) as MaxPoolResult<Indices>;
  }
  override extraRepr(): string {
    return maxPoolText(this.kernelSize, this.options);
  }
}

/** Largest element of each window of sequences. After torch.nn.MaxPool1d. */
export class MaxPool1d<Indices extends boolean = false> extends Module<[x: Tensor], MaxPoolResult<Indices>> {
  readonly kernelSize: Size1;
  readonly options: F.MaxPool1dOptions;
  constructor(kernelSize: Size1, options?: Size1 | (F.MaxPool1dOptions & { readonly returnIndices?: Indices })) {
    super();
    single("MaxPool1d", "kernelSize", kernelSize);
    this.kernelSize = kernelSize;
    this.options = strideOrOptions<Size1, F.MaxPool1dOptions>(options);
  }
  override forward(x: Tensor): MaxPoolResult<Indices> {
    return F.maxPool1d(x, this.kernelSize, this.options, layerName(this)) as MaxPoolResult<Indices>;
  }
  override extraRepr(): string {
    return maxPoolText(this.kernelSize, this.options);
  }
}

function maxPoolText(kernelSize: Size1 | Size2, options: F.MaxPool1dOptions | F.MaxPool2dOptions): string {
  const { stride = kernelSize, padding = 0, dilation = 1, ceilMode = false } = options;
  return (
    `kernel_size=${pythonText(kernelSize)}, stride=${pythonText(stride)}, padding=${pythonText(padding)}, ` +
    `dilation=${pythonText(dilation)}, ceil_mode=${pythonText(ceilMode)}`
  );
}

/**
 * The reverse of `MaxPool2d` with `returnIndices`: zeros, with the maxima at their places. After torch.nn.MaxUnpool2d.
 *
 * @example
 * ```ts
 * const pool = new nn.MaxPool2d(2, { returnIndices: true });
 * const [maxima, indices] = pool(images);
 * new nn.MaxUnpool2d(2)(maxima, indices).shape; // [8, 1, 28, 28]
 * ```
 */
export class MaxUnpool2d extends Module<[x: Tensor, indices: Tensor, outputSize?: readonly number[]], Tensor> {
  readonly kernelSize: Size2;
  readonly options: F.MaxUnpoolOptions;
  constructor(kernelSize: Size2, options?: Size2 | F.MaxUnpoolOptions) {
    super();
    pairOf("MaxUnpool2d", "kernelSize", kernelSize);
    this.kernelSize = kernelSize;
    this.options = strideOrOptions<Size2, F.MaxUnpoolOptions>(options);
  }
  override forward(x: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    const options = outputSize ? { ...this.options, outputSize } : this.options;
    return F.maxUnpool2d(x, indices, this.kernelSize, options, layerName(this));
  }
  override extraRepr(): string {
    const { stride = this.kernelSize, padding = 0 } = this.options;
    return `kernel_size=${pythonText(this.kernelSize)}, stride=${pythonText(stride)}, padding=${pythonText(padding)}`;
  }
}

/** Mean of each window of images. After torch.nn.AvgPool2d. */
export class AvgPool2d extends Module {
  readonly kernelSize: Size2;
  readonly options: F.AvgPool2dOptions;
  constructor(kernelSize: Size2, options?: Size2 | F.AvgPool2dOptions) {
    super();
    pairOf("AvgPool2d", "kernelSize", kernelSize);
    this.kernelSize = kernelSize;
    this.options = strideOrOptions<Size2, F.AvgPool2dOptions>(options);
  }
  override forward(x: Tensor): Tensor {
    return F.avgPool2d(x, this.kernelSize, this.options, layerName(this));
  }
  override extraRepr(): string {
    const { stride = this.kernelSize, padding = 0 } = this.options;
    return `kernel_size=${pythonText(this.kernelSize)}, stride=${pythonText(stride)}, padding=${pythonText(padding)}`;
  }
}

/** Mean of each window of sequences. After torch.nn.AvgPool1d. */
export class AvgPool1d extends Module {
  readonly kernelSize: Size1;
  readonly options: F.AvgPool1dOptions;
  constructor(kernelSize: Size1, options?: Size1 | F.AvgPool1dOptions) {
    super();
    single("AvgPool1d", "kernelSize", kernelSize);
    this.kernelSize = kernelSize;
    this.options = strideOrOptions<Size1, F.AvgPool1dOptions>(options);
  }
  override forward(x: Tensor): Tensor {
    return F.avgPool1d(x, this.kernelSize, this.options, layerName(this));
  }
  override extraRepr(): string {
    const { stride = this.kernelSize, padding = 0 } = this.options;
    const tuple = (value: Size1): string => pythonText([typeof value === "number" ? value : value[0]]);
    return `kernel_size=${tuple(this.kernelSize)}, stride=${tuple(stride)}, padding=${tuple(padding)}`;
  }
}

/** Pooling to a fixed number of positions. */
abstract class AdaptivePool<Size> extends Module {
  readonly outputSize: Size;
  constructor(outputSize: Size) {
    super();
    this.outputSize = outputSize;
  }
  override extraRepr(): string {
    return `output_size=${pythonText(this.outputSize)}`;
  }
}

/** Means of images over as many pieces as are asked for; null keeps an axis. After torch.nn.AdaptiveAvgPool2d. */
export class AdaptiveAvgPool2d extends AdaptivePool<F.AdaptiveSize2> {
  override forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(x, this.outputSize, layerName(this));
  }
}
/** Maxima of images over as many pieces as are asked for; null keeps an axis. After torch.nn.AdaptiveMaxPool2d. */
export class AdaptiveMaxPool2d extends AdaptivePool<F.AdaptiveSize2> {
  override forward(x: Tensor): Tensor {
    return F.adaptiveMaxPool2d(x, this.outputSize, layerName(this));
  }
}
/** Means of sequences over as many pieces as are asked for. After torch.nn.AdaptiveAvgPool1d. */
export class AdaptiveAvgPool1d extends AdaptivePool<Size1> {
  override forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool1d(x, this.outputSize, layerName(this));
  }
}
/** Maxima of sequences over as many pieces as are asked for. After torch.nn.AdaptiveMaxPool1d. */
export class AdaptiveMaxPool1d extends AdaptivePool<Size1> {
  override forward(x: Tensor): Tensor {
    return F.adaptiveMaxPool1d(x, this.outputSize, layerName(this));
  }
}
