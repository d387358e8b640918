/** Choosing and moving elements, after TensorFlow. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape, normalizeAxis, sizeOf, stridesOf } from "../graph/shape.ts";
import {
  cumulativeProduct,
  cumulativeSum,
  gather,
  moveAxes,
  oneHot,
  pad,
  slice,
  type Tensor,
  tensor,
  tril,
  triu,
  where,
} from "../tensor/index.ts";

/** Slices at index vectors: y[i…] = x[indices[i…, 0], indices[i…, 1], …]. */
export function gatherVectors(x: Tensor, indices: Tensor): Tensor {
  const depth = indices.shape[indices.rank - 1];
  if (indices.rank === 0 || depth > x.rank) {
    throw new ShapeError(
      `gatherND: index vectors of shape ${formatShape(indices.shape)} do not fit a tensor of shape ${formatShape(x.shape)}.`,
    );
  }
  const leading = x.shape.slice(0, depth);
  const rest = x.shape.slice(depth);
  const weights = tensor(Int32Array.from(stridesOf(leading)));
  const places = indices.cast("i32").mul(weights).sum(-1);
  return gather(x.reshape([sizeOf(leading), ...rest]), places, 0);
}

export interface RunningOptions {
  /** Without the element itself. */
  readonly exclusive?: boolean;
  /** From the last element to the first. */
  readonly reverse?: boolean;
}

/** Running sum or product along an axis. */
export function running(kind: "sum" | "product", x: Tensor, axis: number, options: RunningOptions = {}): Tensor {
  const { exclusive = false, reverse = false } = options;
  const along = normalizeAxis("cumsum", axis, x.rank);
  const accumulate = kind === "sum" ? cumulativeSum : cumulativeProduct;
  if (!exclusive) return accumulate(x, { axis: along, reverse });
  const extent = x.shape[along];
  if (extent === 0) return x;
  const shifted = pad(
    x,
    x.shape.map((_, i): [number, number] => (i !== along ? [0, 0] : reverse ? [0, 1] : [1, 0])),
    kind === "sum" ? 0 : 1,
  );
  const start = x.shape.map((_, i) => (i === along && reverse ? 1 : 0));
  const stop = shifted.shape.map((size, i) => (i === along && !reverse ? size - 1 : size));
  return accumulate(slice(shifted, start, stop), { axis: along, reverse });
}

/** `on` at the index and `off` elsewhere, along a new axis. */
export function indicators(indices: Tensor, depth: number, on: number, off: number, axis = -1): Tensor {
  const rows = oneHot(indices, depth, "bool");
  const placed = axis === -1 || axis === rows.rank - 1 ? rows : moveAxes(rows, -1, axis);
  return where(placed, on, off);
}

/** The elements of matrices within a band: `lower` diagonals below the main one and `upper` above it (negative: all). */
export function band(x: Tensor, lower: number, upper: number): Tensor {
  const below = lower < 0 ? x : triu(x, -lower);
  return upper < 0 ? below : tril(below, upper);
}

/** Part of a tensor from `begin`, `size` elements along each axis; −1 takes what is left. */
export function sliceOfSize(x: Tensor, begin: readonly number[], size?: readonly number[]): Tensor {
  if (begin.length !== x.rank || (size && size.length !== x.rank)) {
    throw new ShapeError(
      `slice: begin and size must have one entry for each axis of ${formatShape(x.shape)}, received [${begin}] and [${size ?? ""}].`,
    );
  }
  const stop = begin.map((start, axis) => {
    const length = size?.[axis] ?? -1;
    const end = length === -1 ? x.shape[axis] : start + length;
    if (!(Number.isInteger(start) && start >= 0 && end >= start && end <= x.shape[axis])) {
      throw new ArgumentError(
        `slice: ${length} elements from ${start} do not lie within axis ${axis} of ${formatShape(x.shape)}.`,
      );
    }
    return end;
  });
  return slice(x, begin, stop);
}

export interface StridedSliceMasks {
  readonly beginMask?: number;
  readonly endMask?: number;
  readonly ellipsisMask?: number;
  readonly newAxisMask?: number;
  readonly shrinkAxisMask?: number;
}

/** Python's slicing in the form of `tf.stridedSlice`: bit i of a mask says how entry i of begin, end and strides is meant. */
export function stridedPart(
  x: Tensor,
  begin: readonly number[],
  end: readonly number[],
  strides: readonly number[] = begin.map(() => 1),
  masks: StridedSliceMasks = {},
): Tensor {
  const { beginMask = 0, endMask = 0, ellipsisMask = 0, newAxisMask = 0, shrinkAxisMask = 0 } = masks;
  if (begin.length !== end.length || begin.length !== strides.length) {
    throw new ArgumentError("stridedSlice: begin, end and strides must have one length.");
  }
  const has = (mask: number, entry: number): boolean => ((mask >> entry) & 1) === 1;
  const newAxes = begin.filter((_, entry) => has(newAxisMask, entry) && !has(ellipsisMask, entry)).length;
  const ellipses = begin.filter((_, entry) => has(ellipsisMask, entry)).length;
  const skipped = x.rank - (begin.length - newAxes - ellipses);
  if (skipped < 0)
    throw new ShapeError(`stridedSlice: ${begin.length} entries are too many for ${formatShape(x.shape)}.`);
  const ranges: { start?: number; stop?: number; step: number }[] = [];
  const shape: ("keep" | "drop" | "new")[] = [];
  begin.forEach((first, entry) => {
    if (has(ellipsisMask, entry)) {
      for (let i = 0; i < skipped; i++) {
        ranges.push({ step: 1 });
        shape.push("keep");
      }
    } else if (has(newAxisMask, entry)) {
      shape.push("new");
    } else if (has(shrinkAxisMask, entry)) {
      const extent = x.shape[ranges.length];
      const at = first < 0 ? first + extent : first;
      if (!(at >= 0 && at < extent)) {
        throw new ArgumentError(`stridedSlice: index ${first} is outside axis ${ranges.length} of size ${extent}.`);
      }
      ranges.push({ start: at, stop: at + 1, step: 1 });
      shape.push("drop");
    } else {
      ranges.push({
        ...(!has(beginMask, entry) && { start: first }),
        ...(!has(endMask, entry) && { stop: end[entry] }),
        step: strides[entry],
      });
      shape.push("keep");
    }
  });
  const steps = ranges.map(({ step }) => step);
  const unset = (value: number | undefined) => value as number;
  const part = slice(
    x,
    ranges.map(({ start }) => unset(start)),
    ranges.map(({ stop }) => unset(stop)),
    steps,
  );
  let axis = 0;
  const sizes = shape.flatMap((kind) => {
    if (kind === "new") return [1];
    const size = part.shape[axis++];
    return kind === "drop" ? [] : [size];
  });
  return part.reshape([...sizes, ...part.shape.slice(axis)]);
}
