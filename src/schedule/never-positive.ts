/** What is known of the sign of values: the power of a number that is never positive takes fewer instructions. */
import { sameShape } from "../graph/shape.ts";
import type { Value } from "./tensor-graph.ts";

/** Whether every element of a value is at most 0, or NaN: x less its largest elements along some axes, as in all forms of softmax. */
export function neverPositive(values: readonly Value[], id: number): boolean {
  const { expression, inputs, type } = values[id];
  if (expression?.kind !== "call" || expression.function !== "sub" || type.dtype !== "f32") return false;
  const [left, right] = expression.inputs;
  if (left.kind !== "input" || right.kind !== "input") return false;
  const data = values[inputs[left.index]];
  const kept = beforeExpand(values, values[inputs[right.index]]);
  const reduction = kept.meaning?.kind === "reshape" ? values[kept.inputs[0]] : kept;
  if (reduction.meaning?.kind !== "reduce" || reduction.meaning.combine !== "max") return false;
  if (reduction.inputs[0] !== data.id) return false;
  const { axes } = reduction.meaning;
  return sameShape(
    kept.type.shape,
    data.type.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)),
  );
}

/** What a value repeats along axes of extent 1, or the value itself. */
function beforeExpand(values: readonly Value[], value: Value): Value {
  if (value.meaning?.kind !== "movement" || value.meaning.pieces.length !== 1) return value;
  const [{ input, index, guarded }] = value.meaning.pieces;
  const source = values[value.inputs[input]];
  const repeats = index.every(({ constant, terms }, axis) => {
    if (constant !== 0 || terms.length > 1) return false;
    return terms.length === 0
      ? source.type.shape[axis] === 1
      : terms[0].axis === axis && terms[0].coefficient === 1 && source.type.shape[axis] === value.type.shape[axis];
  });
  return !guarded && repeats && source.type.shape.length === value.type.shape.length ? source : value;
}
