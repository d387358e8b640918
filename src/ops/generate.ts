import type { DType } from "../graph/dtype.ts";
import { checkShape, normalizeAxis, type Shape } from "../graph/shape.ts";
import { scalarCast, scalarConstant, scalarPosition } from "../kernel/scalar.ts";
import { constantValue } from "../kernel/scalar-evaluate.ts";
import { defineOp } from "./define.ts";

/** A tensor filled with one number that is part of the program's structure. */
export const constant = defineOp({
  name: "constant",
  summary:
    "Every element is one number that the program's structure fixes (numbers that change are arguments, not constants).",
  prepare: (value: number, shape: Shape = [], dtype: DType = "f32") => {
    checkShape("constant", shape);
    return { inputs: [], attributes: { value: constantValue(value, dtype), shape, dtype } };
  },
  infer: (_inputs, { shape, dtype }) => ({ shape, dtype }),
  meaning: (_inputs, { value, dtype }) => ({ kind: "elementwise", expression: () => scalarConstant(value, dtype) }),
  gradient: { none: "a constant depends on nothing" },
  cases: [
    { name: "a scalar", args: () => [2.5], shape: [], expected: [2.5] },
    { name: "NaN", args: () => [Number.NaN, [2]], shape: [2], expected: [Number.NaN, Number.NaN] },
    {
      name: "-Infinity",
      args: () => [Number.NEGATIVE_INFINITY, [1]],
      shape: [1],
      expected: [Number.NEGATIVE_INFINITY],
    },
    { name: "a mask", args: () => [3, [2, 1], "bool"], shape: [2, 1], expected: [1, 1] },
    { name: "empty", args: () => [1, [0, 3], "i32"], shape: [0, 3], expected: [] },
  ],
});

/** The position along one axis. */
export const iota = defineOp({
  name: "iota",
  summary: "The position 0, 1, 2, … along one axis of a shape.",
  prepare: (shape: Shape, axis: number = 0, dtype: DType = "i32") => {
    checkShape("iota", shape);
    return { inputs: [], attributes: { shape, axis: normalizeAxis("iota", axis, shape.length), dtype } };
  },
  infer: (_inputs, { shape, dtype }) => ({ shape, dtype }),
  meaning: (_inputs, { axis, dtype }) => ({
    kind: "elementwise",
    expression: () => scalarCast(scalarPosition(axis), dtype),
  }),
  gradient: { none: "positions depend on nothing" },
  cases: [
    { name: "along the last axis", args: () => [[2, 3], 1], shape: [2, 3], expected: [0, 1, 2, 0, 1, 2] },
    { name: "along the first axis in f32", args: () => [[2, 2], 0, "f32"], shape: [2, 2], expected: [0, 0, 1, 1] },
    {
      name: "u8 wraps",
      args: () => [[257], -1, "u8"],
      shape: [257],
      expected: Array.from({ length: 257 }, (_, i) => i % 256),
    },
  ],
});
