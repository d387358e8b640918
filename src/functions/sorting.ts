import { ArgumentError } from "../errors.ts";
import type { DType } from "../graph/dtype.ts";
import type { Node } from "../graph/node.ts";
import { normalizeAxis } from "../graph/shape.ts";
import { argsort, type SortOptions } from "../ops/argsort.ts";
import { cast } from "../ops/cast.ts";
import { eq } from "../ops/compare.ts";
import { iota } from "../ops/generate.ts";
import { indexNode } from "../ops/index-inputs.ts";
import { expand, slice } from "../ops/movement.ts";
import { reshape } from "../ops/reshape.ts";
import { takeAlongAxis } from "../ops/take-along-axis.ts";

/** The elements along an axis in order; stable, NaN counts as the largest. */
export function sort(x: Node, options: SortOptions = {}): Node {
  return takeAlongAxis(x, argsort(x, options), options.axis ?? -1);
}

export interface TopKOptions {
  readonly axis?: number;
  /** False for the smallest. */
  readonly largest?: boolean;
}

/** The k largest elements along an axis, in order, and their positions; of equals the first. */
export function topK(
  x: Node,
  k: number,
  { axis = -1, largest = true }: TopKOptions = {},
): { readonly values: Node; readonly indices: Node } {
  const normal = normalizeAxis("topK", axis, x.shape.length);
  if (!Number.isInteger(k) || k < 0 || k > x.shape[normal]) {
    throw new ArgumentError(
      `topK: k must be an integer from 0 to the ${x.shape[normal]} elements along axis ${axis}, received ${k}.`,
    );
  }
  const sortable = x.dtype === "f32" || x.dtype === "i32" ? x : cast(x, "i32");
  const order = argsort(sortable, { axis: normal, descending: largest });
  const indices = slice(
    order,
    x.shape.map((_, i) => (i === normal ? { stop: k } : undefined)),
  );
  return { values: takeAlongAxis(x, indices, normal), indices };
}

/** True where a class equals the index: shape [...indices, classes]. An index outside [0, classes) gives a row of false. */
export function classMask(indices: Node, classes: number): Node {
  const index = indexNode("oneHot", indices);
  const shape = [...index.shape, classes];
  return eq(expand(reshape(index, [...index.shape, 1]), shape), expand(iota([classes]), shape));
}

/** 1 at the index, 0 elsewhere: shape [...indices, classes]. An index outside [0, classes) gives a row of zeros, as in TensorFlow. */
export function oneHot(indices: Node, classes: number, dtype: DType = "f32"): Node {
  return cast(classMask(indices, classes), dtype);
}
