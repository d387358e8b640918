import { DTypeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { normalizeAxis, sizeOf } from "../graph/shape.ts";
import { defineOp } from "./define.ts";
import { aroundAxis } from "./index-inputs.ts";

export interface SortOptions {
  readonly axis?: number;
  readonly descending?: boolean;
}

/** PyTorch's order: NaN is the largest of all, -0 equals 0. */
const compare = (left: number, right: number): number =>
  Number.isNaN(left)
    ? Number.isNaN(right)
      ? 0
      : 1
    : Number.isNaN(right)
      ? -1
      : left < right
        ? -1
        : left > right
          ? 1
          : 0;

/** The stable order of the elements along an axis: equal elements keep their order, NaN counts as the largest. */
export const argsort = defineOp({
  name: "argsort",
  summary: "Positions along one axis that put its elements in order; stable, NaN counts as the largest.",
  prepare: (data: Node, { axis = -1, descending = false }: SortOptions = {}) => ({
    inputs: [data],
    attributes: { axis: normalizeAxis("argsort", axis, data.shape.length), descending },
  }),
  infer: ([data]) => {
    if (data.dtype !== "f32" && data.dtype !== "i32") {
      throw new DTypeError(`argsort: sorts f32 or i32, received ${data.dtype}; convert with .cast("i32").`);
    }
    return { shape: data.shape, dtype: "i32" };
  },
  meaning: ([{ shape }], { axis, descending }) => ({
    kind: "indexed",
    parameters: { axis, descending },
    reference: ([data]) => {
      const [outer, extent, inner] = aroundAxis(shape, axis);
      const result = new Float64Array(sizeOf(shape));
      for (let o = 0; o < outer; o++) {
        for (let k = 0; k < inner; k++) {
          const at = (i: number): number => (o * extent + i) * inner + k;
          const order = Array.from({ length: extent }, (_, i) => i);
          order.sort((i, j) => (descending ? compare(data[at(j)], data[at(i)]) : compare(data[at(i)], data[at(j)])));
          order.forEach((from, i) => {
            result[at(i)] = from;
          });
        }
      }
      return result;
    },
  }),
  gradient: { none: "the result is integer positions" },
  cases: [
    {
      name: "NaN last, zeros of both signs are equal, ties keep their order",
      args: (constant) => [constant([8], "f32", [0, NaN, -0, 2, -Infinity, 2, Infinity, NaN])],
      shape: [8],
      expected: [4, 0, 2, 3, 5, 6, 1, 7],
    },
    {
      name: "descending: NaN first, ties keep their order",
      args: (constant) => [constant([6], "f32", [1, 3, NaN, 1, -0, 0]), { descending: true }],
      shape: [6],
      expected: [2, 1, 0, 3, 4, 5],
    },
    {
      name: "down the columns, i32",
      args: (constant) => [constant([3, 2], "i32", [3, -1, 1, -2147483648, 2, 2147483647]), { axis: 0 }],
      shape: [3, 2],
      expected: [1, 1, 2, 0, 0, 2],
    },
  ],
});
