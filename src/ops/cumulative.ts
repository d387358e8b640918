import { DTypeError, ShapeError } from "../errors.ts";
import type { Node, TensorType } from "../graph/node.ts";
import { formatShape, normalizeAxis, sizeOf } from "../graph/shape.ts";
import { mul } from "./arithmetic.ts";
import { defineOp, type OpFunction } from "./define.ts";
import { aroundAxis } from "./index-inputs.ts";
import { pad, slice } from "./movement.ts";

export interface CumulativeOptions {
  readonly axis?: number;
  /** From the last element to the first. */
  readonly reverse?: boolean;
}
type CumulativeAttributes = { readonly axis: number; readonly reverse: boolean };

const attributesOf = (operation: string, data: Node, options: CumulativeOptions): CumulativeAttributes => ({
  axis: normalizeAxis(operation, options.axis ?? -1, data.shape.length),
  reverse: options.reverse ?? false,
});

function requireNumbers(operation: string, { dtype }: TensorType): void {
  if (dtype !== "f32" && dtype !== "i32") {
    throw new DTypeError(`${operation}: takes f32 or i32, received ${dtype}; convert with .cast("i32").`);
  }
}

/** Runs `step(place, previous place or -1)` along every line of an axis, in the order of the accumulation. */
function alongLines(
  shape: readonly number[],
  { axis, reverse }: CumulativeAttributes,
  step: (at: number, before: number) => void,
): void {
  const [outer, extent, inner] = aroundAxis(shape, axis);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < inner; k++) {
      let before = -1;
      for (let i = 0; i < extent; i++) {
        const at = (o * extent + (reverse ? extent - 1 - i : i)) * inner + k;
        step(at, before);
        before = at;
      }
    }
  }
}

/** Each element moved one place on along an axis (`reverse`: back), `fill` coming in: what an element's predecessor holds. */
function shifted(data: Node, { axis, reverse }: CumulativeAttributes, fill: number): Node {
  const extent = data.shape[axis];
  if (extent === 0) return data;
  const padding = data.shape.map((_, i): [number, number] => (i !== axis ? [0, 0] : reverse ? [0, 1] : [1, 0]));
  return slice(
    pad(data, padding, fill),
    data.shape.map((_, i) => (i !== axis ? undefined : reverse ? { start: 1 } : { stop: extent })),
  );
}

/** Running sum along an axis. */
export const cumulativeSum: OpFunction<[data: Node, options?: CumulativeOptions]> = defineOp({
  name: "cumulativeSum",
  summary: "Running sum along one axis: y_i = Σ_{j ≤ i} x_j (reverse: j ≥ i).",
  prepare: (data: Node, options: CumulativeOptions = {}) => ({
    inputs: [data],
    attributes: attributesOf("cumulativeSum", data, options),
  }),
  infer: ([data]) => {
    requireNumbers("cumulativeSum", data);
    return data;
  },
  meaning: ([{ shape }], attributes) => ({
    kind: "indexed",
    parameters: attributes,
    reference: ([data]) => {
      const result = new Float64Array(sizeOf(shape));
      alongLines(shape, attributes, (at, before) => {
        result[at] = before < 0 ? data[at] : result[before] + data[at];
      });
      return result;
    },
  }),
  gradient: (gradient, { attributes: { axis, reverse } }) => [cumulativeSum(gradient, { axis, reverse: !reverse })],
  cases: [
    {
      name: "rows; what is not a number stays in its row",
      args: (constant) => [constant([2, 3], "f32", [1, 2, 3, Infinity, -Infinity, 1])],
      shape: [2, 3],
      expected: [1, 3, 6, Infinity, NaN, NaN],
    },
    {
      name: "reverse, down the columns, i32",
      args: (constant) => [constant([2, 2], "i32", [1, 2, 3, 4]), { axis: 0, reverse: true }],
      shape: [2, 2],
      expected: [4, 6, 3, 4],
    },
    {
      name: "three axes",
      args: (constant) => [constant([2, 2, 1], "f32", [0.5, 1.25, -2, 0.75]), { axis: 1 }],
      shape: [2, 2, 1],
      expected: [0.5, 1.75, -2, -1.25],
      smooth: true,
    },
  ],
});

/**
 * First-order linear recurrence along an axis: y_i = b_i + a_i · y_{i−1}, with y before the first element 0. Running sums (a = 1),
 * discounted sums and the gradient of running products are of this form.
 */
