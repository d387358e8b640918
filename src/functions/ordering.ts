/** Extremes with their positions, medians, order. */
import { ArgumentError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { normalizeAxis, sizeOf } from "../graph/shape.ts";
import { argsort } from "../ops/argsort.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { ne } from "../ops/compare.ts";
import { constantLike, toFloat } from "../ops/prepare.ts";
import { argmax, argmin, sum } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { takeAlongAxis } from "../ops/take-along-axis.ts";
import { where } from "../ops/where.ts";
import { isNotANumber } from "./elementary.ts";
import { sliceAxis } from "./rearranging.ts";

/** Values along an axis and where they stood (i32). */
export interface ValuesAndIndices {
  readonly values: Node;
  readonly indices: Node;
}

const sortable = (x: Node): Node => (x.dtype === "f32" || x.dtype === "i32" ? x : cast(x, "i32"));

function chosen(x: Node, indices: Node, axis: number, keepDims: boolean): ValuesAndIndices {
  const values = takeAlongAxis(x, indices, axis);
  if (keepDims) return { values, indices };
  const shape = x.shape.filter((_, i) => i !== axis);
  return { values: reshape(values, shape), indices: reshape(indices, shape) };
}

/** The largest (or smallest) element along an axis and its position: the first of equals, NaN before all. The gradient goes to that element alone. */
export function extremeWithIndex(x: Node, kind: "max" | "min", axis: number, keepDims = false): ValuesAndIndices {
  const normal = normalizeAxis(kind, axis, x.shape.length);
  return chosen(x, (kind === "max" ? argmax : argmin)(sortable(x), normal, true), normal, keepDims);
}

/** The elements along an axis in order with their former positions; stable, NaN counts as the largest. */
export function sortWithIndex(x: Node, axis = -1, descending = false): ValuesAndIndices {
  if (x.shape.length === 0) return { values: x, indices: constantLike(cast(x, "i32"), 0) };
  const indices = argsort(sortable(x), { axis, descending });
  return { values: takeAlongAxis(x, indices, axis), indices };
}

/** Element k (from 1) of the elements in order along an axis, and its position. */
export function kthValue(x: Node, k: number, axis = -1, keepDims = false): ValuesAndIndices {
  const normal = normalizeAxis("kthvalue", axis, x.shape.length);
  if (!Number.isInteger(k) || k < 1 || k > x.shape[normal])
    throw new ArgumentError(`kthvalue: k must be from 1 to ${x.shape[normal]}, received ${k}.`);
  const order = argsort(sortable(x), { axis: normal });
  return chosen(x, sliceAxis(order, normal, k - 1, k), normal, keepDims);
}

/** The median along an axis (the lower of two) and its position; NaN if there is one. */
export function median(x: Node, axis = -1, keepDims = false): ValuesAndIndices {
  const normal = normalizeAxis("median", axis, x.shape.length);
  const extent = x.shape[normal];
  if (extent === 0) throw new ArgumentError(`median: axis ${axis} has no elements.`);
  const order = argsort(sortable(x), { axis: normal });
  const middle = sliceAxis(order, normal, Math.floor((extent - 1) / 2), Math.floor((extent - 1) / 2) + 1);
  if (x.dtype !== "f32") return chosen(x, middle, normal, keepDims);
  const last = sliceAxis(order, normal, extent - 1, extent);
  const spoilt = isNotANumber(takeAlongAxis(x, last, normal));
  return chosen(x, where(spoilt, last, middle), normal, keepDims);
}

/** The value below which a part q of the elements lies, interpolated linearly; NaN if there is one. */
export function quantile(x: Node, q: number, axis?: number, keepDims = false): Node {
  if (!(q >= 0 && q <= 1)) throw new ArgumentError(`quantile: q must lie in [0, 1], received ${q}.`);
  const flat = axis === undefined ? reshape(toFloat(x), [sizeOf(x.shape)]) : toFloat(x);
  const normal = axis === undefined ? 0 : normalizeAxis("quantile", axis, x.shape.length);
  const extent = flat.shape[normal];
  if (extent === 0) throw new ArgumentError("quantile: there are no elements.");
  const sorted = takeAlongAxis(flat, argsort(flat, { axis: normal }), normal);
  const at = q * (extent - 1);
  const low = sliceAxis(sorted, normal, Math.floor(at), Math.floor(at) + 1);
  const high = sliceAxis(sorted, normal, Math.ceil(at), Math.ceil(at) + 1);
  const between = add(low, mul(sub(high, low), constantLike(low, at - Math.floor(at))));
  const last = sliceAxis(sorted, normal, extent - 1, extent);
  const result = where(isNotANumber(last), last, between);
  if (axis === undefined) return reshape(result, keepDims ? x.shape.map(() => 1) : []);
  return keepDims
    ? result
    : reshape(
        result,
        x.shape.filter((_, i) => i !== normal),
      );
}

/** How many elements over axes are not 0. */
export function countNonzero(x: Node, axes?: number | readonly number[], keepDims = false): Node {
  return sum(ne(x, constantLike(x, 0)), axes, keepDims);
}

/** Differences of neighbours along an axis, `n` times. */
export function differences(x: Node, n = 1, axis = -1): Node {
  const normal = normalizeAxis("diff", axis, x.shape.length);
  let result = x;
  for (let i = 0; i < n && result.shape[normal] > 0; i++) {
    const after = sliceAxis(result, normal, 1);
    const before = sliceAxis(result, normal, 0, result.shape[normal] - 1);
    result = x.dtype === "bool" ? ne(after, before) : sub(after, before);
  }
  return result;
}
