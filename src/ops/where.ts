import { promote } from "../graph/dtype.ts";
import type { Node } from "../graph/node.ts";
import { scalarCall } from "../kernel/scalar.ts";
import { cast } from "./cast.ts";
import { defineOp, noAttributes, type OpFunction } from "./define.ts";
import { broadcast, constantLike } from "./prepare.ts";

/** Chooses by a mask. */
export const where: OpFunction<[condition: Node, a: Node, b: Node]> = defineOp({
  name: "where",
  summary: "a where the condition holds, b elsewhere; the side that is not chosen does not matter, even if it is NaN.",
  prepare: (condition: Node, a: Node, b: Node) => {
    const dtype = promote(a.dtype, b.dtype);
    const inputs = broadcast("where", cast(condition, "bool"), cast(a, dtype), cast(b, dtype));
    return { inputs, attributes: noAttributes };
  },
  infer: ([, a]) => a,
  meaning: () => ({
    kind: "elementwise",
    expression: ([condition, a, b]) => scalarCall("select", condition, a, b),
  }),
  gradient: (gradient, { inputs: [condition], needs }) => {
    const zero = constantLike(gradient, 0);
    return [
      undefined,
      needs[1] ? where(condition, gradient, zero) : undefined,
      needs[2] ? where(condition, zero, gradient) : undefined,
    ];
  },
  cases: [
    {
      name: "broadcasts all three, ignores the NaN not chosen",
      args: (constant) => [
        constant([2, 1], "bool", [1, 0]),
        constant([3], "f32", [1, 2, 3]),
        constant([2, 3], "f32", [Number.NaN, Number.NaN, Number.NaN, 4, 5, 6]),
      ],
      shape: [2, 3],
      expected: [1, 2, 3, 4, 5, 6],
    },
    {
      name: "promotes the branches",
      args: (constant) => [constant([2], "bool", [1, 0]), constant([], "i32", [7]), constant([], "f32", [0.5])],
      shape: [2],
      expected: [7, 0.5],
    },
    {
      name: "smooth",
      args: (constant) => [constant([2], "bool", [1, 0]), constant([2], "f32", [1, 2]), constant([2], "f32", [3, 4])],
      shape: [2],
      expected: [1, 4],
      smooth: true,
    },
  ],
});
