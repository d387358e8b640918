/** Colours with PIL's arithmetic, to the bit: grey, brightness, contrast, saturation, hue. */
import { ArgumentError } from "../errors.ts";
import { Image } from "./image.ts";

function colourChannels(operation: string, image: Image): number {
  if (image.channels === 1 || image.channels === 3) return image.channels;
  throw new ArgumentError(`${operation}: expected an image of mode L or RGB, received ${image.mode}.`);
}

/** Luma of ITU-R 601-2 in 16-bit fixed point, as PIL's `convert("L")`. */
export const luma = (red: number, green: number, blue: number): number =>
  (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;

/** The grey image, in 1 channel or repeated in 3. */
export function grayscaleImage(image: Image, outputChannels: 1 | 3 = 1): Image {
  const channels = colourChannels("Grayscale", image);
  if (channels === 1 && outputChannels === 1) return image;
  const { width, height, data } = image;
  const target = new Uint8Array(width * height * outputChannels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const from = pixel * channels;
    const grey = channels === 1 ? data[from]! : luma(data[from]!, data[from + 1]!, data[from + 2]!);
    for (let channel = 0; channel < outputChannels; channel++) target[pixel * outputChannels + channel] = grey;
  }
  return new Image(width, height, outputChannels, target);
}

/** `from` + factor · (to − from) in f32, cut to bytes: PIL's blend. A factor above 1 goes beyond `to`. */
function blend(image: Image, from: (at: number) => number, factor: number): Image {
  const { width, height, channels, data } = image;
  const alpha = Math.fround(factor);
  const target = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at++) {
    const base = from(at);
    const value = Math.fround(base + Math.fround(alpha * (data[at]! - base)));
    target[at] = value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
  }
  return new Image(width, height, channels, target);
}

/** Factor 0 gives black, 1 the image, 2 twice its brightness. */
export function adjustBrightness(image: Image, factor: number): Image {
  colourChannels("brightness", image);
  return factor === 1 ? image : blend(image, () => 0, factor);
}

/** Factor 0 gives the mean grey, 1 the image. */
export function adjustContrast(image: Image, factor: number): Image {
  const grey = grayscaleImage(image);
  if (factor === 1) return image;
  let sum = 0;
  for (const value of grey.data) sum += value;
  const mean = Math.trunc(sum / grey.data.length + 0.5);
  return blend(image, () => mean, factor);
}

/** Factor 0 gives the grey image, 1 the image. */
export function adjustSaturation(image: Image, factor: number): Image {
  if (colourChannels("saturation", image) === 1 || factor === 1) return image;
  const grey = grayscaleImage(image).data;
  return blend(image, (at) => grey[Math.trunc(at / 3)]!, factor);
}

/** Hue, saturation and value of a pixel as PIL's bytes. */
function toHsv(red: number, green: number, blue: number): [number, number, number] {
  const largest = Math.max(red, green, blue);
  const smallest = Math.min(red, green, blue);
  if (largest === smallest) return [0, 0, largest];
  const range = largest - smallest;
  const saturation = Math.fround(range / largest);
  const [r, g, b] = [red, green, blue].map((value) => Math.fround((largest - value) / range)) as [
    number,
    number,
    number,
  ];
  let hue: number;
  if (red === largest) hue = Math.fround(b - g);
  else if (green === largest) hue = Math.fround(2 + r - b);
  else hue = Math.fround(4 + g - r);
  hue = Math.fround((hue / 6 + 1) % 1);
  const byte = (value: number) => Math.min(255, Math.max(0, Math.trunc(value * 255)));
  return [byte(hue), byte(saturation), largest];
}

function fromHsv(hue: number, saturation: number, value: number): readonly [number, number, number] {
  if (saturation === 0) return [value, value, value];
  const sector = Math.fround((hue * 6) / 255);
  const index = Math.floor(sector);
  const fraction = Math.fround(sector - index);
  const share = Math.fround(saturation / 255);
  // halves go away from zero, as C's round does; all of these are positive
  const byte = (part: number) => Math.min(255, Math.max(0, Math.floor(value * (1 - part) + 0.5)));
  const p = byte(share);
  const q = byte(Math.fround(share * fraction));
  const t = byte(Math.fround(share * (1 - fraction)));
  const table = [
    [value, t, p],
    [q, value, p],
    [p, value, t],
    [p, q, value],
    [t, p, value],
    [value, p, q],
  ] as const;
  return table[index % 6]!;
}

/** Turns the colour wheel by `factor` of a full turn, from -0.5 to 0.5; grey images stay. */
export function adjustHue(image: Image, factor: number): Image {
  if (!(factor >= -0.5 && factor <= 0.5)) {
    throw new ArgumentError(`hue: the factor must lie in [-0.5, 0.5], received ${factor}.`);
  }
  if (colourChannels("hue", image) === 1) return image;
  const { width, height, data } = image;
  const shift = Math.trunc(factor * 255);
  const target = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += 3) {
    const [hue, saturation, value] = toHsv(data[at]!, data[at + 1]!, data[at + 2]!);
    target.set(fromHsv((hue + shift) & 255, saturation, value), at);
  }
  return new Image(width, height, 3, target);
}
