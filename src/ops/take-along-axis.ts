import { ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { checkShape, formatShape, normalizeAxis, type Shape, sizeOf, stridesOf } from "../graph/shape.ts";
import { defineOp, type OpFunction } from "./define.ts";
import { indexNode, requireIndices, requireSummable } from "./index-inputs.ts";

/** PyTorch's rule: equal rank, and indices no larger than the data except along the axis. */
function checkAlongAxis(operation: string, data: Shape, indices: Shape, axis: number): void {
  if (data.length !== indices.length || indices.some((extent, i) => i !== axis && extent > data[i])) {
    throw new ShapeError(
      `${operation}: indices of shape ${formatShape(indices)} do not fit a tensor of shape ${formatShape(data)}: ` +
        `ranks must be equal, and sizes no larger except along axis ${axis}.`,
    );
  }
}

/** Calls back with the flat position in `indices` and that of the place it names in a tensor of `shape` (or -1). */
function forEachPlace(
  indices: ArrayLike<number>,
  indexShape: Shape,
  shape: Shape,
  axis: number,
  visit: (from: number, place: number) => void,
): void {
  const strides = stridesOf(shape);
  const position = new Array<number>(indexShape.length).fill(0);
  const count = sizeOf(indexShape);
  for (let from = 0; from < count; from++) {
    const index = indices[from];
    let place = 0;
    for (let i = 0; i < position.length; i++) place += strides[i] * (i === axis ? index : position[i]);
    visit(from, index >= 0 && index < shape[axis] ? place : -1);
    for (let i = position.length - 1; i >= 0 && ++position[i] === indexShape[i]; i--) position[i] = 0;
  }
}

/** Picks one element for each index, along an axis (PyTorch's `gather`, NumPy's `take_along_axis`). */
export const takeAlongAxis: OpFunction<[data: Node, indices: Node, axis: number]> = defineOp({
  name: "takeAlongAxis",
  summary: "y[…, i, …] = x[…, indices[…, i, …], …] along one axis; an index outside the axis is an IndexRangeError.",
  prepare: (data: Node, indices: Node, axis: number) => ({
    inputs: [data, indexNode("takeAlongAxis", indices)],
    attributes: { axis: normalizeAxis("takeAlongAxis", axis, data.shape.length) },
  }),
  infer: ([data, indices], { axis }) => {
    requireIndices("takeAlongAxis", indices);
    checkAlongAxis("takeAlongAxis", data.shape, indices.shape, axis);
    return { shape: indices.shape, dtype: data.dtype };
  },
  meaning: ([{ shape }, { shape: indexShape }], { axis }) => ({
    kind: "indexed",
    parameters: { axis },
    guards: [{ input: 1, limit: shape[axis] }],
    reference: ([data, indices]) => {
      const result = new Float64Array(sizeOf(indexShape));
      forEachPlace(indices, indexShape, shape, axis, (from, place) => {
        result[from] = place < 0 ? 0 : data[place];
      });
      return result;
    },
  }),
  gradient: (gradient, { inputs: [data, indices], attributes: { axis }, needs }) => [
    needs[0] ? scatterAddAlongAxis(gradient, indices, axis, data.shape) : undefined,
    undefined,
  ],
  cases: [
    {
      name: "repeated positions",
      args: (constant) => [constant([1, 3], "f32", [1, 2, 3]), constant([1, 4], "i32", [2, 0, 2, 2]), 1],
      shape: [1, 4],
      expected: [3, 1, 3, 3],
      smooth: true,
    },
    {
      name: "along the last axis",
      args: (constant) => [
        constant([2, 3], "f32", [1, NaN, 3, 4, 5, -Infinity]),
        constant([2, 2], "i32", [2, 1, 0, 2]),
        -1,
      ],
      shape: [2, 2],
      expected: [3, NaN, 4, -Infinity],
    },
    {
      name: "along the first axis, fewer columns than the data",
      args: (constant) => [constant([2, 3], "i32", [1, 2, 3, 4, 5, 6]), constant([1, 2], "i32", [1, 0]), 0],
      shape: [1, 2],
      expected: [4, 2],
    },
  ],
});

/** Adds each update at the place that its index names, into zeros: the transpose of `takeAlongAxis`. Equal places add up in row-major order. */
export const scatterAddAlongAxis: OpFunction<[updates: Node, indices: Node, axis: number, shape: Shape]> = defineOp({
  name: "scatterAddAlongAxis",
  summary: "Transpose of takeAlongAxis: y = 0, then y[…, indices[…, i, …], …] += x[…, i, …] in row-major order.",
  prepare: (updates: Node, indices: Node, axis: number, shape: Shape) => {
    checkShape("scatterAddAlongAxis", shape);
    return {
      inputs: [updates, indexNode("scatterAddAlongAxis", indices)],
      attributes: { axis: normalizeAxis("scatterAddAlongAxis", axis, shape.length), shape },
    };
  },
  infer: ([updates, indices], { axis, shape }) => {
    requireIndices("scatterAddAlongAxis", indices);
    requireSummable("scatterAddAlongAxis", updates);
    checkAlongAxis("scatterAddAlongAxis", shape, indices.shape, axis);
    if (updates.shape.length !== indices.shape.length || updates.shape.some((n, i) => n !== indices.shape[i])) {
      throw new ShapeError(
        `scatterAddAlongAxis: updates ${formatShape(updates.shape)} and indices ${formatShape(indices.shape)} must have one shape.`,
      );
    }
    return { shape, dtype: updates.dtype };
  },
  meaning: ([{ shape: indexShape }], { axis, shape }) => ({
    kind: "indexed",
    parameters: { axis },
    guards: [{ input: 1, limit: shape[axis] }],
    reference: ([updates, indices]) => {
      const result = new Float64Array(sizeOf(shape));
      forEachPlace(indices, indexShape, shape, axis, (from, place) => {
        if (place >= 0) result[place] += updates[from];
      });
      return result;
    },
  }),
  gradient: (gradient, { inputs: [, indices], attributes: { axis }, needs }) => [
    needs[0] ? takeAlongAxis(gradient, indices, axis) : undefined,
    undefined,
  ],
  cases: [
    {
      name: "equal places add up",
      args: (constant) => [
        constant([2, 2], "f32", [1, 10, 100, 1000]),
        constant([2, 2], "i32", [2, 2, 0, 1]),
        1,
        [2, 3],
      ],
      shape: [2, 3],
      expected: [0, 0, 11, 100, 1000, 0],
      smooth: true,
    },
    {
      name: "down the columns of a wider tensor",
      args: (constant) => [constant([2, 1], "i32", [5, 6]), constant([2, 1], "i32", [1, 1]), 0, [2, 2]],
      shape: [2, 2],
      expected: [0, 0, 11, 0],
    },
  ],
});
