/** Elementwise comparisons: masks. Any comparison with NaN is false, except `ne`. */
import { type ScalarFunction, scalarCall } from "../kernel/scalar.ts";
import { defineBinary } from "./elementwise.ts";

const nan = Number.NaN;
type Comparison = Extract<ScalarFunction, "lt" | "le" | "gt" | "ge" | "eq" | "ne">;

/** `floats` and `integers` are the results for (1, 2, 2, NaN, 1) against (2, 2, 1, 1, NaN) and (−1, 3) against (1, 3). */
function comparison(name: Comparison, summary: string, floats: readonly number[], integers: readonly number[]) {
  return defineBinary({
    name,
    summary,
    output: "bool",
    expression: (a, b) => scalarCall(name, a, b),
    gradient: { none: "a mask carries no gradient" },
    cases: [
      {
        name: "f32 with NaN",
        args: (constant) => [constant([5], "f32", [1, 2, 2, nan, 1]), constant([5], "f32", [2, 2, 1, 1, nan])],
        shape: [5],
        expected: floats,
      },
      {
        name: "i32 against u8",
        args: (constant) => [constant([2], "i32", [-1, 3]), constant([2], "u8", [1, 3])],
        shape: [2],
        expected: integers,
      },
      {
        name: "zeros of either sign are equal",
        args: (constant) => [constant([1], "f32", [0]), constant([1], "f32", [-0])],
        shape: [1],
        expected: [name === "le" || name === "ge" || name === "eq" ? 1 : 0],
      },
    ],
  });
}

/** a < b. */
export const lt = comparison("lt", "Mask of a < b.", [1, 0, 0, 0, 0], [1, 0]);
/** a ≤ b. */
export const le = comparison("le", "Mask of a ≤ b.", [1, 1, 0, 0, 0], [1, 1]);
/** a > b. */
export const gt = comparison("gt", "Mask of a > b.", [0, 0, 1, 0, 0], [0, 0]);
/** a ≥ b. */
export const ge = comparison("ge", "Mask of a ≥ b.", [0, 1, 1, 0, 0], [0, 1]);
/** a = b. */
export const eq = comparison("eq", "Mask of a = b.", [0, 1, 0, 0, 0], [0, 1]);
/** a ≠ b. */
export const ne = comparison("ne", "Mask of a ≠ b; true where either is NaN.", [1, 0, 1, 1, 1], [1, 0]);
