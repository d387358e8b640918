/**
 * Resizing with PIL's arithmetic, to the bit.
 *
 * The convolution filters work as Pillow's documentation describes its resampling: an output pixel is a weighted mean of the input pixels within the filter's
 * support, which grows with the factor of reduction; columns first, then rows, each pass rounded to bytes. Weights are fixed-point numbers of 22 bits.
 * "nearest" takes the pixel under the centre of each output pixel.
 */
import { ArgumentError } from "../errors.ts";
import { Image } from "./image.ts";
import { remapImage } from "./remap.ts";

/** How pixels between pixels are made (PIL's filters). */
export type Interpolation = "nearest" | "box" | "bilinear" | "hamming" | "bicubic" | "lanczos";

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

interface Filter {
  /** Half the width of the filter, in input pixels where the image is not reduced. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const filters: Readonly<Record<Exclude<Interpolation, "nearest">, Filter>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight(x) {
      const distance = Math.abs(x);
      if (distance === 0) return 1;
      if (distance >= 1) return 0;
      const angle = distance * Math.PI;
      return (Math.sin(angle) / angle) * (0.54 + 0.46 * Math.cos(angle));
    },
  },
  bicubic: {
    support: 2,
    // Keys' cubic convolution with a = -1/2
    weight(x) {
      const d = Math.abs(x);
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * -0.5 : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

export const interpolations: readonly Interpolation[] = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"];

/** Bits after the point in a weight: 32, less 8 for a byte, less 2 for sums that leave the range of bytes. */
const precisionBits = 22;
const half = 1 << (precisionBits - 1);

/** Which input pixels make each output pixel along one axis: `counts[i]` pixels from `starts[i]` on, weights at `i * width`. */
interface Weights {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  readonly width: number;
  readonly values: Int32Array;
}

function makeWeights(input: number, output: number, { support: unscaled, weight }: Filter): Weights {
  const scale = input / output;
  const stretch = Math.max(1, scale);
  const support = unscaled * stretch;
  const width = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(output);
  const counts = new Int32Array(output);
  const values = new Int32Array(output * width);
  const row = new Float64Array(width);
  for (let at = 0; at < output; at++) {
    const center = (at + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(input, Math.trunc(center + support + 0.5)) - start;
    let total = 0;
    for (let x = 0; x < count; x++) {
      const value = weight((x + start - center + 0.5) * (1 / stretch));
      row[x] = value;
      total += value;
    }
    for (let x = 0; x < count; x++) {
      const share = (total !== 0 ? row[x]! / total : row[x]!) * (1 << precisionBits);
      values[at * width + x] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    }
    starts[at] = start;
    counts[at] = count;
  }
  return { starts, counts, width, values };
}

const keptWeights = 64;
const weightsCache = new Map<string, Weights>();

/** Weights are the same for every image of a size, so the last few are kept. */
function weightsFor(input: number, output: number, interpolation: Exclude<Interpolation, "nearest">): Weights {
  const key = `${interpolation} ${input} ${output}`;
  let weights = weightsCache.get(key);
  if (!weights) {
    weights = makeWeights(input, output, filters[interpolation]);
    if (weightsCache.size >= keptWeights) weightsCache.delete(weightsCache.keys().next().value as string);
    weightsCache.set(key, weights);
  }
  return weights;
}

const toByte = (sum: number): number => {
  const value = sum >> precisionBits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
};

/** One pass along the rows: [rows, input, channels] becomes [rows, output, channels]. */
function resampleColumns(
  source: Uint8Array,
  target: Uint8Array,
  rows: number,
  input: number,
  output: number,
  channels: number,
  { starts, counts, width, values }: Weights,
): void {
  for (let column = 0; column < output; column++) {
    const first = column * width;
    const last = first + counts[column]!;
    const offset = starts[column]! * channels;
    for (let channel = 0; channel < channels; channel++) {
      let to = column * channels + channel;
      let row = offset + channel;
      for (let y = 0; y < rows; y++) {
        let sum = half;
        let from = row;
        for (let at = first; at < last; at++) {
          // products stay below 2³¹, so plain multiplication is exact and sums fit an integer
          sum = (sum + source[from]! * values[at]!) | 0;
          from += channels;
        }
        target[to] = toByte(sum);
        row += input * channels;
        to += output * channels;
      }
    }
  }
}

/** One pass down the columns: [input, stride] becomes [output, stride], where `stride` is the bytes of a row. */
function resampleRows(source: Uint8Array, target: Uint8Array, output: number, stride: number, weights: Weights): void {
  const { starts, counts, width, values } = weights;
  for (let row = 0; row < output; row++) {
    const first = row * width;
    const last = first + counts[row]!;
    const offset = starts[row]! * stride;
    for (let x = 0; x < stride; x++) {
      let sum = half;
      let from = offset + x;
      for (let at = first; at < last; at++) {
        sum = (sum + source[from]! * values[at]!) | 0;
        from += stride;
      }
      target[row * stride + x] = toByte(sum);
    }
  }
}

/** Bytes of the pass along the rows, kept between images: a data set resizes many of one size. */
let scratch = new Uint8Array(0);
const keptScratch = 1 << 22;

/** Resizes `source` (height x width x channels) into `target`; sizes that stay take no pass. */
function convolve(
  source: Uint8Array,
  [height, width, channels]: readonly [number, number, number],
  target: Uint8Array,
  [newHeight, newWidth]: readonly [number, number],
  interpolation: Exclude<Interpolation, "nearest">,
): void {
  const vertical = newHeight === height ? undefined : weightsFor(height, newHeight, interpolation);
  const horizontal = newWidth === width ? undefined : weightsFor(width, newWidth, interpolation);
  if (!horizontal && !vertical) target.set(source);
  else if (!vertical) resampleColumns(source, target, height, width, newWidth, channels, horizontal!);
  else if (!horizontal) resampleRows(source, target, newHeight, width * channels, vertical);
  else {
    // Pillow's order since version 13: rows come first where the height shrinks by more than twice what the width does
    const rowsFirst = newHeight < height && height - newHeight > 2 * (width - newWidth);
    const bytes = (rowsFirst ? newHeight * width : height * newWidth) * channels;
    let between = scratch;
    if (between.length < bytes) between = new Uint8Array(bytes);
    if (bytes <= keptScratch) scratch = between;
    if (rowsFirst) {
      resampleRows(source, between, newHeight, width * channels, vertical);
      resampleColumns(between, target, newHeight, width, newWidth, channels, horizontal);
    } else {
      resampleColumns(source, between, height, width, newWidth, channels, horizontal);
      resampleRows(between, target, newHeight, newWidth * channels, vertical);
    }
  }
}

/** Input position of each output position: PIL adds the step again and again, and so its rounding errors. */
export function nearestPositions(input: number, output: number): Int32Array {
  const positions = new Int32Array(output);
  const scale = input / output;
  let at = scale * 0.5;
  for (let position = 0; position < output; position++) {
    const index = Math.trunc(at);
    positions[position] = index < input ? index : -1;
    at += scale;
  }
  return positions;
}

/** a · b / 255, rounded. */
const scaleByte = (value: number, by: number): number => {
  const product = value * by + 128;
  return ((product >> 8) + product) >> 8;
};

/** Colours times opacity, so that transparent pixels do not colour their neighbours. */
function premultiply({ data, width, height, channels }: Image): Image {
  const result = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += channels) {
    const opacity = data[at + channels - 1]!;
    for (let channel = 0; channel < channels - 1; channel++)
      result[at + channel] = scaleByte(data[at + channel]!, opacity);
    result[at + channels - 1] = opacity;
  }
  return new Image(width, height, channels, result);
}

/** The inverse of `premultiply`, rounded down. */
function unpremultiply(data: Uint8Array, channels: number): void {
  for (let at = 0; at < data.length; at += channels) {
    const opacity = data[at + channels - 1]!;
    if (opacity === 0 || opacity === 255) continue;
    for (let channel = 0; channel < channels - 1; channel++) {
      data[at + channel] = Math.min(255, Math.trunc((255 * data[at + channel]!) / opacity));
    }
  }
}

/**
 * `image` in another size, bit for bit as `PIL.Image.resize((width, height), filter)` gives it.
 * @throws ArgumentError for a size that is not positive, or an unknown interpolation.
 */
export function resizeImage(
  image: Image,
  height: number,
  width: number,
  interpolation: Interpolation = "bilinear",
): Image {
  if (!Number.isInteger(height) || !Number.isInteger(width) || height < 1 || width < 1) {
    throw new ArgumentError(`resize: height and width must be positive integers, received ${height} x ${width}.`);
  }
  if (!interpolations.includes(interpolation)) {
    throw new ArgumentError(
      `resize: unknown interpolation "${interpolation}"; expected one of ${interpolations.join(", ")}.`,
    );
  }
  if (height === image.height && width === image.width) return image;
  if (interpolation === "nearest") {
    return remapImage(image, nearestPositions(image.height, height), nearestPositions(image.width, width));
  }
  const { channels } = image;
  const opacity = channels === 2 || channels === 4;
  const source = opacity ? premultiply(image) : image;
  const target = new Uint8Array(height * width * channels);
  convolve(source.data, [image.height, image.width, channels], target, [height, width], interpolation);
  if (opacity) unpremultiply(target, channels);
  return new Image(width, height, channels, target);
}
