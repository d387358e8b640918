import { beforeAll, describe, expect, test } from "vitest";
import { gradients as nodeGradients } from "../../src/autodiff/gradients.ts";
import { scan as nodeScan } from "../../src/control/scan.ts";
import { withGradMode } from "../../src/graph/grad-mode.ts";
import { add, matmul, mul, sum, tanh } from "../../src/ops/index.ts";
import { engine, gradients, noGrad, ones, scan, tensor, Variable, zeros } from "../../src/tensor/index.ts";
import { wideMachine } from "../../src/testing/run-plan.ts";
import { assertScheduled } from "../schedule/scheduling.ts";
import { availableTargets } from "../targets.ts";
import { leaf } from "./networks.ts";

test("kernels of second-order gradients", () => {
  const [x, h0, W] = [leaf([3, 4, 2], 1), leaf([4, 2], 2), leaf([2, 2], 3)];
  const { carries } = nodeScan(
    ([h], [element]) => ({ carries: [tanh(add(matmul(h, W), element))], outputs: [] }),
    [h0],
    [x],
  );
  const leaves = [x, h0, W];
  const first = withGradMode(true, () => nodeGradients([sum(carries[0])], leaves, [], { createGraph: true }));
  const penalty = withGradMode(true, () => first.map((each) => sum(mul(each!, each!))).reduce((a, b) => add(a, b)));
  const second = nodeGradients([penalty], leaves);
  assertScheduled([penalty, ...second.map((each) => each!)], wideMachine, { relative: 2e-5, absolute: 2e-5 });
});

describe.each(availableTargets())("on %s", (target) => {
  beforeAll(() => engine.setTarget(target));

  test("scalars", () => {
    const rate = new Variable(2);
    const { carries, outputs } = scan(
      ([sum], [x]) => ({ carries: [sum.add(x.mul(rate))], outputs: [x] }),
      [zeros([])],
      [tensor([1, 2, 3])],
    );
    expect(carries[0].item()).toBe(12);
    expect(outputs[0].toArray()).toEqual([1, 2, 3]);
    expect(gradients(carries[0], [rate])[0]?.item()).toBe(6);
  });

  test("no sequence, a carry that is never read, one that never changes, outputs from outside", () => {
    const weight = new Variable([1, 2]);
    const { carries, outputs } = scan(
      ([, still]) => ({ carries: [weight.mul(3), still], outputs: [weight, ones([2])] }),
      [zeros([2]), ones([2])],
      [],
      { length: 3 },
    );
    expect(carries.map((each) => each.toArray())).toEqual([
      [3, 6],
      [1, 1],
    ]);
    expect(outputs.map((each) => each.sum().item())).toEqual([9, 6]);
    const [slope] = gradients(carries[0].sum().add(outputs[0].sum()), [weight]);
    expect(slope?.toArray()).toEqual([6, 6]);
  });

  test("an empty batch", () => {
    const weight = new Variable(ones([3, 3]));
    const { carries, history } = scan(
      ([h], [x]) => ({ carries: [h.matmul(weight).add(x)] }),
      [zeros([0, 3])],
      [zeros([4, 0, 3])],
    );
    expect(history[0].shape).toEqual([4, 0, 3]);
    expect(gradients(carries[0].sum(), [weight])[0]?.toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test("a mask of bytes, indices, and a bool that decides", () => {
    const table = new Variable([
      [1, 2],
      [3, 4],
    ]);
    const steps = scan(
      ([h], [index, keep]) => ({ carries: [h.add(table.take(index, 0)).mul(keep.cast("f32"))] }),
      [zeros([2])],
      [tensor(new Int32Array([0, 1, 1])), tensor([true, false, true])],
    ).history[0];
    expect(steps.toArray()).toEqual([
      [1, 2],
      [0, 0],
      [3, 4],
    ]);
    expect(gradients(steps.sum(), [table])[0]?.toArray()).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  test("debug mode and noGrad", () => {
    const weight = new Variable([2, 3]);
    const run = () => scan(([h], [x]) => ({ carries: [h.mul(weight).add(x)] }), [ones([2])], [ones([3, 2])]).carries[0];
    const expected = run().toArray();
    expect(noGrad(run).toArray()).toEqual(expected);
    engine.setDebug(true);
    try {
      expect(run().toArray()).toEqual(expected);
    } finally {
      engine.setDebug(false);
    }
  });
});
