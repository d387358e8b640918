/** Sizes, crops, flips and turns. */
import {
  checkProbability,
  checkRange,
  checkSize,
  padToSize,
  type Range,
  randomCropBox,
  randomResizedCropBox,
  resizedCrop,
  resizedSize,
} from "../../data/augmentation.ts";
import {
  centerCropRaster,
  cropRaster,
  flipHorizontally,
  flipVertically,
  fourSides,
  type Padding,
  type PaddingMode,
  padRaster,
  type Raster,
  rasterSize,
} from "../../data/image-geometry.ts";
import { type RotationOptions, rotateImage } from "../../data/image-rotation.ts";
import { Image, sampleRandom } from "../../data/index.ts";
import { type Interpolation, interpolations, resizeImage } from "../../data/resample.ts";
import { ArgumentError, UnsupportedError } from "../../errors.ts";
import { GeometricTransform } from "./transform.ts";

/** PIL's filters by torchvision's names. */
export const InterpolationMode = {
  NEAREST: "nearest",
  BOX: "box",
  BILINEAR: "bilinear",
  HAMMING: "hamming",
  BICUBIC: "bicubic",
  LANCZOS: "lanczos",
} as const satisfies Record<string, Interpolation>;

/** One number for a square (or the shorter edge), or [height, width]. */
export type Size = number | readonly [number] | readonly [height: number, width: number];

function onlyImage(name: string, raster: Raster): Image {
  if (raster instanceof Image) return raster;
  rasterSize(name, raster);
  throw new UnsupportedError(
    `${name}: tensors cannot be resampled here; put it before ToTensor, or use nn.functional.interpolate.`,
  );
}

function checkInterpolation(name: string, interpolation: Interpolation): Interpolation {
  if (interpolations.includes(interpolation)) return interpolation;
  throw new ArgumentError(
    `${name}: unknown interpolation "${interpolation}"; expected one of ${interpolations.join(", ")}.`,
  );
}

/** Resizes an image, bit for bit as PIL does. A single number is the length of the shorter edge. After torchvision.transforms.Resize. */
export class Resize extends GeometricTransform {
  readonly size: Size;
  readonly interpolation: Interpolation;
  readonly maxSize: number | undefined;

  constructor(size: Size, options: { readonly interpolation?: Interpolation; readonly maxSize?: number } = {}) {
    super();
    checkSize("Resize", size);
    this.size = size;
    this.interpolation = checkInterpolation("Resize", options.interpolation ?? "bilinear");
    this.maxSize = options.maxSize;
  }
  override invoke<R extends Raster>(input: R): R {
    const image = onlyImage("Resize", input);
    const [height, width] = resizedSize([image.height, image.width], this.size, this.maxSize);
    return resizeImage(image, height, width, this.interpolation) as R;
  }
}

/** The middle of an image or tensor, padded with 0 where it is smaller. */
export class CenterCrop extends GeometricTransform {
  readonly size: readonly [height: number, width: number];
  constructor(size: Size) {
    super();
    this.size = checkSize("CenterCrop", size);
  }
  override invoke<R extends Raster>(input: R): R {
    return centerCropRaster(input, ...this.size);
  }
}

/** How padding is filled. */
export interface PadOptions {
  /** For "constant": one number, or one for each channel of an image. Default 0. */
  readonly fill?: number | readonly number[];
  /** Default "constant". */
  readonly paddingMode?: PaddingMode;
}

/** Adds a border: one width, [left and right, top and bottom], or [left, top, right, bottom]. */
export class Pad extends GeometricTransform {
  readonly padding: readonly [left: number, top: number, right: number, bottom: number];
  readonly options: PadOptions;
  constructor(padding: Padding, options: PadOptions = {}) {
    super();
    this.padding = fourSides("Pad", padding);
    this.options = options;
  }
  override invoke<R extends Raster>(input: R): R {
    return padRaster(input, this.padding, { fill: this.options.fill, mode: this.options.paddingMode });
  }
}