export const linearRecurrence: OpFunction<[factors: Node, terms: Node, options?: CumulativeOptions]> = defineOp({
  name: "linearRecurrence",
  summary: "Linear recurrence along one axis: y_i = b_i + a_i · y_{i−1} (reverse: y_{i+1}), starting from 0.",
  prepare: (factors: Node, terms: Node, options: CumulativeOptions = {}) => ({
    inputs: [factors, terms],
    attributes: attributesOf("linearRecurrence", terms, options),
  }),
  infer: ([factors, terms]) => {
    if (factors.dtype !== "f32" || terms.dtype !== "f32") {
      throw new DTypeError(
        `linearRecurrence: takes f32, received ${factors.dtype} and ${terms.dtype}; convert with .cast("f32").`,
      );
    }
    if (factors.shape.length !== terms.shape.length || factors.shape.some((n, i) => n !== terms.shape[i])) {
      throw new ShapeError(
        `linearRecurrence: factors ${formatShape(factors.shape)} and terms ${formatShape(terms.shape)} must have one shape.`,
      );
    }
    return terms;
  },
  meaning: ([{ shape }], attributes) => ({
    kind: "indexed",
    parameters: attributes,
    reference: ([factors, terms]) => {
      const result = new Float64Array(sizeOf(shape));
      alongLines(shape, attributes, (at, before) => {
        result[at] = before < 0 ? terms[at] : terms[at] + factors[at] * result[before];
      });
      return result;
    },
  }),
  gradient: (gradient, { inputs: [factors], output, attributes, needs }) => {
    const opposite = { axis: attributes.axis, reverse: !attributes.reverse };
    // What flows into y_i comes from above and, through y_{i+1}, multiplied by a_{i+1}.
    const terms = linearRecurrence(shifted(factors, opposite, 0), gradient, opposite);
    return [needs[0] ? mul(terms, shifted(output, attributes, 0)) : undefined, needs[1] ? terms : undefined];
  },
  cases: [
    {
      name: "the first factor has nothing to multiply, a zero factor starts anew",
      args: (constant) => [constant([4], "f32", [Infinity, 2, 0, 0.5]), constant([4], "f32", [1, 10, 3, 1])],
      shape: [4],
      expected: [1, 12, 3, 2.5],
    },
    {
      name: "reverse, down the columns",
      args: (constant) => [
        constant([2, 2], "f32", [3, 2, 5, 7]),
        constant([2, 2], "f32", [1, 2, 10, -0.5]),
        { axis: 0, reverse: true },
      ],
      shape: [2, 2],
      expected: [31, 1, 10, -0.5],
      smooth: true,
    },
  ],
});

/** Running product along an axis. */
export const cumulativeProduct: OpFunction<[data: Node, options?: CumulativeOptions]> = defineOp({
  name: "cumulativeProduct",
  summary: "Running product along one axis: y_i = Π_{j ≤ i} x_j (reverse: j ≥ i).",
  prepare: (data: Node, options: CumulativeOptions = {}) => ({
    inputs: [data],
    attributes: attributesOf("cumulativeProduct", data, options),
  }),
  infer: ([data]) => {
    requireNumbers("cumulativeProduct", data);
    return data;
  },
  meaning: ([{ shape, dtype }], attributes) => ({
    kind: "indexed",
    parameters: attributes,
    reference: ([data]) => {
      const result = new Float64Array(sizeOf(shape));
      alongLines(shape, attributes, (at, before) => {
        const product = before < 0 ? data[at] : result[before] * data[at];
        result[at] = dtype === "i32" && before >= 0 ? Math.imul(result[before], data[at]) : product;
      });
      return result;
    },
  }),
  // dx_i = (Π_{j < i} x_j) · Σ_{k ≥ i} g_k Π_{i < j ≤ k} x_j: no division, so zeros are no trouble.
  gradient: (gradient, { inputs: [data], output, attributes }) => {
    const opposite = { axis: attributes.axis, reverse: !attributes.reverse };
    const later = linearRecurrence(shifted(data, opposite, 0), gradient, opposite);
    return [mul(shifted(output, attributes, 1), later)];
  },
  cases: [
    {
      name: "zero, infinity and their product",
      args: (constant) => [constant([2, 3], "f32", [2, 3, 4, 0, Infinity, 1])],
      shape: [2, 3],
      expected: [2, 6, 24, 0, NaN, NaN],
    },
    {
      name: "reverse, i32 wraps",
      args: (constant) => [constant([3], "i32", [3, 65536, 65536]), { reverse: true }],
      shape: [3],
      expected: [0, 0, 65536],
    },
    {
      name: "a zero in the middle has a gradient",
      args: (constant) => [constant([4], "f32", [1.5, 0, -2, 0.5])],
      shape: [4],
      expected: [1.5, 0, 0, 0],
      smooth: true,
    },
  ],
});
