/** Rows of the semantics table about programs over time: what is compiled when, what stays as it was after a failure, what memory is held. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  compile,
  concat,
  dropout,
  evaluate,
  IndexRangeError,
  noGrad,
  setRandomSeed,
  type Tensor,
  tensor,
  Variable,
  zeros,
} from "../../src/index.ts";
import { availableTargets } from "../targets.ts";
import {
  assignAll,
  closeTo,
  during,
  engine,
  expectedStep,
  gradients,
  ramp,
  SmallNetwork,
  sgdStep,
  squaredLoss,
  zeroGrad,
} from "./programs.ts";

describe.each(availableTargets())("semantics on %s", (target) => {
  beforeAll(() => engine.setTarget(target));
  const x = ramp([5, 4]);
  const y = ramp([5, 3], 1, 9);
  const [xs, ys] = [Array.from(x.dataSync()), Array.from(y.dataSync())];

  test("moving average of weights every step: memory constant over 10,000 steps", () => {
    const weight = new Variable([1, 2, 3]);
    const average = new Variable([0, 0, 0], { trainable: false });
    const step = (): void => {
      assignAll([[weight, weight.mul(0.999)]]);
      average.assign(average.mul(0.9).add(weight.mul(0.1)));
    };
    for (let i = 0; i < 20; i++) step();
    const before = engine.stats();
    for (let i = 0; i < 10_000; i++) step();
    const after = engine.stats();
    expect(after.compilations).toBe(before.compilations);
    expect(after.trackedBytes).toBe(before.trackedBytes);
    const decay = 0.999 ** 10_020;
    closeTo(weight.dataSync(), [decay, 2 * decay, 3 * decay], 1e-3);
    let expected = 0;
    let w = 1;
    for (let i = 0; i < 10_020; i++) {
      w *= 0.999;
      expected = 0.9 * expected + 0.1 * w;
    }
    closeTo([average.dataSync()[0]], [expected], 1e-3);
  });

  test("dropout: new mask each step, same sequence for a seed", () => {
    const ones = tensor(new Float32Array(256).fill(1));
    const masks = (): string[] => {
      setRandomSeed(7);
      return Array.from({ length: 4 }, () => dropout(ones, 0.5).dataSync().join());
    };
    const first = masks();
    expect(new Set(first).size).toBe(4);
    expect(during(() => expect(masks()).toEqual(first)).compilations).toBe(0);
    setRandomSeed(8);
    expect(dropout(ones, 0.5).dataSync().join()).not.toBe(first[0]);
    const kept = Array.from(dropout(tensor(new Float32Array(100_000).fill(1)), 0.25).dataSync());
    expect(new Set(kept)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    expect(kept.filter((v) => v !== 0).length / kept.length).toBeCloseTo(0.75, 2);
  });

  test("short last batch; shuffled batches; sliced batches: one compilation for the short shape; none; none", () => {
    const network = new SmallNetwork();
    const data = ramp([10, 4]);
    const wanted = ramp([10, 3], 1, 4);
    const step = (inputs: Tensor, targets: Tensor): number =>
      during(() => {
        const loss = squaredLoss(network.forward(inputs), targets);
        const grads = gradients(loss, network.parameters);
        assignAll(
          network.parameters.map((p, i) => [p, p.sub((grads[i] as Tensor).mul(0.1))]),
          { compute: [loss] },
        );
      }).compilations;
    const sliced = (start: number, end: number): number =>
      step(data.slice([start], [end]), wanted.slice([start], [end]));
    sliced(0, 4);
    sliced(4, 8);
    expect(sliced(0, 4)).toBe(0);
    expect(sliced(8, 10)).toBe(1);
    expect(sliced(4, 8)).toBe(0);
    expect(sliced(8, 10)).toBe(0);
    const shuffled = (order: number[]): number => {
      const indices = tensor(new Int32Array(order));
      const [inputs, targets] = [data.take(indices, 0), wanted.take(indices, 0)];
      evaluate(inputs, targets);
      return step(inputs, targets);
    };
    shuffled([3, 1, 9, 0]);
    shuffled([7, 2, 4, 4]);
    expect(during(() => expect(shuffled([0, 5, 6, 8])).toBe(0)).compilations).toBe(0);
  });

  test("while (x.norm().item() > 1) x = x.div(2): right, bounded compilations", () => {
    let value = tensor([30, 40]);
    const counts = during(() => {
      while (value.norm().item() > 1) value = value.div(2);
    });
    closeTo(value.dataSync(), [30 / 64, 40 / 64]);
    expect(counts.compilations).toBeLessThanOrEqual(3);
  });

  test("sequences of length 1 to 20, twice: one compilation per length in the first round, none in the second", () => {
    const cell = new Variable(ramp([3, 3], 0.4));
    const run = (length: number): number => {
      let state: Tensor = tensor([[0.1, 0.2, 0.3]]);
      for (let t = 0; t < length; t++) state = state.matmul(cell).tanh();
      return state.sum().item();
    };
    const first: number[] = [];
    expect(
      during(() => {
        for (let n = 1; n <= 20; n++) first.push(run(n));
      }).compilations,
    ).toBe(20);
    const second: number[] = [];
    expect(
      during(() => {
        for (let n = 1; n <= 20; n++) second.push(run(n));
      }).compilations,
    ).toBe(0);
    expect(second).toEqual(first);
  });

  test("user code throws in the middle of a forward: next step unaffected", () => {
    const network = new SmallNetwork();
    const expected = expectedStep(network.values(), xs, ys, 5);
    expect(() => {
      network.hidden(x);
      throw new Error("user");
    }).toThrow("user");
    expect(() => network.forward(ramp([5, 3]))).toThrow(/matmul/);
    const loss = squaredLoss(network.forward(x), y);
    loss.backward();
    sgdStep(network.parameters, 0.1);
    closeTo([loss.item()], [expected.loss]);
    network.parameters.forEach((parameter, i) => closeTo(parameter.grad?.dataSync(), expected.gradients[i]));
  });

  test("a label out of range at step 5: typed error, weights equal those after step 4", () => {
    const table = new Variable(ramp([6, 3]));
    const step = (labels: number[]): void => {
      const picked = table.take(tensor(new Int32Array(labels)), 0);
      const loss = picked.square().sum();
      const [slope] = gradients(loss, [table]);
      assignAll([[table, table.sub((slope as Tensor).mul(0.1))]], { compute: [loss] });
    };
    for (let i = 0; i < 4; i++) step([i, i + 1]);
    const before = table.dataSync();
    expect(() => step([2, 6])).toThrow(IndexRangeError);
    expect(table.dataSync()).toEqual(before);
    step([0, 5]);
    expect(table.dataSync()).not.toEqual(before);
  });

  test("const p = loss.data() unawaited, step(), await p: the value before the update", async () => {
    const weight = new Variable([2, 3]);
    const loss = weight.square().sum();
    const promise = loss.data();
    assignAll([[weight, weight.mul(0)]]);
    closeTo(await promise, [13]);
  });

  test("typed array changed by the user after tensor(array): tensor unchanged; data() is a copy", () => {
    const array = new Float32Array(100).fill(1);
    const t = tensor(array);
    array.fill(5);
    expect(t.sum().item()).toBe(100);
    t.dataSync().fill(7);
    expect(t.sum().item()).toBe(100);
  });

  test("inference loop under noGrad, synchronous: tracked bytes constant", () => {
    const network = new SmallNetwork();
    const run = (): number => noGrad(() => network.forward(x).keep().sum().item());
    run();
    run();
    const before = engine.stats();
    for (let i = 0; i < 200; i++) run();
    expect(engine.stats().trackedBytes).toBe(before.trackedBytes);
    expect(engine.stats().compilations).toBe(before.compilations);
  });

  test("printing a pending tensor in the middle: later results and compilations unchanged", () => {
    const run = (print: boolean): number[] => {
      const network = new SmallNetwork();
      const losses: number[] = [];
      for (let step = 0; step < 3; step++) {
        const output = network.forward(x);
        if (print) expect(String(output)).toMatch(/^tensor\(/);
        const loss = squaredLoss(output, y);
        zeroGrad(network.parameters);
        loss.backward();
        sgdStep(network.parameters, 0.1);
        losses.push(loss.item());
      }
      return losses;
    };
    const plain = run(false);
    expect(run(true)).toEqual(plain);
    expect(during(() => expect(run(true)).toEqual(plain)).compilations).toBe(0);
    expect(during(() => expect(run(false)).toEqual(plain)).compilations).toBe(0);
  });

  test("compile(step): the argument takes effect, the closed-over number does not, replays compile nothing", () => {
    const weight = new Variable([1, 2]);
    let outside = 10;
    const step = compile((input: Tensor, rate: Tensor) => {
      const loss = weight.mul(input).sum().add(outside);
      const [slope] = gradients(weight.mul(input).sum(), [weight]);
      assignAll([[weight, weight.sub((slope as Tensor).mul(rate))]]);
      return loss;
    });
    const input = tensor([3, 4]);
    expect(step(input, 0.5).item()).toBe(21);
    closeTo(weight.dataSync(), [-0.5, 0]);
    outside = 1000;
    const counts = during(() => {
      expect(step(input, 1).item()).toBe(8.5);
      closeTo(weight.dataSync(), [-3.5, -4]);
    });
    expect(counts.compilations).toBe(0);
    const reading = compile((value: Tensor) => value.mul(value.sum().item()));
    expect(() => reading(input)).toThrow(/compiled function/);
  });

  test("a pending variable value is part of what reads it", () => {
    const counter = new Variable(zeros([2]), { trainable: false });
    counter.assign(counter.add(1));
    const seen = concat([counter, counter.mul(2)], 0);
    counter.assign(counter.add(1));
    closeTo(seen.dataSync(), [1, 1, 2, 2]);
    closeTo(counter.dataSync(), [2, 2]);
  });
});