/** A box of `size` at a random place, after padding. */
export class RandomCrop extends GeometricTransform {
  readonly size: readonly [height: number, width: number];
  readonly padding: readonly [left: number, top: number, right: number, bottom: number] | undefined;
  readonly options: PadOptions & { readonly padIfNeeded?: boolean };
  constructor(size: Size, options: PadOptions & { readonly padding?: Padding; readonly padIfNeeded?: boolean } = {}) {
    super();
    this.size = checkSize("RandomCrop", size);
    this.padding = options.padding === undefined ? undefined : fourSides("RandomCrop", options.padding);
    this.options = options;
  }
  override invoke<R extends Raster>(input: R): R {
    const how = { fill: this.options.fill, mode: this.options.paddingMode };
    let raster = this.padding ? padRaster(input, this.padding, how) : input;
    if (this.options.padIfNeeded) raster = padToSize(raster, this.size, how);
    const { top, left, height, width } = randomCropBox(sampleRandom(), rasterSize("RandomCrop", raster), this.size);
    return cropRaster(raster, top, left, height, width);
  }
}

/** A box of random size and shape, resized. The augmentation of Inception networks. */
export class RandomResizedCrop extends GeometricTransform {
  readonly size: readonly [height: number, width: number];
  readonly scale: Range;
  readonly ratio: Range;
  readonly interpolation: Interpolation;
  constructor(
    size: Size,
    options: { readonly scale?: Range; readonly ratio?: Range; readonly interpolation?: Interpolation } = {},
  ) {
    super();
    this.size = checkSize("RandomResizedCrop", size);
    this.scale = checkRange("RandomResizedCrop", "scale", options.scale ?? [0.08, 1], 0);
    this.ratio = checkRange("RandomResizedCrop", "ratio", options.ratio ?? [3 / 4, 4 / 3], Number.MIN_VALUE);
    this.interpolation = checkInterpolation("RandomResizedCrop", options.interpolation ?? "bilinear");
  }
  override invoke<R extends Raster>(input: R): R {
    const image = onlyImage("RandomResizedCrop", input);
    const box = randomResizedCropBox(sampleRandom(), [image.height, image.width], this.scale, this.ratio);
    return resizedCrop(image, box, this.size, this.interpolation) as R;
  }
}

/** Left and right exchanged with probability `p`. */
export class RandomHorizontalFlip extends GeometricTransform {
  readonly p: number;
  constructor(p = 0.5) {
    super();
    this.p = checkProbability("RandomHorizontalFlip", p);
  }
  override invoke<R extends Raster>(input: R): R {
    return sampleRandom().chance(this.p) ? flipHorizontally(input) : input;
  }
}

/** Top and bottom exchanged with probability `p`. */
export class RandomVerticalFlip extends GeometricTransform {
  readonly p: number;
  constructor(p = 0.5) {
    super();
    this.p = checkProbability("RandomVerticalFlip", p);
  }
  override invoke<R extends Raster>(input: R): R {
    return sampleRandom().chance(this.p) ? flipVertically(input) : input;
  }
}

/** Turns an image by a random angle: up to `degrees` either way, or from [low, high]. Bit for bit as PIL does for the angle. */
export class RandomRotation extends GeometricTransform {
  readonly degrees: Range;
  readonly options: RotationOptions;
  constructor(degrees: number | Range, options: RotationOptions = {}) {
    super();
    const range = typeof degrees === "number" ? ([-degrees, degrees] as const) : degrees;
    this.degrees = checkRange("RandomRotation", "degrees", range, Number.NEGATIVE_INFINITY);
    this.options = options;
  }
  override invoke<R extends Raster>(input: R): R {
    const image = onlyImage("RandomRotation", input);
    return rotateImage(image, sampleRandom().uniform(...this.degrees), this.options) as R;
  }
}
