import { ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../graph/shape.ts";
import { defineOp, type OpFunction } from "./define.ts";

/** Fills in the one size given as −1. */
function resolveShape(from: Shape, to: Shape): Shape {
  const fail = (why: string): never => {
    throw new ShapeError(`reshape: ${formatShape(from)} (${sizeOf(from)} elements) to ${formatShape(to)}: ${why}.`);
  };
  const free = to.indexOf(-1);
  if (to.some((extent, axis) => axis !== free && (!Number.isInteger(extent) || extent < 0))) {
    fail("sizes must be integers of 0 or more, one of them may be -1");
  }
  if (free >= 0) {
    const known = to.reduce((product, extent, axis) => (axis === free ? product : product * extent), 1);
    if (known === 0) fail("-1 is ambiguous beside a size of 0");
    if (sizeOf(from) % known !== 0) fail(`the number of elements is not a multiple of ${known}`);
    return to.map((extent, axis) => (axis === free ? sizeOf(from) / known : extent));
  }
  if (sizeOf(from) !== sizeOf(to)) fail("the numbers of elements must be equal");
  return to;
}

/** The same elements in row-major order under another shape. */
export const reshape: OpFunction<[x: Node, shape: Shape]> = defineOp({
  name: "reshape",
  summary: "The same elements, in row-major order, under another shape; one size may be −1.",
  prepare: (x: Node, shape: Shape) => ({ inputs: [x], attributes: { shape: resolveShape(x.shape, shape) } }),
  shortcut: ([x], { shape }) => (sameShape(x.shape, shape) ? x : undefined),
  infer: ([x], { shape }) => ({ shape: resolveShape(x.shape, shape), dtype: x.dtype }),
  meaning: () => ({ kind: "reshape" }),
  gradient: (gradient, { inputs: [x] }) => [reshape(gradient, x.shape)],
  cases: [
    {
      name: "with a free size",
      args: (constant) => [constant([2, 3], "f32", [1, 2, 3, 4, 5, 6]), [3, -1]],
      shape: [3, 2],
      expected: [1, 2, 3, 4, 5, 6],
      smooth: true,
    },
    { name: "a scalar", args: (constant) => [constant([1, 1], "i32", [7]), []], shape: [], expected: [7] },
    { name: "nothing", args: (constant) => [constant([0, 3], "u8", []), [3, 0]], shape: [3, 0], expected: [] },
  ],
});
