/** Changes to batches of images (batch, height, width, channels), another for each image, as functions of tensors. */
import { ArgumentError } from "../errors.ts";
import { arange, cos, gather, ones, sin, stack, type Tensor, where, zeros } from "../tensor/index.ts";

/** What lies outside an image: a value, its border, its mirror image, or the other side. */
export type FillMode = "constant" | "nearest" | "reflect" | "wrap";
export const fillModes: readonly FillMode[] = ["constant", "nearest", "reflect", "wrap"];

export interface AffineOptions {
  readonly interpolation: "nearest" | "bilinear";
  readonly fillMode: FillMode;
  readonly fillValue: number;
}

/** Coordinates brought into 0 … length − 1 by a mode, as TensorFlow's ImageProjectiveTransform does. */
function inside(at: Tensor, length: number, mode: FillMode): Tensor {
  if (mode === "constant") return at;
  const last = length - 1;
  if (mode === "nearest" || length <= 1) return at.clip(0, last);
  if (mode === "wrap") {
    const before = at.add(at.neg().div(last).trunc().add(1).mul(length));
    const after = at.sub(at.div(last).trunc().mul(length));
    return where(at.lt(0), before, where(at.gt(last), after, at)).clip(0, last);
  }
  const period = 2 * length;
  const turned = at.add(at.neg().div(period).trunc().mul(period));
  const before = where(turned.lt(-length), turned.add(period), turned.neg().sub(1));
  const further = at.sub(at.div(period).trunc().mul(period));
  const after = where(further.ge(length), further.neg().add(period - 1), further);
  return where(at.lt(0), before, where(at.gt(last), after, at)).clip(0, last);
}

/**
 * Reads images at other places: position (x, y) of image n gets what lies at (a·x + b·y + c, d·x + e·y + f), where row n of `transforms`
 * [batch, 6] holds a … f. The result has the images' height and width, or another `size`.
 */
export function affineTransform(
  owner: string,
  images: Tensor,
  transforms: Tensor,
  options: AffineOptions,
  size: readonly [height: number, width: number] = [images.shape[1], images.shape[2]],
): Tensor {
  const { interpolation, fillMode, fillValue } = options;
  if (!fillModes.includes(fillMode)) {
    throw new ArgumentError(
      `${owner}: fillMode must be one of ${fillModes.join(", ")}, received "${String(fillMode)}".`,
    );
  }
  if (interpolation !== "nearest" && interpolation !== "bilinear") {
    throw new ArgumentError(
      `${owner}: interpolation must be "nearest" or "bilinear", received ${JSON.stringify(interpolation)}.`,
    );
  }
  const [batch, height, width, channels] = images.shape;
  const values = images.dtype === "f32" ? images : images.cast("f32");
  const pixels = values.reshape([batch * height * width, channels]);
  const columns = arange(size[1]).cast("f32").reshape([1, 1, size[1]]);
  const rows = arange(size[0]).cast("f32").reshape([1, size[0], 1]);
  const entry = (index: number): Tensor => transforms.select(1, index).reshape([batch, 1, 1]);
  const place = (first: number): Tensor =>
    entry(first)
      .mul(columns)
      .add(entry(first + 1).mul(rows))
      .add(entry(first + 2));
  const x = inside(place(0), width, fillMode);
  const y = inside(place(3), height, fillMode);
  const start = arange(batch)
    .mul(height * width)
    .reshape([batch, 1, 1]);
  const read = (row: Tensor, column: Tensor): Tensor => {
    const index = row
      .clip(0, height - 1)
      .cast("i32")
      .mul(width)
      .add(column.clip(0, width - 1).cast("i32"))
      .add(start);
    const found = gather(pixels, index.reshape([batch * size[0] * size[1]]), 0);
    const shaped = found.reshape([batch, size[0], size[1], channels]);
    if (fillMode !== "constant") return shaped;
    const within = row
      .ge(0)
      .logicalAnd(row.le(height - 1))
      .logicalAnd(column.ge(0))
      .logicalAnd(column.le(width - 1));
    return where(within.unsqueeze(-1), shaped, fillValue);
  };
  if (interpolation === "nearest") return read(y.add(0.5).floor(), x.add(0.5).floor());
  const [top, left] = [y.floor(), x.floor()];
  const [bottom, right] = [top.add(1), left.add(1)];
  const lower = y.sub(top).unsqueeze(-1);
  const further = x.sub(left).unsqueeze(-1);
  const between = (first: Tensor, second: Tensor, share: Tensor): Tensor =>
    first.mul(share.neg().add(1)).add(second.mul(share));
  return between(
    between(read(top, left), read(top, right), further),
    between(read(bottom, left), read(bottom, right), further),
    lower,
  );
}

