/** What random transforms draw, and what they do with it. Rules are torchvision's; the numbers come from `sampleRandom`. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { hostView, type Tensor, tensorView } from "../tensor/index.ts";
import type { HostRandom } from "./host-random.ts";
import type { Image } from "./image.ts";
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from "./image-color.ts";
import { cropRaster, padRaster, type Raster, rasterSize, roundHalfEven } from "./image-geometry.ts";
import { type Interpolation, resizeImage } from "./resample.ts";

/** A box of an image: its corner and its size. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Lower and upper end. */
export type Range = readonly [low: number, high: number];

/** @throws ArgumentError unless `low <= high` and both lie in [`least`, ∞). */
export function checkRange(operation: string, name: string, range: Range, least: number): Range {
  const [low, high] = range;
  if (range.length !== 2 || !(low >= least) || !(high >= low) || !Number.isFinite(high)) {
    throw new ArgumentError(
      `${operation}: ${name} must be [low, high] with ${least} <= low <= high, received [${range.join(", ")}].`,
    );
  }
  return range;
}

/** @throws ArgumentError unless it lies in [0, 1]. */
export function checkProbability(operation: string, probability: number): number {
  if (!(probability >= 0 && probability <= 1)) {
    throw new ArgumentError(`${operation}: p must be a probability from 0 to 1, received ${probability}.`);
  }
  return probability;
}

/** Height and width that the user asked for: one number is a square. */
export function checkSize(
  operation: string,
  size: number | readonly number[],
): readonly [height: number, width: number] {
  const [height, width = height] = typeof size === "number" ? [size] : size;
  const valid = (value: number | undefined) => Number.isInteger(value) && value! > 0;
  if (!valid(height) || !valid(width) || (typeof size !== "number" && size.length > 2)) {
    throw new ArgumentError(
      `${operation}: size must be a positive integer or [height, width], received ${JSON.stringify(size)}.`,
    );
  }
  return [height!, width!];
}

/** Where `size` leads from an image's size: a single number is the shorter edge, and the longer one keeps the shape. */
export function resizedSize(
  [height, width]: readonly [number, number],
  size: number | readonly number[],
  maxSize?: number,
): readonly [height: number, width: number] {
  const single = typeof size === "number" ? size : size.length === 1 ? size[0]! : undefined;
  if (single === undefined) return checkSize("Resize", size);
  checkSize("Resize", single);
  if (maxSize !== undefined && maxSize <= single) {
    throw new ArgumentError(`Resize: maxSize ${maxSize} must be greater than the size of the shorter edge, ${single}.`);
  }
  const [short, long] = width <= height ? [width, height] : [height, width];
  let newShort = single;
  let newLong = Math.trunc((single * long) / short);
  if (maxSize !== undefined && newLong > maxSize) {
    newShort = Math.trunc((maxSize * newShort) / newLong);
    newLong = maxSize;
  }
  return width <= height ? [newLong, newShort] : [newShort, newLong];
}

/** The corner of a random box of `size`. */
export function randomCropBox(
  random: HostRandom,
  [height, width]: readonly [number, number],
  size: readonly [number, number],
): Box {
  const [boxHeight, boxWidth] = size;
  if (height < boxHeight || width < boxWidth) {
    throw new ShapeError(
      `RandomCrop: a crop of ${boxHeight} x ${boxWidth} does not fit an image of ${height} x ${width}; give padding, or padIfNeeded.`,
    );
  }
  const whole = height === boxHeight && width === boxWidth;
  const top = whole ? 0 : random.integer(height - boxHeight + 1);
  const left = whole ? 0 : random.integer(width - boxWidth + 1);
  return { top, left, height: boxHeight, width: boxWidth };
}

/** Pads on both sides, evenly, what is smaller than `size`. */
export function padToSize<R extends Raster>(
  raster: R,
  size: readonly [number, number],
  options: Parameters<typeof padRaster>[2],
): R {
  const [height, width] = rasterSize("RandomCrop", raster);
  const rows = Math.max(0, size[0] - height);
  const columns = Math.max(0, size[1] - width);
  return padRaster(raster, [columns, rows, columns, rows], options);
}

