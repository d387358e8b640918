/** Crops, pads, flips and turns of images (bytes, channels last) and of tensors whose last two axes are height and width. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { type DType, viewOf } from "../graph/dtype.ts";
import { sizeOf } from "../graph/shape.ts";
import { hostView, Tensor, tensorView } from "../tensor/index.ts";
import { Image } from "./image.ts";
import { positionsFrom, positionsReversed, remap, remapImage } from "./remap.ts";

/** What geometric functions take: an image, or a tensor of shape [..., height, width]. */
export type Raster = Image | Tensor;

/** Height and width of an image or of a tensor's last two axes. */
export function rasterSize(operation: string, raster: Raster): readonly [height: number, width: number] {
  if (raster instanceof Image) return [raster.height, raster.width];
  if (raster instanceof Tensor) {
    const { shape } = raster;
    if (shape.length < 2) {
      throw new ShapeError(
        `${operation}: expected a tensor of shape [..., height, width], received [${shape.join(", ")}].`,
      );
    }
    return [shape[shape.length - 2]!, shape[shape.length - 1]!];
  }
  throw new ArgumentError(
    `${operation}: expected an Image or a Tensor, received ${raster === null ? "null" : typeof raster}.`,
  );
}

/** The rows and columns that each cell of the result comes from; outside them is `fill`. */
function remapRaster<R extends Raster>(
  raster: R,
  rows: Int32Array,
  columns: Int32Array,
  fill: number | readonly number[] = 0,
): R {
  if (raster instanceof Image) return remapImage(raster, rows, columns, fill) as R;
  const tensor = raster as Tensor;
  const { shape, dtype } = tensor;
  const outer = shape.slice(0, -2);
  const planes = sizeOf(outer);
  const [height, width] = shape.slice(-2) as [number, number];
  const target = allocate(dtype, planes * rows.length * columns.length);
  if (typeof fill !== "number") {
    throw new ArgumentError("pad: a fill for each channel is for images; tensors take one number.");
  }
  if (fill !== 0) target.fill(fill);
  remap(hostView(tensor), { outer: planes, height, width, inner: 1 }, target, rows, columns);
  return tensorView(target, [...outer, rows.length, columns.length], dtype) as R;
}

function allocate(dtype: DType, length: number) {
  return viewOf(dtype, new ArrayBuffer(length * (dtype === "f32" || dtype === "i32" ? 4 : 1)), 0, length);
}

/** The box of `height` x `width` whose corner is (`top`, `left`); what lies outside the image is 0. */
export function cropRaster<R extends Raster>(raster: R, top: number, left: number, height: number, width: number): R {
  const [oldHeight, oldWidth] = rasterSize("crop", raster);
  if (top === 0 && left === 0 && height === oldHeight && width === oldWidth) return raster;
  return remapRaster(raster, positionsFrom(top, height, oldHeight), positionsFrom(left, width, oldWidth));
}

/** Python's round: halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The middle `height` x `width`; smaller images are padded with 0 first (torchvision's rule). */
export function centerCropRaster<R extends Raster>(raster: R, height: number, width: number): R {
  const [oldHeight, oldWidth] = rasterSize("CenterCrop", raster);
  const addedRows = Math.max(0, height - oldHeight);
  const addedColumns = Math.max(0, width - oldWidth);
  const padded = padRaster(raster, [addedColumns >> 1, addedRows >> 1, (addedColumns + 1) >> 1, (addedRows + 1) >> 1]);
  const top = roundHalfEven((oldHeight + addedRows - height) / 2);
  const left = roundHalfEven((oldWidth + addedColumns - width) / 2);
  return cropRaster(padded, top, left, height, width);
}

/** Where padded cells take their values: a number, the border, or the inside mirrored without (reflect) or with (symmetric) the border. */
export type PaddingMode = "constant" | "edge" | "reflect" | "symmetric";
export const paddingModes: readonly PaddingMode[] = ["constant", "edge", "reflect", "symmetric"];

/** How much is added: everywhere, [left and right, top and bottom], or [left, top, right, bottom]. */
export type Padding =
  | number
  | readonly [number]
  | readonly [number, number]
  | readonly [number, number, number, number];

export function fourSides(
  operation: string,
  padding: Padding,
): readonly [left: number, top: number, right: number, bottom: number] {
  const sides = typeof padding === "number" ? [padding] : padding;
  if (![1, 2, 4].includes(sides.length) || !sides.every((side) => Number.isInteger(side))) {
    throw new ArgumentError(
      `${operation}: padding must be an integer or 1, 2 or 4 of them ([left, top, right, bottom]), received [${sides.join(", ")}].`,
    );
  }
  const [first, second = first, third = first, fourth = second] = sides as [number, number?, number?, number?];
  return [first, second, third, fourth] as const;
}

function paddedPositions(
  operation: string,
  before: number,
  after: number,
  extent: number,
  mode: PaddingMode,
): Int32Array {
  const positions = positionsFrom(-before, before + extent + after, extent);
  if (mode === "constant") return positions;
  if (mode === "reflect" && extent < 2 && before + after > 0) {
    throw new ArgumentError(`${operation}: an axis of 1 has nothing to reflect; use "edge" or "symmetric".`);
  }
  const period = mode === "symmetric" ? 2 * extent : 2 * extent - 2;
  return positions.map((position, at) => {
    if (position >= 0) return position;
    const wanted = at - before;
    if (mode === "edge") return Math.min(extent - 1, Math.max(0, wanted));
    const phase = ((wanted % period) + period) % period;
    return phase < extent ? phase : period - phase - (mode === "symmetric" ? 1 : 0);
  });
}

/** Adds [left, top, right, bottom] cells; negative numbers crop. */
export function padRaster<R extends Raster>(
  raster: R,
  [left, top, right, bottom]: readonly [number, number, number, number],
  options: { readonly fill?: number | readonly number[]; readonly mode?: PaddingMode } = {},
): R {
  const { fill = 0, mode = "constant" } = options;
  if (!paddingModes.includes(mode)) {
    throw new ArgumentError(`pad: unknown paddingMode "${mode}"; expected one of ${paddingModes.join(", ")}.`);
  }
  const [height, width] = rasterSize("pad", raster);
  if (left === 0 && top === 0 && right === 0 && bottom === 0) return raster;
  if (height + top + bottom < 1 || width + left + right < 1) {
    throw new ArgumentError(
      `pad: ${height} x ${width} with padding [${left}, ${top}, ${right}, ${bottom}] leaves nothing.`,
    );
  }
  const rows = paddedPositions("pad", top, bottom, height, mode);
  const columns = paddedPositions("pad", left, right, width, mode);
  return remapRaster(raster, rows, columns, fill);
}

/** Left and right exchanged. */
export function flipHorizontally<R extends Raster>(raster: R): R {
  const [height, width] = rasterSize("horizontal flip", raster);
  return remapRaster(raster, positionsFrom(0, height, height), positionsReversed(width));
}
/** Top and bottom exchanged. */
export function flipVertically<R extends Raster>(raster: R): R {
  const [height, width] = rasterSize("vertical flip", raster);
  return remapRaster(raster, positionsReversed(height), positionsFrom(0, width, width));
}
