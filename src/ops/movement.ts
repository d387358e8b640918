/** Ops that only move elements: expand, permute, slice, pad, flip, concat. Each is the gradient of another. */
import { ArgumentError, DTypeError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import {
  checkShape,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
} from "../graph/shape.ts";
import { constantValue } from "../kernel/scalar-evaluate.ts";
import { type AffineIndex, defineOp, type MovementPiece, type OpFunction } from "./define.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { type SliceRange, sliceRanges } from "./slice-range.ts";

/** `coefficient · position[axis] + constant`. */
const along = (axis: number, coefficient = 1, constant = 0): AffineIndex => ({
  constant,
  terms: [{ axis, coefficient }],
});
const origin: AffineIndex = { constant: 0, terms: [] };
const copied = (index: readonly AffineIndex[]) => ({
  kind: "movement" as const,
  pieces: [{ input: 0, index, guarded: false }],
  fill: 0,
});

/** Repeats axes of size 1 and adds leading axes. */
export const expand: OpFunction<[x: Node, shape: Shape]> = defineOp({
  name: "expand",
  summary: "Repeats along axes of size 1 and along new leading axes, as broadcasting does.",
  prepare: (x: Node, shape: Shape) => ({ inputs: [x], attributes: { shape } }),
  shortcut: ([x], { shape }) => (sameShape(x.shape, shape) ? x : undefined),
  infer: ([x], { shape }) => {
    checkShape("expand", shape);
    const lead = shape.length - x.shape.length;
    if (lead < 0 || x.shape.some((extent, axis) => extent !== 1 && extent !== shape[lead + axis])) {
      throw new ShapeError(
        `expand: shape ${formatShape(x.shape)} does not expand to ${formatShape(shape)} (each size must be equal or 1, counted from the last axis).`,
      );
    }
    return { shape, dtype: x.dtype };
  },
  meaning: ([x], { shape }) => {
    const lead = shape.length - x.shape.length;
    return copied(x.shape.map((extent, axis) => (extent === 1 ? origin : along(lead + axis))));
  },
  gradient: (gradient, { inputs: [x], attributes: { shape } }) => {
    const lead = shape.length - x.shape.length;
    const axes = shape.flatMap((extent, axis) =>
      axis < lead || (x.shape[axis - lead] === 1 && extent !== 1) ? [axis] : [],
    );
    return [reshape(sum(gradient, axes), x.shape)];
  },
  cases: [
    {
      name: "a row, a column and a scalar axis",
      args: (constant) => [constant([2, 1], "f32", [1, 2]), [2, 2, 3]],
      shape: [2, 2, 3],
      expected: [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2],
      smooth: true,
    },
    { name: "to nothing", args: (constant) => [constant([1], "i32", [5]), [0]], shape: [0], expected: [] },
    { name: "a scalar", args: (constant) => [constant([], "bool", [1]), [2, 1]], shape: [2, 1], expected: [1, 1] },
  ],
});

/** Reorders axes. */
export const permute: OpFunction<[x: Node, axes: readonly number[]]> = defineOp({
  name: "permute",
  summary: "Reorders the axes: axis i of the result is axis axes[i] of the input.",
  prepare: (x: Node, axes: readonly number[]) => {
    const order = axes.map((axis) => normalizeAxis("permute", axis, x.shape.length));
    if (order.length !== x.shape.length || new Set(order).size !== order.length) {
      throw new ArgumentError(
        `permute: axes [${axes.join(", ")}] must name each of the ${x.shape.length} axes of ${formatShape(x.shape)} once.`,
      );
    }
    return { inputs: [x], attributes: { axes: order } };
  },
  shortcut: ([x], { axes }) => (axes.every((axis, i) => axis === i) ? x : undefined),
  infer: ([x], { axes }) => ({ shape: axes.map((axis) => x.shape[axis]), dtype: x.dtype }),
  meaning: (_inputs, { axes }) => copied(axes.map((_, axis) => along(axes.indexOf(axis)))),
  gradient: (gradient, { attributes: { axes } }) => [
    permute(
      gradient,
      axes.map((_, axis) => axes.indexOf(axis)),
    ),
  ],
  cases: [
    {
      name: "transposes",
      args: (constant) => [constant([2, 3], "f32", [1, 2, 3, 4, 5, 6]), [1, 0]],
      shape: [3, 2],
      expected: [1, 4, 2, 5, 3, 6],
      smooth: true,
    },
    {
      name: "rotates three axes",
      args: (constant) => [constant([1, 2, 3], "i32", [1, 2, 3, 4, 5, 6]), [-1, 0, 1]],
      shape: [3, 1, 2],
      expected: [1, 4, 2, 5, 3, 6],
    },
  ],
});

/** Reverses axes. */
export const flip: OpFunction<[x: Node, axes?: number | readonly number[]]> = defineOp({
  name: "flip",
  summary: "Reverses the order along axes (all of them unless given).",
  prepare: (x: Node, axes?: number | readonly number[]) => ({
    inputs: [x],
    attributes: { axes: normalizeAxes("flip", axes, x.shape.length) },
  }),
  shortcut: ([x], { axes }) => (axes.length === 0 ? x : undefined),
  infer: ([x]) => x,
  meaning: ([x], { axes }) =>
    copied(x.shape.map((extent, axis) => (axes.includes(axis) ? along(axis, -1, extent - 1) : along(axis)))),
  gradient: (gradient, { attributes: { axes } }) => [flip(gradient, axes)],
  cases: [
    {
      name: "one axis",
      args: (constant) => [constant([2, 3], "f32", [1, 2, 3, 4, 5, 6]), 1],
      shape: [2, 3],
      expected: [3, 2, 1, 6, 5, 4],
      smooth: true,
    },
    {
      name: "all axes",
      args: (constant) => [constant([2, 2], "u8", [1, 2, 3, 4])],
      shape: [2, 2],
      expected: [4, 3, 2, 1],
    },
  ],
});

/** Adds (or, where negative, removes) elements at the edges. */
export const pad: OpFunction<[x: Node, padding: readonly (readonly [number, number])[], value?: number]> = defineOp({
  name: "pad",
  summary: "Adds [before, after] elements of one value along each axis; negative amounts remove elements.",
  prepare: (x: Node, padding: readonly (readonly [number, number])[], value: number = 0) => {
    if (
      padding.length !== x.shape.length ||
      padding.some((pair) => pair.length !== 2 || !pair.every(Number.isInteger))
    ) {
      throw new ArgumentError(
        `pad: padding ${JSON.stringify(padding)} must hold one [before, after] pair of integers for each axis of ${formatShape(x.shape)}.`,
      );
    }
    return { inputs: [x], attributes: { padding, value: constantValue(value, x.dtype) } };
  },
  shortcut: ([x], { padding }) => (padding.every(([before, after]) => before === 0 && after === 0) ? x : undefined),
  infer: ([x], { padding }) => {
    const shape = x.shape.map((extent, axis) => extent + padding[axis][0] + padding[axis][1]);
    if (shape.some((extent) => extent < 0)) {
      throw new ShapeError(`pad: padding ${JSON.stringify(padding)} removes more than ${formatShape(x.shape)} has.`);
    }
    return { shape, dtype: x.dtype };
  },
  meaning: (_inputs, { padding, value }) => ({
    kind: "movement",
    pieces: [{ input: 0, index: padding.map(([before], axis) => along(axis, 1, 0 - before)), guarded: true }],
    fill: value,
  }),
  gradient: (gradient, { attributes: { padding } }) => [
    pad(
      gradient,
      padding.map(([before, after]) => [0 - before, 0 - after] as const),
    ),
  ],
  cases: [
    {
      name: "with a value, asymmetric, one side cropped",
      args: (constant) => [
        constant([2, 2], "f32", [1, 2, 3, 4]),
        [
          [1, 0],
          [-1, 2],
        ],
        9,
      ],
      shape: [3, 3],
      expected: [9, 9, 9, 2, 9, 9, 4, 9, 9],
      smooth: true,
    },
    {
      name: "with -Infinity",
      args: (constant) => [constant([1], "f32", [1]), [[1, 1]], Number.NEGATIVE_INFINITY],
      shape: [3],
      expected: [Number.NEGATIVE_INFINITY, 1, Number.NEGATIVE_INFINITY],
    },
    {
      name: "an empty tensor",
      args: (constant) => [constant([0], "i32", []), [[1, 1]], 4],
      shape: [2],
      expected: [4, 4],
    },
  ],
});

/** Part of a tensor, with steps. */
export const slice: OpFunction<[x: Node, ranges: readonly (SliceRange | undefined)[]]> = defineOp({
  name: "slice",
  summary:
    "Part of a tensor: start, stop and step along each axis with Python's rules (negative numbers count from the end).",
  prepare: (x: Node, ranges: readonly (SliceRange | undefined)[]) => ({
    inputs: [x],
    attributes: sliceRanges("slice", x.shape, ranges),
  }),
  shortcut: ([x], { sizes, steps }) => (sameShape(x.shape, sizes) && steps.every((step) => step === 1) ? x : undefined),
  infer: ([x], { sizes }) => ({ shape: sizes, dtype: x.dtype }),
  meaning: (_inputs, { starts, steps }) => copied(starts.map((start, axis) => along(axis, steps[axis], start))),
  gradient: (gradient, { inputs: [x], attributes: { starts, sizes, steps } }) => {
    // Backward steps are a flip of forward ones; wide steps are undone by zeros between the elements, made with a new axis.
    const backward = steps.flatMap((step, axis) => (step < 0 ? [axis] : []));
    const spread = spreadOut(
      flip(gradient, backward),
      steps.map((step) => Math.abs(step)),
    );
    const padding = sizes.map((size, axis) => {
      const first = steps[axis] < 0 ? starts[axis] + (size - 1) * steps[axis] : starts[axis];
      return [first, x.shape[axis] - first - spread.shape[axis]] as const;
    });
    return sizeOf(sizes) === 0 ? [undefined] : [pad(spread, padding)];
  },
  cases: [
    {
      name: "steps forward and backward",
      args: (constant) => [
        constant([2, 5], "f32", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        [{ step: -1 }, { start: 1, stop: 5, step: 2 }],
      ],
      shape: [2, 2],
      expected: [7, 9, 2, 4],
      smooth: true,
    },
    {
      name: "a backward step of 2 that misses the first element",
      args: (constant) => [constant([4], "f32", [1, 2, 3, 4]), [{ step: -2 }]],
      shape: [2],
      expected: [4, 2],
      smooth: true,
    },
    {
      name: "negative and excessive bounds",
      args: (constant) => [constant([4], "i32", [1, 2, 3, 4]), [{ start: -3, stop: 99 }]],
      shape: [3],
      expected: [2, 3, 4],
    },
    {
      name: "nothing",
      args: (constant) => [constant([3], "u8", [1, 2, 3]), [{ start: 2, stop: 1 }]],
      shape: [0],
      expected: [],
    },
  ],
});

/** Puts `step − 1` zeros between neighbours along each axis: size n becomes (n − 1)·step + 1. */
function spreadOut(x: Node, steps: readonly number[]): Node {
  if (steps.every((step) => step === 1)) return x;
  const interleaved = x.shape.flatMap((extent) => [extent, 1]);
  const widened = pad(
    reshape(x, interleaved),
    interleaved.map((_, axis) => (axis % 2 === 0 ? ([0, 0] as const) : ([0, steps[(axis - 1) / 2] - 1] as const))),
  );
  const joined = reshape(
    widened,
    x.shape.map((extent, axis) => extent * steps[axis]),
  );
  return pad(
    joined,
    steps.map((step) => [0, 1 - step] as const),
  );
}

/** Tensors one after the other along an axis. */
export const concat: OpFunction<[inputs: readonly Node[], axis?: number]> = defineOp({
  name: "concat",
  summary: "Puts tensors one after the other along an axis.",
  prepare: (inputs: readonly Node[], axis: number = 0) => {
    if (inputs.length === 0) throw new ArgumentError("concat: received no tensors, expected at least one.");
    const mixed = inputs.find((input) => input.dtype !== inputs[0].dtype);
    if (mixed) {
      throw new DTypeError(
        `concat: dtypes ${inputs[0].dtype} and ${mixed.dtype} differ. Convert with .cast("${inputs[0].dtype}").`,
      );
    }
    return { inputs, attributes: { axis: normalizeAxis("concat", axis, inputs[0].shape.length) } };
  },
  shortcut: (inputs) => (inputs.length === 1 ? inputs[0] : undefined),
  infer: (inputs, { axis }) => {
    const shape = [...inputs[0].shape];
    for (const input of inputs.slice(1)) {
      const fits =
        input.shape.length === shape.length && input.shape.every((extent, i) => i === axis || extent === shape[i]);
      if (!fits) {
        throw new ShapeError(
          `concat: shapes ${inputs.map((each) => formatShape(each.shape)).join(", ")} must agree on every axis but ${axis}.`,
        );
      }
      shape[axis] += input.shape[axis];
    }
    return { shape, dtype: inputs[0].dtype };
  },
  meaning: (inputs, { axis }) => {
    let offset = 0;
    const pieces = inputs.map((input, position): MovementPiece => {
      const index = input.shape.map((_, i) => (i === axis ? along(i, 1, 0 - offset) : along(i)));
      offset += input.shape[axis];
      return { input: position, index, guarded: true };
    });
    return { kind: "movement", pieces, fill: 0 };
  },
  gradient: (gradient, { inputs, attributes: { axis }, needs }) => {
    let offset = 0;
    return inputs.map((input, position) => {
      const start = offset;
      offset += input.shape[axis];
      if (!needs[position]) return undefined;
      return slice(
        gradient,
        gradient.shape.map((_, i) => (i === axis ? { start, stop: offset } : undefined)),
      );
    });
  },
  cases: [
    {
      name: "along the last axis, one of them empty",
      args: (constant) => [
        [constant([2, 1], "f32", [1, 2]), constant([2, 0], "f32", []), constant([2, 2], "f32", [3, 4, 5, 6])],
        -1,
      ],
      shape: [2, 3],
      expected: [1, 3, 4, 2, 5, 6],
      smooth: true,
    },
    {
      name: "along the first axis",
      args: (constant) => [[constant([1], "i32", [1]), constant([2], "i32", [2, 3])]],
      shape: [3],
      expected: [1, 2, 3],
    },
  ],
});
