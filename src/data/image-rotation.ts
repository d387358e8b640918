/** Rotation with PIL's arithmetic, to the bit: nearest by fixed-point steps, bilinear in doubles. */
import { ArgumentError } from "../errors.ts";
import { Image } from "./image.ts";
import { flipHorizontally, flipVertically } from "./image-geometry.ts";
import { fillPixels } from "./remap.ts";

export interface RotationOptions {
  /** Default "nearest". */
  readonly interpolation?: "nearest" | "bilinear";
  /** Makes the result large enough for the whole rotated image. Default: the size stays. */
  readonly expand?: boolean;
  /** [x, y] of the centre of rotation, from the upper left corner. Default: the middle. */
  readonly center?: readonly [x: number, y: number];
  /** What lies outside the image. Default 0. */
  readonly fill?: number | readonly number[];
}

/** [a, b, c, d, e, f]: the result's (x, y) comes from the input's (ax + by + c, dx + ey + f). */
type Affine = [number, number, number, number, number, number];

const apply = ([a, b, c, d, e, f]: Affine, x: number, y: number): [number, number] => [
  a * x + b * y + c,
  d * x + e * y + f,
];

/** Fifteen decimals, as Pillow rounds sines and cosines, so that 1 and 0 are exact. */
const round15 = (value: number): number => Number(value.toFixed(15)) + 0;

/** Rows of the transposed image: a quarter turn with a flip. */
function transpose({ width, height, channels, data }: Image): Image {
  const target = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        target[(x * height + y) * channels + channel] = data[(y * width + x) * channels + channel]!;
      }
    }
  }
  return new Image(height, width, channels, target);
}

const fixed = (value: number): number => Math.floor(value * 65536 + 0.5);

function sampleNearest(
  image: Image,
  target: Uint8Array,
  width: number,
  height: number,
  [a, b, c, d, e, f]: Affine,
): void {
  const { channels, data } = image;
  const [stepX, skewX, skewY, stepY] = [fixed(a), fixed(b), fixed(d), fixed(e)];
  let rowX = fixed(c + a * 0.5 + b * 0.5);
  let rowY = fixed(f + d * 0.5 + e * 0.5);
  for (let y = 0; y < height; y++, rowX += skewX, rowY += stepY) {
    let atX = rowX;
    let atY = rowY;
    for (let x = 0; x < width; x++, atX += stepX, atY += skewY) {
      const fromX = atX >> 16;
      const fromY = atY >> 16;
      if (fromX < 0 || fromX >= image.width || fromY < 0 || fromY >= image.height) continue;
      const from = (fromY * image.width + fromX) * channels;
      const to = (y * width + x) * channels;
      for (let channel = 0; channel < channels; channel++) target[to + channel] = data[from + channel]!;
    }
  }
}

const clip = (value: number, extent: number): number => (value < 0 ? 0 : value < extent ? value : extent - 1);

function sampleBilinear(image: Image, target: Uint8Array, width: number, height: number, matrix: Affine): void {
  const { channels, data, width: oldWidth, height: oldHeight } = image;
  const [a, b, c, d, e, f] = matrix;
  const stride = oldWidth * channels;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const atX = a * (x + 0.5) + b * (y + 0.5) + c;
      const atY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (atX < 0 || atX >= oldWidth || atY < 0 || atY >= oldHeight) continue;
      const left = Math.floor(atX - 0.5);
      const top = Math.floor(atY - 0.5);
      const shareX = atX - 0.5 - left;
      const shareY = atY - 0.5 - top;
      const first = clip(left, oldWidth) * channels;
      const second = clip(left + 1, oldWidth) * channels;
      const upper = clip(top, oldHeight) * stride;
      const lower = top + 1 < oldHeight ? (top + 1) * stride : upper;
      const to = (y * width + x) * channels;
      for (let channel = 0; channel < channels; channel++) {
        const from = channel + upper;
        const above = data[from + first]! + (data[from + second]! - data[from + first]!) * shareX;
        const beneath = channel + lower;
        const below = data[beneath + first]! + (data[beneath + second]! - data[beneath + first]!) * shareX;
        target[to + channel] = Math.trunc(above + (below - above) * shareY);
      }
    }
  }
}

/**
 * `image` turned counter-clockwise by `degrees`, bit for bit as `PIL.Image.rotate`.
 * @throws ArgumentError for an angle that is no number or an interpolation other than nearest and bilinear.
 */
export function rotateImage(image: Image, degrees: number, options: RotationOptions = {}): Image {
  const { interpolation = "nearest", expand = false, center, fill = 0 } = options;
  if (!Number.isFinite(degrees)) throw new ArgumentError(`rotate: expected an angle in degrees, received ${degrees}.`);
  if (interpolation !== "nearest" && interpolation !== "bilinear") {
    throw new ArgumentError(`rotate: interpolation must be "nearest" or "bilinear", received "${interpolation}".`);
  }
  const angle = ((degrees % 360) + 360) % 360;
  if (!center) {
    if (angle === 0) return image;
    if (angle === 180) return flipVertically(flipHorizontally(image));
    if (expand || image.width === image.height) {
      if (angle === 90) return flipVertically(transpose(image));
      if (angle === 270) return flipHorizontally(transpose(image));
    }
  }
  const [centerX, centerY] = center ?? [image.width / 2, image.height / 2];
  const radians = -((angle * Math.PI) / 180);
  const [cosine, sine] = [round15(Math.cos(radians)), round15(Math.sin(radians))];
  const matrix: Affine = [cosine, sine, 0, -sine, cosine, 0];
  const [shiftX, shiftY] = apply(matrix, -centerX, -centerY);
  matrix[2] = shiftX + centerX;
  matrix[5] = shiftY + centerY;
  let { width, height } = image;
  if (expand) {
    const corners = [
      apply(matrix, 0, 0),
      apply(matrix, width, 0),
      apply(matrix, width, height),
      apply(matrix, 0, height),
    ];
    const xs = corners.map(([x]) => x);
    const ys = corners.map(([, y]) => y);
    const newWidth = Math.ceil(Math.max(...xs)) - Math.floor(Math.min(...xs));
    const newHeight = Math.ceil(Math.max(...ys)) - Math.floor(Math.min(...ys));
    [matrix[2], matrix[5]] = apply(matrix, -(newWidth - width) / 2, -(newHeight - height) / 2);
    [width, height] = [newWidth, newHeight];
  }
  const target = fillPixels(width * height, image.channels, fill);
  if (interpolation === "nearest") sampleNearest(image, target, width, height, matrix);
  else sampleBilinear(image, target, width, height, matrix);
  return new Image(width, height, image.channels, target);
}