/** A box with a share of the image's area and an aspect ratio, both random; the middle one where ten draws do not fit. */
export function randomResizedCropBox(
  random: HostRandom,
  [height, width]: readonly [number, number],
  scale: Range,
  ratio: Range,
): Box {
  const [low, high] = [Math.log(ratio[0]), Math.log(ratio[1])];
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = height * width * random.uniform(scale[0], scale[1]);
    const aspect = Math.exp(random.uniform(low, high));
    const boxWidth = roundHalfEven(Math.sqrt(area * aspect));
    const boxHeight = roundHalfEven(Math.sqrt(area / aspect));
    if (boxWidth > 0 && boxWidth <= width && boxHeight > 0 && boxHeight <= height) {
      const top = random.integer(height - boxHeight + 1);
      return { top, left: random.integer(width - boxWidth + 1), height: boxHeight, width: boxWidth };
    }
  }
  const shape = width / height;
  let [boxHeight, boxWidth] = [height, width];
  if (shape < ratio[0]) boxHeight = roundHalfEven(width / ratio[0]);
  else if (shape > ratio[1]) boxWidth = roundHalfEven(height * ratio[1]);
  return { top: (height - boxHeight) >> 1, left: (width - boxWidth) >> 1, height: boxHeight, width: boxWidth };
}

/** A box of an image, resized. */
export function resizedCrop(
  image: Image,
  { top, left, height, width }: Box,
  size: readonly [number, number],
  interpolation: Interpolation,
): Image {
  return resizeImage(cropRaster(image, top, left, height, width), size[0], size[1], interpolation);
}

/** Ranges of the factors of a colour jitter; undefined leaves a property alone. */
export interface JitterRanges {
  readonly brightness?: Range;
  readonly contrast?: Range;
  readonly saturation?: Range;
  readonly hue?: Range;
}

/** The range of a factor: a number is the distance from `center`, cut at 0 where `center` is 1. */
export function jitterRange(name: keyof JitterRanges, value: number | Range): Range | undefined {
  const center = name === "hue" ? 0 : 1;
  let range = typeof value === "number" ? ([center - value, center + value] as const) : value;
  if (typeof value === "number") {
    if (!(value >= 0)) throw new ArgumentError(`ColorJitter: ${name} must not be negative, received ${value}.`);
    if (name !== "hue") range = [Math.max(0, range[0]), range[1]];
  }
  checkRange("ColorJitter", name, range, name === "hue" ? -0.5 : 0);
  if (name === "hue" && range[1] > 0.5)
    throw new ArgumentError(`ColorJitter: hue must lie in [-0.5, 0.5], received [${range.join(", ")}].`);
  return range[0] === center && range[1] === center ? undefined : range;
}

const adjustments = {
  brightness: adjustBrightness,
  contrast: adjustContrast,
  saturation: adjustSaturation,
  hue: adjustHue,
} as const;
const properties = ["brightness", "contrast", "saturation", "hue"] as const;

/** Changes colours by random factors, in random order. */
export function jitterColors(image: Image, random: HostRandom, ranges: JitterRanges): Image {
  let result = image;
  for (const which of random.permutation(properties.length)) {
    const range = ranges[properties[which]!];
    if (range) result = adjustments[properties[which]!](result, random.uniform(range[0], range[1]));
  }
  return result;
}

/** Overwrites a random box of a tensor [..., channels, height, width] with a value, values by channel, or (`undefined`) normal noise. */
export function eraseRandomBox(
  tensor: Tensor,
  random: HostRandom,
  scale: Range,
  ratio: Range,
  value: number | readonly number[] | undefined,
): Tensor {
  const { shape } = tensor;
  if (shape.length < 3 || tensor.dtype !== "f32") {
    throw new ShapeError(
      `RandomErasing: expected f32 [..., channels, height, width], received ${tensor.dtype} [${shape.join(", ")}].`,
    );
  }
  const [channels, height, width] = shape.slice(-3) as [number, number, number];
  if (typeof value === "object" && value.length !== 1 && value.length !== channels) {
    throw new ShapeError(`RandomErasing: ${value.length} values for ${channels} channels.`);
  }
  const [low, high] = [Math.log(ratio[0]), Math.log(ratio[1])];
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = height * width * random.uniform(scale[0], scale[1]);
    const aspect = Math.exp(random.uniform(low, high));
    const boxHeight = roundHalfEven(Math.sqrt(area * aspect));
    const boxWidth = roundHalfEven(Math.sqrt(area / aspect));
    if (boxHeight >= height || boxWidth >= width) continue;
    const top = random.integer(height - boxHeight + 1);
    const left = random.integer(width - boxWidth + 1);
    const values = Float32Array.from(hostView(tensor));
    for (let plane = 0; plane < values.length / (height * width); plane++) {
      const fill = typeof value === "object" ? value[value.length === 1 ? 0 : plane % channels]! : value;
      for (let y = top; y < top + boxHeight; y++) {
        const row = (plane * height + y) * width;
        for (let x = left; x < left + boxWidth; x++) values[row + x] = fill ?? random.normal();
      }
    }
    return tensorView(values, shape, "f32");
  }
  return tensor;
}
