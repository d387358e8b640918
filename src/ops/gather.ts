import { ArgumentError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, normalizeAxis, sizeOf } from "../graph/shape.ts";
import { defineOp, type OpFunction } from "./define.ts";
import { aroundAxis, indexNode, requireIndices, requireSummable } from "./index-inputs.ts";

const inside = (index: number, limit: number): boolean => index >= 0 && index < limit;

/** Takes slices of `data` along `axis`: `indices` of any shape replaces that axis. */
export const gather: OpFunction<[data: Node, indices: Node, axis?: number]> = defineOp({
  name: "gather",
  summary:
    "Slices along one axis: y[…, i…, …] = x[…, indices[i…], …]; an index outside the axis is an IndexRangeError.",
  prepare: (data: Node, indices: Node, axis = 0) => ({
    inputs: [data, indexNode("gather", indices)],
    attributes: { axis: normalizeAxis("gather", axis, data.shape.length) },
  }),
  infer: ([data, indices], { axis }) => {
    requireIndices("gather", indices);
    return {
      shape: [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)],
      dtype: data.dtype,
    };
  },
  meaning: ([{ shape }], { axis }) => ({
    kind: "indexed",
    parameters: { axis },
    guards: [{ input: 1, limit: shape[axis] }],
    reference: ([data, indices], _types, output) => {
      const [outer, extent, inner] = aroundAxis(shape, axis);
      const result = new Float64Array(sizeOf(output.shape));
      let at = 0;
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < indices.length; i++) {
          const from = (o * extent + indices[i]) * inner;
          for (let k = 0; k < inner; k++) result[at++] = inside(indices[i], extent) ? data[from + k] : 0;
        }
      }
      return result;
    },
  }),
  gradient: (gradient, { inputs: [data, indices], attributes: { axis }, needs }) => [
    needs[0] ? scatterAdd(gradient, indices, axis, data.shape[axis]) : undefined,
    undefined,
  ],
  cases: [
    {
      name: "columns",
      args: (constant) => [constant([2, 3], "f32", [1, 2, 3, 4, 5, 6]), constant([2], "i32", [2, 2]), 1],
      shape: [2, 2],
      expected: [3, 3, 6, 6],
      smooth: true,
    },
    {
      name: "rows, in any order and repeated",
      args: (constant) => [constant([3, 2], "f32", [1, 2, 3, Infinity, 5, NaN]), constant([4], "i32", [2, 0, 2, 1])],
      shape: [4, 2],
      expected: [5, NaN, 1, 2, 5, NaN, 3, Infinity],
    },
    {
      name: "along the last axis with a matrix of indices",
      args: (constant) => [constant([2, 3], "i32", [1, 2, 3, 4, 5, 6]), constant([2, 2], "i32", [2, 0, 1, 1]), -1],
      shape: [2, 2, 2],
      expected: [3, 1, 2, 2, 6, 4, 5, 5],
    },
    {
      name: "a scalar index drops the axis",
      args: (constant) => [constant([2, 2], "bool", [0, 1, 1, 0]), constant([], "u8", [1])],
      shape: [2],
      expected: [1, 0],
    },
  ],
});

/** Adds slices of `updates` into zeros along an axis of size `size`: the transpose of `gather`. Equal indices add up in index order. */
export const scatterAdd: OpFunction<[updates: Node, indices: Node, axis: number, size: number]> = defineOp({
  name: "scatterAdd",
  summary: "Transpose of gather: y = 0, then y[…, indices[i…], …] += x[…, i…, …] in the order of the indices.",
  prepare: (updates: Node, indices: Node, axis: number, size: number) => {
    const index = indexNode("scatterAdd", indices);
    const rank = updates.shape.length - indices.shape.length + 1;
    if (!Number.isInteger(size) || size < 0) {
      throw new ArgumentError(`scatterAdd: size must be an integer of 0 or more, received ${size}.`);
    }
    if (rank < 1) {
      throw new ShapeError(
        `scatterAdd: indices of shape ${formatShape(indices.shape)} do not fit into updates of shape ${formatShape(updates.shape)}.`,
      );
    }
    return { inputs: [updates, index], attributes: { axis: normalizeAxis("scatterAdd", axis, rank), size } };
  },
  infer: ([updates, indices], { axis, size }) => {
    requireIndices("scatterAdd", indices);
    requireSummable("scatterAdd", updates);
    const middle = updates.shape.slice(axis, axis + indices.shape.length);
    if (middle.length !== indices.shape.length || middle.some((extent, i) => extent !== indices.shape[i])) {
      throw new ShapeError(
        `scatterAdd: updates of shape ${formatShape(updates.shape)} must hold the shape of the indices, ` +
          `${formatShape(indices.shape)}, from axis ${axis} on.`,
      );
    }
    const after = updates.shape.slice(axis + indices.shape.length);
    return { shape: [...updates.shape.slice(0, axis), size, ...after], dtype: updates.dtype };
  },
  meaning: ([updates, indexType], { axis, size }) => ({
    kind: "indexed",
    parameters: { axis },
    guards: [{ input: 1, limit: size }],
    reference: ([data, indices], _types, output) => {
      const outer = sizeOf(updates.shape.slice(0, axis));
      const inner = sizeOf(updates.shape.slice(axis + indexType.shape.length));
      const result = new Float64Array(sizeOf(output.shape));
      let from = 0;
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < indices.length; i++) {
          const to = (o * size + indices[i]) * inner;
          for (let k = 0; k < inner; k++, from++) if (inside(indices[i], size)) result[to + k] += data[from];
        }
      }
      return result;
    },
  }),
  gradient: (gradient, { inputs: [, indices], attributes: { axis }, needs }) => [
    needs[0] ? gather(gradient, indices, axis) : undefined,
    undefined,
  ],
  cases: [
    {
      name: "repeated rows add up, untouched rows are 0",
      args: (constant) => [
        constant([3, 2], "f32", [1, 2, 10, 20, 100, Infinity]),
        constant([3], "i32", [2, 0, 2]),
        0,
        4,
      ],
      shape: [4, 2],
      expected: [10, 20, 0, 0, 101, Infinity, 0, 0],
    },
    {
      name: "a matrix of indices in the middle",
      args: (constant) => [constant([1, 2, 2, 1], "f32", [1, 2, 3, 4]), constant([2, 2], "i32", [0, 1, 1, 1]), 1, 2],
      shape: [1, 2, 1],
      expected: [1, 9],
      smooth: true,
    },
    {
      name: "no indices: zeros",
      args: (constant) => [constant([0, 2], "f32", []), constant([0], "i32", []), 0, 2],
      shape: [2, 2],
      expected: [0, 0, 0, 0],
    },
  ],
});
