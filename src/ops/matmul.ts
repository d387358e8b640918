import { DTypeError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { broadcastShapes, formatShape, sizeOf } from "../graph/shape.ts";
import { defineOp, noAttributes, type OpFunction } from "./define.ts";
import { expand, permute } from "./movement.ts";
import { reshape } from "./reshape.ts";

/** Swaps the last two axes. */
function swapLast(matrix: Node): Node {
  const rank = matrix.shape.length;
  return permute(
    matrix,
    Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)),
  );
}

/**
 * Matrix product with NumPy's and PyTorch's rules: batch axes broadcast, a vector on the left is a row, on the right a column, and its axis
 * disappears from the result.
 */
export const matmul: OpFunction<[left: Node, right: Node]> = defineOp({
  name: "matmul",
  summary:
    "Matrix product: y[…, i, j] = Σ_k a[…, i, k] · b[…, k, j]; batch axes broadcast, vectors are rows or columns.",
  prepare: (left: Node, right: Node) => {
    const [a, b] = [left.shape, right.shape];
    if (a.length === 0 || b.length === 0 || a[a.length - 1] !== b[Math.max(0, b.length - 2)]) {
      throw new ShapeError(
        `matmul: cannot multiply ${formatShape(a)} by ${formatShape(b)}: the last axis of the first must equal the ` +
          `${b.length === 1 ? "axis" : "last but one axis"} of the second, and neither may be a scalar.`,
      );
    }
    if (a.length === 2 && b.length === 2) return { inputs: [left, right], attributes: noAttributes };
    const row = a.length === 1 ? reshape(left, [1, a[0]]) : left;
    const column = b.length === 1 ? reshape(right, [b[0], 1]) : right;
    // One matrix for all batches: rows of all batches are rows of one product, which needs no copies and reads the matrix once.
    if (column.shape.length === 2 && row.shape.length > 2) {
      const inner = row.shape[row.shape.length - 1];
      return { inputs: [reshape(row, [sizeOf(row.shape.slice(0, -1)), inner]), column], attributes: noAttributes };
    }
    const batch = broadcastShapes("matmul", row.shape.slice(0, -2), column.shape.slice(0, -2));
    return {
      inputs: [expand(row, [...batch, ...row.shape.slice(-2)]), expand(column, [...batch, ...column.shape.slice(-2)])],
      attributes: noAttributes,
    };
  },
  finish: (result, left, right) => {
    const [a, b] = [left.shape, right.shape];
    if (a.length === 2 && b.length === 2) return result;
    const batch = broadcastShapes("matmul", a.slice(0, -2), b.slice(0, -2));
    const rows = a.length === 1 ? [] : a.slice(-2, -1);
    const columns = b.length === 1 ? [] : b.slice(-1);
    return reshape(result, [...batch, ...rows, ...columns]);
  },
  infer: ([left, right]) => {
    for (const { dtype } of [left, right]) {
      if (dtype !== "f32") {
        throw new DTypeError(`matmul: needs f32 tensors, received ${dtype}; convert with .cast("f32").`);
      }
    }
    return { shape: [...left.shape.slice(0, -1), right.shape[right.shape.length - 1]], dtype: "f32" };
  },
  meaning: () => ({ kind: "matmul" }),
  gradient: (gradient, { inputs: [left, right], needs }) => [
    needs[0] ? matmul(gradient, swapLast(right)) : undefined,
    needs[1] ? matmul(swapLast(left), gradient) : undefined,
  ],
  cases: [
    {
      name: "two matrices",
      args: (constant) => [
        constant([2, 3], "f32", [1, 2, 3, 4, 5, 6]),
        constant([3, 2], "f32", [1, 0.5, -1, 2, 0.25, 1]),
      ],
      shape: [2, 2],
      expected: [-0.25, 7.5, 0.5, 18],
      smooth: true,
    },
    {
      name: "batches broadcast, an infinity times 0 is NaN",
      args: (constant) => [
        constant([2, 1, 1, 2], "f32", [1, 2, Infinity, 0]),
        constant([2, 2, 1], "f32", [10, 1, 0, 5]),
      ],
      shape: [2, 2, 1, 1],
      expected: [12, 10, Infinity, NaN],
    },
    {
      name: "one matrix for a batch",
      args: (constant) => [constant([2, 1, 2], "f32", [1, 2, 3, -4]), constant([2, 2], "f32", [1, 2, 3, 4])],
      shape: [2, 1, 2],
      expected: [7, 10, -9, -10],
      smooth: true,
    },
    {
      name: "two vectors give a scalar",
      args: (constant) => [constant([2], "f32", [1, 2]), constant([2], "f32", [3, 4])],
      shape: [],
      expected: [11],
      smooth: true,
    },
    {
      name: "a vector times a batch of matrices",
      args: (constant) => [constant([2], "f32", [1, -1]), constant([2, 2, 1], "f32", [1, 2, 3, 5])],
      shape: [2, 1],
      expected: [-1, -2],
    },
    {
      name: "an empty inner axis gives zeros",
      args: (constant) => [constant([2, 0], "f32", []), constant([0, 1], "f32", [])],
      shape: [2, 1],
      expected: [0, 0],
    },
  ],
});
