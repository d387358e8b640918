import { expect, test } from "vitest";
import {
  arange,
  full,
  noGrad,
  pow,
  setRandomSeed,
  squeeze,
  TriviumError,
  tensor,
  Variable,
  zeros,
} from "../../src/index.ts";

/** The message, and whether the first frame of the stack is in this file. */
function caught(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(TriviumError);
    const frame = (error as Error).stack?.split("\n").find((line) => line.trimStart().startsWith("at "));
    expect(frame).toContain("errors.test.ts");
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  throw new Error("no error");
}

test("mistakes name the operation, what was received and what was expected, at the user's line", () => {
  const square = tensor([
    [1, 2],
    [3, 4],
  ]);
  const frozen = tensor([1, 2]);
  expect(
    [
      () => square.matmul(tensor([[1, 2, 3]])),
      () => tensor([1, 2]).add(tensor([1, 2, 3])),
      () => tensor([[1, 2], [3]]),
      () => tensor([1, 2, 3], { shape: [2, 2] }),
      () => tensor([1], { dtype: "float64" }),
      () => tensor(new Int16Array(2) as unknown as Int32Array),
      () => square.reshape(3, -1),
      () => square.sum(2),
      () => square.item(),
      () => square.cast("complex64"),
      () => square.permute(0, 0),
      () => squeeze(square, 0),
      () => square.expand(3, 2),
      () => square.take(tensor([0.5]), 0),
      () => square.clip(),
      () => zeros([-1]),
      () => full([2], 1, "int64"),
      () => arange(0, 10, 0),
      () => frozen.sum().backward(),
      () => square.backward(),
      () => new Variable([1, 2], { name: "w" }).assign([1, 2, 3]),
      () => noGrad(async () => 1),
      () => setRandomSeed(0.5),
      () => pow(square, tensor([1, 2, 3])),
    ].map(caught),
  ).toMatchInlineSnapshot(`
    [
      "ShapeError: matmul: cannot multiply (2, 2) by (1, 3): the last axis of the first must equal the last but one axis of the second, and neither may be a scalar.",
      "ShapeError: add: shapes (2,) and (3,) do not broadcast: axis 0 has sizes 2 and 3 (sizes must be equal, or one of them 1).",
      "ShapeError: tensor: nested arrays must have equal lengths: expected 2 entries at depth 1, got 1.",
      "ShapeError: tensor: 3 values do not fill shape (2, 2), which holds 4.",
      "DTypeError: dtype "float64" is not available: Trivium computes in f32, i32, u8 and bool. Convert with .cast("f32") or pass dtype: "f32".",
      "DTypeError: tensor: Int16Array has no dtype here; convert it to Float32Array (f32), Int32Array (i32) or Uint8Array (u8).",
      "ShapeError: reshape: (2, 2) (4 elements) to (3, -1): the number of elements is not a multiple of 3.",
      "ArgumentError: sum: axis 2 is out of range for a tensor of rank 2 (expected -2 to 1).",
      "ShapeError: item: the tensor has 4 elements, shape (2, 2); use data() or toArray().",
      "DTypeError: unknown dtype "complex64": expected one of f32, i32, u8, bool.",
      "ArgumentError: permute: axes [0, 0] must name each of the 2 axes of (2, 2) once.",
      "ArgumentError: squeeze: axis 0 has size 2, only an axis of size 1 can be removed.",
      "ShapeError: expand: shape (2, 2) does not expand to (3, 2) (each size must be equal or 1, counted from the last axis).",
      "DTypeError: gather: indices must be i32 or u8, received f32; convert with .cast("i32").",
      "ArgumentError: clip: give a minimum, a maximum, or both.",
      "ShapeError: constant: (-1,) is not a shape: every size must be an integer of 0 or more.",
      "DTypeError: dtype "int64" is not available: Trivium computes in f32, i32, u8 and bool. Convert with .cast("i32") or pass dtype: "i32".",
      "ArgumentError: arange: no numbers lead from 0 to 10 by 0.",
      "GradientError: backward: the tensor has no gradient path: nothing it was made from is a trainable variable or has requiresGrad (was it made under noGrad, or detached?).",
      "GradientError: backward: the tensor has no gradient path: nothing it was made from is a trainable variable or has requiresGrad (was it made under noGrad, or detached?).",
      "ShapeError: tensor: 3 values do not fill shape (2,), which holds 2.",
      "ArgumentError: noGrad: the callback is asynchronous; gradient recording is decided while it runs, so it must be synchronous.",
      "ArgumentError: seed: expected an integer of 32 bits, got 0.5.",
      "ShapeError: pow: shapes (2, 2) and (3,) do not broadcast: axis 1 has sizes 2 and 3 (sizes must be equal, or one of them 1).",
    ]
  `);
});
