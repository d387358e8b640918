import { inspect } from "node:util";
import { expect, test } from "vitest";
import { ones, tensor, zeros } from "../../src/index.ts";

test("tensors print as NumPy prints arrays", () => {
  expect(
    [
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([0.1, 0.25]),
      tensor([1e-10, 1, 1e10]),
      tensor(3.5),
      tensor([true, false]),
      zeros([2, 3], "i32"),
      tensor([Number.NaN, Number.POSITIVE_INFINITY, -1.5, -0]),
      zeros([0, 3]),
      ones([2, 1, 2]),
    ].map(String),
  ).toMatchInlineSnapshot(`
    [
      "tensor([[1., 2.],
            [3., 4.]], shape=(2, 2), dtype=f32)",
      "tensor([0.10, 0.25], shape=(2,), dtype=f32)",
      "tensor([1.0000e-10, 1.0000e+00, 1.0000e+10], shape=(3,), dtype=f32)",
      "tensor(3.5, shape=(), dtype=f32)",
      "tensor([ true, false], shape=(2,), dtype=bool)",
      "tensor([[0, 0, 0],
            [0, 0, 0]], shape=(2, 3), dtype=i32)",
      "tensor([ nan,  inf, -1.5, -0.0], shape=(4,), dtype=f32)",
      "tensor([], shape=(0, 3), dtype=f32)",
      "tensor([[[1., 1.]],

            [[1., 1.]]], shape=(2, 1, 2), dtype=f32)",
    ]
  `);
});

test("beyond 1,000 elements the middle is left out; console.log prints the same", () => {
  const text = inspect(zeros([40, 50]));
  expect(text.split("\n")).toHaveLength(7);
  expect(text).toContain("[0., 0., 0., ..., 0., 0., 0.]");
  expect(text).toContain("shape=(40, 50)");
});
