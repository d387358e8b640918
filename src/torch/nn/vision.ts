/** Resizing, pixel shuffles and padding. */
import { ArgumentError } from "../../errors.ts";
import type { Tensor } from "../../tensor/index.ts";
import * as F from "./functional/index.ts";
import { layerName, Module } from "./module.ts";
import { floatText, pythonText } from "./module-text.ts";

/** Resizes (N, C, L) or (N, C, H, W) to sizes or by factors; 'nearest' unless told otherwise. After torch.nn.Upsample. */
export class Upsample extends Module {
  readonly options: F.InterpolateOptions;
  constructor(options: F.InterpolateOptions) {
    super();
    this.options = options;
  }
  override forward(x: Tensor): Tensor {
    return F.interpolate(x, this.options, layerName(this));
  }
  override extraRepr(): string {
    const { size, scaleFactor, mode = "nearest" } = this.options;
    const factor = Array.isArray(scaleFactor)
      ? `(${scaleFactor.map((value: number) => floatText(value)).join(", ")})`
      : floatText(scaleFactor as number);
    const extent = size !== null && size !== undefined ? `size=${pythonText(size)}` : `scale_factor=${factor}`;
    return `${extent}, mode='${mode}'`;
  }
}

/** (N, C·r², H, W) to (N, C, H·r, W·r). After torch.nn.PixelShuffle. */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;
  constructor(upscaleFactor: number) {
    super();
    this.upscaleFactor = upscaleFactor;
  }
  override forward(x: Tensor): Tensor {
    return F.pixelShuffle(x, this.upscaleFactor, layerName(this));
  }
  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`;
  }
}
/** (N, C, H·r, W·r) to (N, C·r², H, W). After torch.nn.PixelUnshuffle. */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;
  constructor(downscaleFactor: number) {
    super();
    this.downscaleFactor = downscaleFactor;
  }
  override forward(x: Tensor): Tensor {
    return F.pixelUnshuffle(x, this.downscaleFactor, layerName(this));
  }
  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`;
  }
}

/** One number for all sides, or [left, right, top, bottom]. */
export type PaddingSides = number | readonly [left: number, right: number, top: number, bottom: number];

abstract class Pad2d extends Module {
  readonly padding: readonly number[];
  constructor(padding: PaddingSides) {
    super();
    this.padding = typeof padding === "number" ? [padding, padding, padding, padding] : [...padding];
    if (this.padding.length !== 4 || !this.padding.every(Number.isInteger)) {
      throw new ArgumentError(
        `${this.constructor.name}: padding must be an integer or [left, right, top, bottom], received ${JSON.stringify(padding)}.`,
      );
    }
  }
  protected padded(x: Tensor, mode: F.PaddingName, value = 0): Tensor {
    return F.pad(x, this.padding, { mode, value }, undefined, layerName(this));
  }
  override extraRepr(): string {
    return pythonText(this.padding);
  }
}
/** Zeros around images. After torch.nn.ZeroPad2d. */
export class ZeroPad2d extends Pad2d {
  override forward(x: Tensor): Tensor {
    return this.padded(x, "constant");
  }
}
/** A value around images. After torch.nn.ConstantPad2d. */
export class ConstantPad2d extends Pad2d {
  readonly value: number;
  constructor(padding: PaddingSides, value: number) {
    super(padding);
    this.value = value;
  }
  override forward(x: Tensor): Tensor {
    return this.padded(x, "constant", this.value);
  }
  override extraRepr(): string {
    return `padding=${pythonText(this.padding)}, value=${pythonText(this.value)}`;
  }
}
/** Images mirrored at their edges, which are not repeated. After torch.nn.ReflectionPad2d. */
export class ReflectionPad2d extends Pad2d {
  override forward(x: Tensor): Tensor {
    return this.padded(x, "reflect");
  }
}
/** Edges of images repeated. After torch.nn.ReplicationPad2d. */
export class ReplicationPad2d extends Pad2d {
  override forward(x: Tensor): Tensor {
    return this.padded(x, "replicate");
  }
}
/** Images continued by their other side. After torch.nn.CircularPad2d. */
export class CircularPad2d extends Pad2d {
  override forward(x: Tensor): Tensor {
    return this.padded(x, "circular");
  }
}
