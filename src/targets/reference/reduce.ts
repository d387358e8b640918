import type { DType } from "../../graph/dtype.ts";
import { type Shape, stridesOf } from "../../graph/shape.ts";
import type { Combine } from "../../ops/define.ts";
import { stridedOffsets } from "./strided.ts";

type Fold = (values: Float64Array, base: number, offsets: Int32Array) => number;

/** Folds one group of elements; i32 sums and products wrap. */
function foldOf(combine: Combine, dtype: DType): Fold {
  switch (combine) {
    case "sum":
      return dtype === "f32"
        ? fold(0, (total, value) => total + value)
        : fold(0, (total, value) => (total + value) | 0);
    case "prod":
      return dtype === "f32" ? fold(1, (total, value) => total * value) : fold(1, Math.imul);
    case "max":
      return fold(Number.NEGATIVE_INFINITY, Math.max);
    case "min":
      return fold(Number.POSITIVE_INFINITY, Math.min);
    case "any":
      return fold(0, (found, value) => (value !== 0 ? 1 : found));
    case "all":
      return fold(1, (found, value) => (value === 0 ? 0 : found));
    case "argmax":
      return firstWhere((value, best) => value > best);
    case "argmin":
      return firstWhere((value, best) => value < best);
  }
}

const fold =
  (start: number, combine: (total: number, value: number) => number): Fold =>
  (values, base, offsets) => {
    let total = start;
    for (let i = 0; i < offsets.length; i++) total = combine(total, values[base + offsets[i]]);
    return total;
  };

const firstWhere =
  (better: (value: number, best: number) => boolean): Fold =>
  (values, base, offsets) => {
    let position = 0;
    let best = values[base + offsets[0]];
    for (let i = 0; i < offsets.length; i++) {
      const value = values[base + offsets[i]];
      if (Number.isNaN(value)) return i;
      if (better(value, best)) {
        best = value;
        position = i;
      }
    }
    return position;
  };

/** Combines the elements along `axes`. */
export function evaluateReduce(
  combine: Combine,
  axes: readonly number[],
  input: Float64Array,
  inputShape: Shape,
  dtype: DType,
): Float64Array {
  const strides = stridesOf(inputShape);
  const kept = inputShape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const pick = <T>(list: readonly T[], which: readonly number[]) => which.map((axis) => list[axis]);
  const bases = stridedOffsets(pick(inputShape, kept), pick(strides, kept));
  const offsets = stridedOffsets(pick(inputShape, axes), pick(strides, axes));
  const combined = foldOf(combine, dtype);
  const result = new Float64Array(bases.length);
  for (let i = 0; i < bases.length; i++) result[i] = combined(input, bases[i], offsets);
  return result;
}