/** Transforms for `affineTransform` from columns, numbers or [batch]. */
function transformRows(batch: number, columns: readonly (number | Tensor)[]): Tensor {
  return stack(
    columns.map((column) => {
      if (typeof column === "object") return column;
      return column === 0 ? zeros([batch]) : ones([batch]).mul(column);
    }),
    1,
  );
}

/** Rotations about the middle by angles [batch] in radians, counter-clockwise for the eye. */
export function rotations(angles: Tensor, height: number, width: number): Tensor {
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const [cosine, sine] = [cos(angles), sin(angles)];
  const offsetX = cosine.mul(-middleX).add(sine.mul(middleY)).add(middleX);
  const offsetY = sine.mul(-middleX).add(cosine.mul(-middleY)).add(middleY);
  return transformRows(angles.shape[0], [cosine, sine.neg(), offsetX, sine, cosine, offsetY]);
}

/** Shifts down and to the right by numbers of positions, [batch] each. */
export function translations(down: Tensor, right: Tensor): Tensor {
  return transformRows(down.shape[0], [1, 0, right.neg(), 0, 1, down.neg()]);
}

/** Zooms about the middle by factors [batch] each; a factor above 1 shows more, and smaller. */
export function zooms(vertical: Tensor, horizontal: Tensor, height: number, width: number): Tensor {
  const offset = (factor: Tensor, length: number): Tensor =>
    factor
      .neg()
      .add(1)
      .mul((length - 1) / 2);
  return transformRows(vertical.shape[0], [
    horizontal,
    0,
    offset(horizontal, width),
    0,
    vertical,
    offset(vertical, height),
  ]);
}

/** Uniform numbers [batch] scaled to whole offsets 0 … most, each as likely. */
export function wholeOffsets(uniform: Tensor, most: number): Tensor {
  return uniform
    .mul(most + 1)
    .floor()
    .minimum(most);
}

/** Windows of the same size that begin at rows and columns [batch] of their own. */
export function cropExamples(
  owner: string,
  images: Tensor,
  rows: Tensor,
  columns: Tensor,
  size: readonly [number, number],
): Tensor {
  const options = { interpolation: "nearest", fillMode: "nearest", fillValue: 0 } as const;
  return affineTransform(owner, images, translations(rows.neg(), columns.neg()), options, size);
}

/** Images turned round along an axis where uniform numbers [batch] are at most ½. */
export function flipExamples(images: Tensor, uniform: Tensor, axis: 1 | 2): Tensor {
  const flipped = uniform.le(0.5).reshape([images.shape[0], 1, 1, 1]);
  return where(flipped, images.flip(axis), images);
}

/** (x − μ)·factor + μ with the mean μ of each image's channel, within a range. */
export function adjustContrast(images: Tensor, factors: Tensor, range: readonly [number, number]): Tensor {
  const middle = images.mean([1, 2], { keepdim: true });
  const factor = factors.reshape([images.shape[0], 1, 1, 1]);
  return images.sub(middle).mul(factor).add(middle).clip(range[0], range[1]);
}

/** x + share · (width of the range), within the range. */
export function adjustBrightness(images: Tensor, shares: Tensor, range: readonly [number, number]): Tensor {
  const change = shares.mul(range[1] - range[0]).reshape([images.shape[0], 1, 1, 1]);
  return images.add(change).clip(range[0], range[1]);
}
