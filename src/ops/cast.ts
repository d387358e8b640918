import { DTypeError } from "../errors.ts";
import type { DType } from "../graph/dtype.ts";
import type { Node } from "../graph/node.ts";
import { scalarBitcast, scalarCast } from "../kernel/scalar.ts";
import { defineOp } from "./define.ts";

/** Converts elements to another dtype. */
export const cast = defineOp({
  name: "cast",
  summary:
    "Converts elements. f32 to i32 truncates and saturates (NaN gives 0), anything to u8 keeps the low 8 bits of the integer, anything to bool is x ≠ 0.",
  prepare: (x: Node, dtype: DType) => ({ inputs: [x], attributes: { dtype } }),
  shortcut: ([x], { dtype }) => (x.dtype === dtype ? x : undefined),
  infer: ([x], { dtype }) => ({ shape: x.shape, dtype }),
  meaning: (_inputs, { dtype }) => ({ kind: "elementwise", expression: ([input]) => scalarCast(input, dtype) }),
  gradient: { none: "a cast has an integer or a mask on one side, which carries no gradient" },
  cases: [
    {
      name: "f32 to i32 truncates and saturates",
      args: (constant) => [
        constant([7], "f32", [1.9, -1.9, 0.5, 3e9, -3e9, Number.NaN, Number.POSITIVE_INFINITY]),
        "i32",
      ],
      shape: [7],
      expected: [1, -1, 0, 2147483647, -2147483648, 0, 2147483647],
    },
    {
      name: "i32 to u8 keeps the low byte",
      args: (constant) => [constant([4], "i32", [0, 255, 256, -1]), "u8"],
      shape: [4],
      expected: [0, 255, 0, 255],
    },
    {
      name: "f32 to u8 wraps",
      args: (constant) => [constant([3], "f32", [1.5, 257.9, -1]), "u8"],
      shape: [3],
      expected: [1, 1, 255],
    },
    {
      name: "f32 to bool is a test against 0, NaN is true",
      args: (constant) => [constant([4], "f32", [0, -0, 0.25, Number.NaN]), "bool"],
      shape: [4],
      expected: [0, 0, 1, 1],
    },
    {
      name: "bool to f32",
      args: (constant) => [constant([2], "bool", [0, 1]), "f32"],
      shape: [2],
      expected: [0, 1],
    },
    {
      name: "u8 to i32",
      args: (constant) => [constant([2], "u8", [0, 255]), "i32"],
      shape: [2],
      expected: [0, 255],
    },
  ],
});

/** Reinterprets the 32 bits of each element. */
export const bitcast = defineOp({
  name: "bitcast",
  summary: "Reinterprets the 32 bits of each element as the other of f32 and i32.",
  prepare: (x: Node, dtype: "f32" | "i32") => ({ inputs: [x], attributes: { dtype } }),
  shortcut: ([x], { dtype }) => (x.dtype === dtype ? x : undefined),
  infer: ([x], { dtype }) => {
    if (x.dtype !== "f32" && x.dtype !== "i32") {
      throw new DTypeError(`bitcast: dtype ${x.dtype} has no 32-bit elements (expected f32 or i32).`);
    }
    return { shape: x.shape, dtype };
  },
  meaning: (_inputs, { dtype }) => ({ kind: "elementwise", expression: ([input]) => scalarBitcast(input, dtype) }),
  gradient: { none: "bits are not differentiable" },
  cases: [
    {
      name: "bits of f32",
      args: (constant) => [constant([4], "f32", [1, -0, Number.POSITIVE_INFINITY, -2]), "i32"],
      shape: [4],
      expected: [0x3f800000, -2147483648, 0x7f800000, -1073741824],
    },
    {
      name: "bits to f32",
      args: (constant) => [constant([2], "i32", [0x40490fdb, 1]), "f32"],
      shape: [2],
      expected: [Math.fround(Math.PI), 2 ** -149],
    },
  ],
});
