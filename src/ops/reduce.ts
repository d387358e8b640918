/** Reductions over axes. `axes` undefined means all of them; `keepDims` leaves axes of size 1 in their place. */
import { DTypeError, ShapeError } from "../errors.ts";
import type { DType } from "../graph/dtype.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, normalizeAxes, type Shape } from "../graph/shape.ts";
import { div, mul } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { eq } from "./compare.ts";
import { type Combine, defineOp, type GradientRule, type OpFunction, type OpSpec, type WorkedCase } from "./define.ts";
import { exclusiveProduct } from "./exclusive-product.ts";
import { expand } from "./movement.ts";
import { constantLike } from "./prepare.ts";
import { reshape } from "./reshape.ts";
import { where } from "./where.ts";

export type Axes = number | readonly number[] | undefined;
type ReduceArguments = [x: Node, axes?: number | readonly number[], keepDims?: boolean];
type ReduceAttributes = { readonly axes: readonly number[] };

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** The shape with the reduced axes of size 1. */
const keptShape = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));

/** Puts a reduced tensor back over the shape it came from. */
export function expandReduced(reduced: Node, shape: Shape, axes: readonly number[]): Node {
  return expand(reshape(reduced, keptShape(shape, axes)), shape);
}

interface ReduceSpec {
  readonly name: string;
  readonly summary: string;
  readonly combine: Combine;
  /** Converts the input to the dtype that the reduction computes in. */
  readonly from: (x: Node) => Node;
  readonly result?: DType;
  /** Whether there is no result for no elements. */
  readonly needsElements?: boolean;
  readonly gradient: GradientRule<ReduceAttributes> | { readonly none: string };
  readonly cases: readonly [WorkedCase<ReduceArguments>, ...WorkedCase<ReduceArguments>[]];
}

function checkElements(name: string, shape: Shape, axes: readonly number[]): void {
  const empty = axes.find((axis) => shape[axis] === 0);
  if (empty !== undefined) {
    throw new ShapeError(
      `${name}: axis ${empty} of ${formatShape(shape)} has no elements, so there is no ${name} over it.`,
    );
  }
}

function defineReduction(spec: ReduceSpec): OpFunction<ReduceArguments> {
  const { name, combine } = spec;
  const definition: OpSpec<ReduceArguments, ReduceAttributes> = {
    name,
    summary: spec.summary,
    prepare: (x, axes) => ({
      inputs: [spec.from(x)],
      attributes: { axes: normalizeAxes(name, axes, x.shape.length) },
    }),
    // No axes: the elements themselves, unless the result is a position.
    shortcut: ([x], { axes }) => (axes.length === 0 && spec.result !== "i32" ? x : undefined),
    finish: (result, x, axes, keepDims) =>
      keepDims ? reshape(result, keptShape(x.shape, normalizeAxes(name, axes, x.shape.length))) : result,
    infer: ([x], { axes }) => {
      if (spec.needsElements) checkElements(name, x.shape, axes);
      return { shape: x.shape.filter((_, axis) => !axes.includes(axis)), dtype: spec.result ?? x.dtype };
    },
    meaning: (_inputs, { axes }) => ({ kind: "reduce", combine, axes }),
    gradient: spec.gradient,
    cases: spec.cases,
  };
  return defineOp(definition);
}

const counted = (x: Node) => (x.dtype === "f32" ? x : cast(x, "i32"));

