import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { withGradMode } from "../../src/graph/grad-mode.ts";
import type { Node } from "../../src/graph/node.ts";
import * as op from "../../src/ops/index.ts";
import { leafOf, valuesOf } from "../../src/testing/nodes.ts";

const input = (shape: readonly number[], data: readonly number[]) => leafOf(shape, "f32", data, true);
const numbers = (node: Node | undefined) => Array.from(valuesOf([node as Node])[0]);
const slope = (output: Node, at: Node) => numbers(gradients([output], [at])[0]);

describe("gradients", () => {
  test("accumulate over every path", () => {
    const x = input([2], [3, 5]);
    expect(slope(op.add(op.mul(x, x), x), x)).toEqual([7, 11]);
  });

  test("sum over outputs, weighted by seeds", () => {
    const x = input([2], [1, 2]);
    const outputs = [op.mul(x, x), op.neg(x)];
    expect(numbers(gradients(outputs, [x])[0])).toEqual([1, 3]);
    expect(numbers(gradients(outputs, [x], [leafOf([2], "f32", [10, 100]), undefined])[0])).toEqual([19, 399]);
  });

  test("reduce over broadcast axes", () => {
    const row = input([3], [1, 2, 3]);
    const column = input([2, 1], [10, 20]);
    const product = op.mul(row, column);
    expect(slope(product, row)).toEqual([30, 30, 30]);
    expect(gradients([product], [column])[0]?.shape).toEqual([2, 1]);
    expect(slope(product, column)).toEqual([6, 6]);
  });

  test("are undefined without a path, an error when strict", () => {
    const x = input([1], [1]);
    const apart = input([1], [1]);
    const output = op.mul(x, x);
    expect(gradients([output], [apart])).toEqual([undefined]);
    expect(gradients([op.floor(x)], [x])).toEqual([undefined]);
    expect(() => gradients([output], [apart], undefined, { strict: true })).toThrowErrorMatchingSnapshot();
  });

  test("stop at constants, masks and under noGrad", () => {
    const x = input([2], [1, -1]);
    const held = withGradMode(false, () => op.mul(x, x));
    expect(held.requiresGrad).toBe(false);
    expect(op.gt(x, op.constant(0)).requiresGrad).toBe(false);
    expect(op.cast(x, "i32").requiresGrad).toBe(false);
    expect(slope(op.mul(x, held), x)).toEqual([1, 1]);
  });

  test("have a graph of their own only when asked", () => {
    const x = input([1], [2]);
    const cube = op.mul(x, op.mul(x, x));
    expect(gradients([cube], [x])[0]?.requiresGrad).toBe(false);
    const [first] = gradients([cube], [x], undefined, { createGraph: true });
    const [second] = gradients([first as Node], [x], undefined, { createGraph: true });
    const [third] = gradients([second as Node], [x]);
    expect([first, second, third].map((node) => numbers(node)[0])).toEqual([12, 12, 6]);
  });

  test("of an inner node, and of itself", () => {
    const x = input([1], [2]);
    const inner = op.mul(x, x);
    const output = op.mul(inner, inner);
    expect(numbers(gradients([output], [inner])[0])).toEqual([8]);
    expect(gradients([output], [inner, x]).map((node) => numbers(node)[0])).toEqual([8, 32]);
    expect(numbers(gradients([output], [output])[0])).toEqual([1]);
  });

  test("go through a chain of 20,000 nodes", () => {
    const x = input([1], [1]);
    const step = op.constant(1, [1]);
    let y: Node = x;
    for (let i = 0; i < 20000; i++) y = op.add(y, step);
    expect(slope(y, x)).toEqual([1]);
  });

  test("are refused for seeds of another shape", () => {
    const x = input([2], [1, 2]);
    expect(() => gradients([op.neg(x)], [x], [leafOf([1], "f32", [1])])).toThrowErrorMatchingSnapshot();
  });
});

describe("at kinks and ties", () => {
  const zero = () => input([1], [0]);
  test("abs, relu and sign at 0", () => {
    const x = zero();
    expect(slope(op.abs(x), x)).toEqual([0]);
    expect(slope(op.relu(x), x)).toEqual([0]);
  });
  test("maximum and minimum of equals share half and half", () => {
    const [a, b] = [input([1], [2]), input([1], [2])];
    for (const tied of [op.maximum(a, b), op.minimum(a, b)]) {
      expect(slope(tied, a)).toEqual([0.5]);
      expect(slope(tied, b)).toEqual([0.5]);
    }
  });
  test("amax and amin split evenly over those that attain it", () => {
    const x = input([2, 3], [5, 1, 5, 2, 2, 2]);
    expect(slope(op.amax(x, 1), x)).toEqual([0.5, 0, 0.5, 1 / 3, 1 / 3, 1 / 3]);
    expect(slope(op.amin(x, 1), x)).toEqual([0, 1, 0, 1 / 3, 1 / 3, 1 / 3]);
  });
  test("prod with one zero and with two", () => {
    const x = input([2, 3], [0, 2, 3, 0, 0, 4]);
    expect(slope(op.prod(x, 1), x)).toEqual([6, 0, 0, 0, 0, 0]);
  });
  test("pow of 0", () => {
    const [x, y] = [input([3], [0, 0, 0]), input([3], [0, 1, 2])];
    expect(slope(op.pow(x, y), x)).toEqual([0, 1, 0]);
    expect(slope(op.pow(x, y), y)).toEqual([0, 0, 0]);
  });
  test("where passes nothing to the side not chosen, even if that is NaN", () => {
    const x = input([2], [1, -1]);
    const safe = op.where(op.gt(x, op.constant(0)), x, op.constant(1));
    expect(slope(op.where(op.gt(x, op.constant(0)), op.log(safe), op.constant(0)), x)).toEqual([1, 0]);
  });
});
