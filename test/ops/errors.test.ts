import { describe, expect, test } from "vitest";
import type { DType } from "../../src/graph/dtype.ts";
import type { Shape } from "../../src/graph/shape.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import * as op from "../../src/ops/index.ts";
import { leafOf } from "../../src/testing/nodes.ts";

const of = (shape: Shape, dtype: DType = "f32") => leafOf(shape, dtype, new Array(sizeOf(shape)).fill(1));
const failure = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return String(error);
  }
  return "no error";
};

describe("errors name the op, what it received and what it expected", () => {
  test.each([
    ["add", () => op.add(of([2, 3]), of([4]))],
    ["sub of masks", () => op.sub(of([1], "bool"), of([1], "bool"))],
    ["pow of integers", () => op.pow(of([1], "i32"), of([1], "i32"))],
    ["bitwiseAnd of f32", () => op.bitwiseAnd(of([1]), of([1], "i32"))],
    ["neg of a mask", () => op.neg(of([1], "bool"))],
    ["bitcast of u8", () => op.bitcast(of([1], "u8"), "f32")],
    ["reshape to another size", () => op.reshape(of([2, 3]), [4])],
    ["reshape with two free sizes", () => op.reshape(of([2, 3]), [-1, -1])],
    ["reshape by what does not divide", () => op.reshape(of([2, 3]), [-1, 4])],
    ["permute", () => op.permute(of([2, 3]), [0, 0])],
    ["expand", () => op.expand(of([2, 3]), [2, 4])],
    ["slice step 0", () => op.slice(of([2]), [{ step: 0 }])],
    ["slice of too many axes", () => op.slice(of([2]), [undefined, undefined])],
    ["pad", () => op.pad(of([2, 2]), [[1, 1]])],
    ["pad below nothing", () => op.pad(of([2]), [[-2, -1]])],
    ["concat of nothing", () => op.concat([])],
    ["concat of shapes", () => op.concat([of([2, 3]), of([3, 2])], 0)],
    ["concat of dtypes", () => op.concat([of([2]), of([2], "i32")])],
    ["sum over an axis there is not", () => op.sum(of([2, 3]), 2)],
    ["sum over an axis twice", () => op.sum(of([2, 3]), [0, -2])],
    ["amax of nothing", () => op.amax(of([0, 3]), 0)],
    ["argmax of nothing", () => op.argmax(of([0]))],
    ["mean of integers", () => op.mean(of([2], "i32"))],
    ["constant of no shape", () => op.constant(1, [-1])],
  ])("%s", (_name, action) => {
    expect(failure(action)).toMatchSnapshot();
  });
});