/** Σ x. */
export const sum = defineReduction({
  name: "sum",
  summary: "Sum over axes; integers and masks give i32, an empty sum is 0.",
  combine: "sum",
  from: counted,
  gradient: (gradient, { inputs: [x], attributes: { axes } }) => [expandReduced(gradient, x.shape, axes)],
  cases: [
    {
      name: "one axis",
      args: (constant) => [constant([2, 3], "f32", [1, 2, 3, 4, 5, 6]), 0],
      shape: [3],
      expected: [5, 7, 9],
      smooth: true,
    },
    { name: "a mask counts", args: (constant) => [constant([4], "bool", [1, 0, 1, 1])], shape: [], expected: [3] },
    { name: "of nothing", args: (constant) => [constant([0, 2], "f32", []), 0], shape: [2], expected: [0, 0] },
    { name: "NaN stays", args: (constant) => [constant([3], "f32", [1, nan, inf])], shape: [], expected: [nan] },
    {
      name: "two axes, kept",
      args: (constant) => [constant([2, 2, 2], "i32", [1, 2, 3, 4, 5, 6, 7, 8]), [0, -1], true],
      shape: [1, 2, 1],
      expected: [14, 22],
    },
  ],
});

/** Π x. */
export const prod = defineReduction({
  name: "prod",
  summary:
    "Product over axes; integers and masks give i32, an empty product is 1. The gradient is right where elements are 0.",
  combine: "prod",
  from: counted,
  gradient: (gradient, { inputs: [x], attributes: { axes } }) => [
    mul(expandReduced(gradient, x.shape, axes), exclusiveProduct(x, axes)),
  ],
  cases: [
    {
      name: "one axis",
      args: (constant) => [constant([2, 3], "f32", [1, 2, 3, 4, -5, 6]), 1],
      shape: [2],
      expected: [6, -120],
      smooth: true,
    },
    {
      name: "with zeros, differentiable there too",
      args: (constant) => [constant([3, 3], "f32", [0, 2, 3, 0, 0, 6, 1, 2, 4]), 1],
      shape: [3],
      expected: [0, 0, 8],
      smooth: true,
    },
    { name: "of nothing", args: (constant) => [constant([2, 0], "f32", []), 1], shape: [2], expected: [1, 1] },
    { name: "i32 wraps", args: (constant) => [constant([2], "i32", [65536, 65537])], shape: [], expected: [65536] },
  ],
});

/** The gradient of an extreme, shared evenly by the elements that attain it. */
const toExtremes: GradientRule<ReduceAttributes> = (gradient, { inputs: [x], output, attributes: { axes } }) => {
  const attained = eq(x, expandReduced(output, x.shape, axes));
  const share = div(gradient, cast(sum(attained, axes), "f32"));
  const spread = expandReduced(share, x.shape, axes);
  return [where(attained, spread, constantLike(spread, 0))];
};

/** Largest element. */
export const amax = defineReduction({
  name: "amax",
  summary: "Largest element over axes; NaN if there is one. Equal largest elements share the gradient evenly.",
  combine: "max",
  from: (x) => x,
  needsElements: true,
  gradient: toExtremes,
  cases: [
    {
      name: "one axis",
      args: (constant) => [constant([2, 3], "f32", [1, 5, 3, -4, -5, -6]), 1],
      shape: [2],
      expected: [5, -4],
      smooth: true,
    },
    {
      name: "NaN wins",
      args: (constant) => [constant([2, 2], "f32", [nan, 1, -inf, -inf]), 1],
      shape: [2],
      expected: [nan, -inf],
    },
    {
      name: "i32 over all axes",
      args: (constant) => [constant([2, 2], "i32", [-1, -2, -3, -4])],
      shape: [],
      expected: [-1],
    },
    { name: "u8, kept", args: (constant) => [constant([2], "u8", [1, 255]), 0, true], shape: [1], expected: [255] },
  ],
});

/** Smallest element. */
export const amin = defineReduction({
  name: "amin",
  summary: "Smallest element over axes; NaN if there is one. Equal smallest elements share the gradient evenly.",
  combine: "min",
  from: (x) => x,
  needsElements: true,
  gradient: toExtremes,
  cases: [
    {
      name: "one axis",
      args: (constant) => [constant([2, 3], "f32", [1, 5, 3, -4, -5, -6]), 0],
      shape: [3],
      expected: [-4, -5, -6],
      smooth: true,
    },
    {
      name: "NaN wins",
      args: (constant) => [constant([2, 2], "f32", [1, nan, inf, inf]), 1],
      shape: [2],
      expected: [nan, inf],
    },
  ],
});

