import { expect, test } from "vitest";
import { arange, clip, concat, eye, linspace, stack, tensor, tensorView, Variable, where } from "../../src/index.ts";

test("numbers take the dtype of the tensor beside them", () => {
  const integers = tensor(new Int32Array([1, 2]));
  expect(integers.add(1).dtype).toBe("i32");
  expect(integers.add(0.5).dtype).toBe("f32");
  expect(integers.div(2).toArray()).toEqual([0.5, 1]);
  expect(tensor([true, false]).add(1).dtype).toBe("i32");
  expect(
    tensor(new Uint8Array([250]))
      .add(10)
      .toArray(),
  ).toEqual([4]);
  expect(tensor([1, 2]).gt(1).toArray()).toEqual([false, true]);
});

test("creation, shapes, choice", () => {
  expect(arange(5).dtype).toBe("i32");
  expect(arange(0, 1, 0.25).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
  expect(linspace(0, 1, 3).toArray()).toEqual([0, 0.5, 1]);
  expect(eye(2).toArray()).toEqual([
    [1, 0],
    [0, 1],
  ]);
  const x = arange(6).reshape(2, -1);
  expect(x.shape).toEqual([2, 3]);
  expect(x.transpose().shape).toEqual([3, 2]);
  expect(x.unsqueeze(-1).shape).toEqual([2, 3, 1]);
  expect(x.unsqueeze(0).squeeze().shape).toEqual([2, 3]);
  expect(x.slice([0, -1]).toArray()).toEqual([[2], [5]]);
  expect(x.flatten().shape).toEqual([6]);
  expect(stack([x, x], 1).shape).toEqual([2, 2, 3]);
  expect(concat([x, x], -1).shape).toEqual([2, 6]);
  expect(where(x.gt(2), x, -1).toArray()).toEqual([
    [-1, -1, -1],
    [3, 4, 5],
  ]);
  expect(clip(tensor([-2, 0.5, 9]), 0, 1).toArray()).toEqual([0, 0.5, 1]);
  expect(tensor([1, 2, 3]).norm().item()).toBeCloseTo(Math.sqrt(14), 6);
  expect(tensor([4]).pow(0.5).item()).toBe(2);
});

test("tensorView shares a large array and copies a small one", () => {
  const large = new Float32Array(100).fill(2);
  expect(tensorView(large, [10, 10], "f32").sum().item()).toBe(200);
  const small = new Float32Array(4).fill(2);
  const copied = tensorView(small, [4], "f32");
  small.fill(0);
  expect(copied.sum().item()).toBe(8);
});

test("variables: versions, a variable made from another keeps its value, integers are not trainable", () => {
  const first = new Variable([1, 2]);
  const second = new Variable(first);
  first.assign([5, 6]);
  expect(first.toArray()).toEqual([5, 6]);
  expect(first.version).toBe(1);
  expect(second.toArray()).toEqual([1, 2]);
  expect(new Variable(new Int32Array([1])).trainable).toBe(false);
});

test("gradients reach a tensor marked requiresGrad and accumulate", () => {
  const x = tensor([1, 2, 3]);
  x.requiresGrad = true;
  x.square().sum().backward();
  x.mul(10).sum().backward();
  expect(x.grad?.toArray()).toEqual([12, 14, 16]);
});
