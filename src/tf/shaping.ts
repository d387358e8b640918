/** Shapes, joining, splitting and choosing elements. */
import { ArgumentError } from "../errors.ts";
import { normalizeAxis, type Shape } from "../graph/shape.ts";
import { gatherVectors, type StridedSliceMasks, sliceOfSize, stridedPart } from "../nn/selections.ts";
import type { Tensor, TensorLike } from "../tensor/index.ts";
import * as T from "../tensor/index.ts";
import { asTensor } from "./convert.ts";
import { define } from "./define.ts";

/** The sizes of a tensor; in a static graph unknown ones are null. */
export function shape(x: Tensor): Shape {
  return x.shape;
}
/** Number of axes. */
export function rank(x: Tensor): number {
  return x.shape.length;
}

/** Same elements in another shape; one size may be −1. */
export const reshape = define(function reshape(x: TensorLike, shape: Shape): Tensor {
  return T.reshape(asTensor(x), shape);
});
/** Axes in another order, reversed unless given. */
export const transpose = define(function transpose(x: TensorLike, perm?: readonly number[]): Tensor {
  const value = asTensor(x);
  return T.permute(value, perm ?? value.shape.map((_, axis) => value.rank - 1 - axis));
});
export const expandDims = define(function expandDims(x: TensorLike, axis = 0): Tensor {
  return T.unsqueeze(asTensor(x), axis);
});
export const squeeze = define(function squeeze(x: TensorLike, axis?: number | readonly number[]): Tensor {
  return T.squeeze(asTensor(x), axis);
});
export const broadcastTo = define(function broadcastTo(x: TensorLike, shape: Shape): Tensor {
  return T.expand(asTensor(x), shape);
});
/** Tensors one after the other along an axis. */
export const concat = define(function concat(tensors: readonly TensorLike[], axis = 0): Tensor {
  return T.concat(
    tensors.map((each) => asTensor(each)),
    axis,
  );
});
/** Tensors of one shape along a new axis. */
export const stack = define(function stack(tensors: readonly TensorLike[], axis = 0): Tensor {
  return T.stack(
    tensors.map((each) => asTensor(each)),
    axis,
  );
});
/** The slices along an axis, without it. */
export const unstack = define(function unstack(x: TensorLike, axis = 0): Tensor[] {
  return T.unbind(asTensor(x), axis);
});
/** Equal parts by number, or parts of given sizes, along an axis. */
export const split = define(function split(
  x: TensorLike,
  numOrSizeSplits: number | readonly number[],
  axis = 0,
): Tensor[] {
  const value = asTensor(x);
  const extent = value.shape[normalizeAxis("split", axis, value.rank)];
  if (typeof numOrSizeSplits !== "number") return T.split(value, numOrSizeSplits, axis);
  if (!(Number.isInteger(numOrSizeSplits) && numOrSizeSplits > 0) || extent % numOrSizeSplits !== 0) {
    throw new ArgumentError(
      `split: ${numOrSizeSplits} equal parts do not divide axis ${axis} of size ${extent}; give their sizes as an array.`,
    );
  }
  return T.chunk(value, numOrSizeSplits, axis);
});
/** The tensor repeated `multiples` times along each axis. */
export const tile = define(function tile(x: TensorLike, multiples: readonly number[]): Tensor {
  return T.tile(asTensor(x), multiples);
});
/** Each element (or slice along an axis) `count` times in a row. */
export const repeat = define(function repeat(x: TensorLike, count: number, axis?: number): Tensor {
  return T.repeatInterleave(asTensor(x), count, axis);
});
/** A constant around a tensor: [before, after] for each axis. */
export const pad = define(function pad(
  x: TensorLike,
  paddings: readonly (readonly [number, number])[],
  constantValue = 0,
): Tensor {
  return T.pad(asTensor(x), paddings, constantValue);
});
/** `size` elements from `begin` along each axis; −1 takes what is left. */
export const slice = define(function slice(
  x: TensorLike,
  begin: readonly number[] | number,
  size?: readonly number[] | number,
): Tensor {
  const value = asTensor(x);
  const filled = (list: readonly number[] | number | undefined, rest: number): number[] => {
    const given = list === undefined ? [] : typeof list === "number" ? [list] : list;
    return value.shape.map((_, axis) => given[axis] ?? rest);
  };
  if (typeof begin !== "number" && begin.length > value.rank) return sliceOfSize(value, begin);
  return sliceOfSize(value, filled(begin, 0), filled(size, -1));
});
/** Python's slicing: from `begin` to `end` by `strides`; masks as in TensorFlow. */
export const stridedSlice = define(function stridedSlice(
  x: TensorLike,
  begin: readonly number[],
  end: readonly number[],
  strides?: readonly number[],
  masks: StridedSliceMasks = {},
): Tensor {
  return stridedPart(asTensor(x), begin, end, strides, masks);
});
/** Slices at positions along an axis. An index outside it is an error. */
export const gather = define(function gather(
  x: TensorLike,
  indices: TensorLike,
  axis: number | { readonly axis?: number } = 0,
): Tensor {
  return T.gather(asTensor(x), asTensor(indices, "int32"), typeof axis === "number" ? axis : (axis.axis ?? 0));
});
/** Slices at index vectors, which lie along the last axis of `indices`. */
export const gatherND = define(function gatherND(x: TensorLike, indices: TensorLike): Tensor {
  return gatherVectors(asTensor(x), asTensor(indices, "int32"));
});
export const gatherNd = gatherND;
/** Elements in reverse order along axes. */
export const reverse = define(function reverse(x: TensorLike, axis?: number | readonly number[]): Tensor {
  return T.flip(asTensor(x), axis);
});
export const roll = define(function roll(
  x: TensorLike,
  shift: number | readonly number[],
  axis: number | readonly number[],
): Tensor {
  return T.roll(asTensor(x), shift, axis);
});
/** Grids of coordinates. */
export const meshgrid = define(function meshgrid(
  tensors: readonly TensorLike[],
  options: { readonly indexing?: "xy" | "ij" } = {},
): Tensor[] {
  return T.meshgrid(
    tensors.map((each) => asTensor(each)),
    options.indexing ?? "xy",
  );
});
/** Sums of rows with the same segment number; a number outside [0, numSegments) is an error. */
export const unsortedSegmentSum = define(function unsortedSegmentSum(
  x: TensorLike,
  segmentIds: TensorLike,
  numSegments: number,
): Tensor {
  return T.scatterAdd(asTensor(x), asTensor(segmentIds, "int32"), 0, numSegments);
});
/** The elements where a mask holds, along the first axes; how many is known only from the mask's values, which are read. */
export function booleanMask(x: Tensor, mask: Tensor): Tensor {
  const places = Array.from(mask.dataSync()).flatMap((value, index) => (value ? [index] : []));
  const rows = T.reshape(x, [mask.size, ...x.shape.slice(mask.rank)]);
  return T.gather(rows, asTensor(Int32Array.from(places)), 0);
}