/** Whether any element is true. */
export const any = defineReduction({
  name: "any",
  summary: "Whether any element over axes is true (not 0); false for none.",
  combine: "any",
  from: (x) => cast(x, "bool"),
  gradient: { none: "a mask carries no gradient" },
  cases: [
    {
      name: "one axis",
      args: (constant) => [constant([2, 2], "bool", [0, 0, 0, 1]), 1],
      shape: [2],
      expected: [0, 1],
    },
    { name: "of nothing", args: (constant) => [constant([0], "bool", [])], shape: [], expected: [0] },
    { name: "NaN is true", args: (constant) => [constant([2], "f32", [0, nan])], shape: [], expected: [1] },
  ],
});

/** Whether all elements are true. */
export const all = defineReduction({
  name: "all",
  summary: "Whether all elements over axes are true (not 0); true for none.",
  combine: "all",
  from: (x) => cast(x, "bool"),
  gradient: { none: "a mask carries no gradient" },
  cases: [
    {
      name: "one axis",
      args: (constant) => [constant([2, 2], "bool", [1, 1, 0, 1]), 1],
      shape: [2],
      expected: [1, 0],
    },
    { name: "of nothing", args: (constant) => [constant([0], "bool", [])], shape: [], expected: [1] },
  ],
});

/** Position of the first extreme along one axis, or in row-major order over all of them. */
function definePosition(
  name: "argmax" | "argmin",
  summary: string,
  cases: readonly [
    WorkedCase<[x: Node, axis?: number, keepDims?: boolean]>,
    ...WorkedCase<[x: Node, axis?: number, keepDims?: boolean]>[],
  ],
): OpFunction<[x: Node, axis?: number, keepDims?: boolean]> {
  return defineReduction({
    name,
    summary,
    combine: name,
    from: (x) => x,
    result: "i32",
    needsElements: true,
    gradient: { none: "a position carries no gradient" },
    cases,
  });
}

/** Position of the largest element. */
export const argmax = definePosition(
  "argmax",
  "Position (i32) of the first largest element along an axis, or in row-major order over all; NaN counts as largest.",
  [
    {
      name: "first of equals, NaN first of all",
      args: (constant) => [constant([3, 3], "f32", [1, 5, 5, nan, 9, nan, -inf, -inf, -inf]), 1],
      shape: [3],
      expected: [1, 0, 0],
    },
    { name: "over all axes", args: (constant) => [constant([2, 2], "i32", [1, 2, 7, 3])], shape: [], expected: [2] },
    {
      name: "kept",
      args: (constant) => [constant([2, 2], "f32", [1, 2, 7, 3]), 0, true],
      shape: [1, 2],
      expected: [1, 1],
    },
  ],
);

/** Position of the smallest element. */
export const argmin = definePosition(
  "argmin",
  "Position (i32) of the first smallest element along an axis, or in row-major order over all; NaN counts as smallest.",
  [
    {
      name: "first of equals, NaN first of all",
      args: (constant) => [constant([2, 3], "f32", [5, 1, 1, 3, nan, 9]), 1],
      shape: [2],
      expected: [1, 1],
    },
  ],
);

/** Mean over axes: Σ x / n, for f32 only (cast integers first). */
export function mean(x: Node, axes?: number | readonly number[], keepDims = false): Node {
  if (x.dtype !== "f32") {
    throw new DTypeError(`mean: dtype ${x.dtype} is not supported (expected f32). Convert with .cast("f32").`);
  }
  const count = normalizeAxes("mean", axes, x.shape.length).reduce((product, axis) => product * x.shape[axis], 1);
  const total = sum(x, axes, keepDims);
  return div(total, constantLike(total, count));
}
