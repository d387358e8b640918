import { ArgumentError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { defineOp } from "./define.ts";
import { indexNode, requireIndices } from "./index-inputs.ts";

/**
 * Passes indices through and guards them: a program in which one lies outside [0, limit) fails with an `IndexRangeError` before it
 * overwrites anything. For formulas that compare with an index instead of addressing with it.
 */
export const checkIndices = defineOp({
  name: "checkIndices",
  summary: "The indices themselves; one outside [0, limit) is an IndexRangeError.",
  prepare: (indices: Node, limit: number) => {
    if (!Number.isInteger(limit) || limit < 0) {
      throw new ArgumentError(`checkIndices: the limit must be an integer of 0 or more, received ${limit}.`);
    }
    return { inputs: [indexNode("checkIndices", indices)], attributes: { limit } };
  },
  infer: ([indices]) => {
    requireIndices("checkIndices", indices);
    return indices;
  },
  meaning: (_inputs, { limit }) => ({
    kind: "indexed",
    guards: [{ input: 0, limit }],
    reference: ([indices]) => indices,
  }),
  gradient: { none: "integers carry no gradient" },
  cases: [
    {
      name: "both ends of the range",
      args: (constant) => [constant([3], "i32", [0, 9, 5]), 10],
      shape: [3],
      expected: [0, 9, 5],
    },
  ],
});
