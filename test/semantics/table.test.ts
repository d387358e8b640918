/** The table of what a program means: one program per row, its values and its number of compilations, on every target. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  compile,
  concat,
  dropout,
  evaluate,
  GradientError,
  IndexRangeError,
  noGrad,
  StaleTensorError,
  setRandomSeed,
  stack,
  type Tensor,
  tensor,
  Variable,
  zeros,
} from "../../src/index.ts";
import { availableTargets } from "../targets.ts";
import {
  assignAll,
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

function closeTo(actual: ArrayLike<number> | undefined, expected: ArrayLike<number>, tolerance = 1e-5): void {
  expect(actual).toBeDefined();
  const values = Array.from(actual as ArrayLike<number>);
  expect(values.length).toBe(expected.length);
  values.forEach((value, i) =>
    expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(tolerance * (1 + Math.abs(expected[i]))),
  );
}

describe.each(availableTargets())("semantics on %s", (target) => {
  beforeAll(() => engine.setTarget(target));
  const x = ramp([5, 4]);
  const y = ramp([5, 3], 1, 9);
  const [xs, ys] = [Array.from(x.dataSync()), Array.from(y.dataSync())];

  test("loss.item() before backward() each step: right gradients, forward executed once per step, no compilation after the second pass", () => {
    const network = new SmallNetwork();
    for (let step = 0; step < 4; step++) {
      const expected = expectedStep(network.values(), xs, ys, 5);
      const counts = during(() => {
        const loss = squaredLoss(network.forward(x), y);
        closeTo([loss.item()], [expected.loss]);
        zeroGrad(network.parameters);
        loss.backward();
        sgdStep(network.parameters, 0.1);
      });
      network.parameters.forEach((parameter, i) => closeTo(parameter.grad?.dataSync(), expected.gradients[i]));
      // two products forward; gradients: two of weights, one of the hidden layer
      expect(counts.ops.matmul).toBe(5);
      if (step >= 2) expect(counts.compilations).toBe(0);
    }
  });

  test("output.argmax(1) and loss.item() after step(): values before the update, nothing recomputed", () => {
    const network = new SmallNetwork();
    for (let step = 0; step < 4; step++) {
      const expected = expectedStep(network.values(), xs, ys, 5);
      const counts = during(() => {
        const output = network.forward(x).keep();
        const loss = squaredLoss(output, y);
        zeroGrad(network.parameters);
        loss.backward();
        sgdStep(network.parameters, 0.1);
        closeTo([loss.item()], [expected.loss]);
        const best = Array.from({ length: 5 }, (_, row) => {
          const scores = expected.output.slice(row * 3, row * 3 + 3);
          return scores.indexOf(Math.max(...scores));
        });
        expect(Array.from(output.argmax(1).dataSync())).toEqual(best);
      });
      expect(counts.ops.matmul).toBe(5);
      if (step >= 2) expect(counts.compilations).toBe(0);
    }
  });

  test("an inner activation read after step(): StaleTensorError; with keep() its value", () => {
    const network = new SmallNetwork();
    const step = (keep: boolean): Tensor => {
      const hidden = network.hidden(x);
      if (keep) hidden.keep();
      squaredLoss(hidden.matmul(network.w2), y).backward();
      sgdStep(network.parameters, 0.1);
      return hidden;
    };
    const stale = step(false);
    expect(() => stale.dataSync()).toThrow(StaleTensorError);
    expect(() => stale.dataSync()).toThrow(/keep\(\)/);
    const before = network.hidden(x).dataSync();
    zeroGrad(network.parameters);
    expect(step(true).dataSync()).toEqual(before);
  });

  test("four micro-batches accumulated: gradient of the large batch, activation memory of one micro-batch", () => {
    const network = new SmallNetwork();
    const large = ramp([8, 4]);
    const wanted = ramp([8, 3], 1, 5);
    const expected = expectedStep(network.values(), Array.from(large.dataSync()), Array.from(wanted.dataSync()), 8);
    for (let part = 0; part < 4; part++) {
      const loss = squaredLoss(
        network.forward(large.slice([2 * part], [2 * part + 2])),
        wanted.slice([2 * part], [2 * part + 2]),
      );
      loss.div(4).backward();
      // everything but the last micro-batch has been computed: nothing of it waits
      if (part > 0) expect(during(() => evaluate()).runs).toBe(0);
    }
    network.parameters.forEach((parameter, i) => closeTo(parameter.grad?.dataSync(), expected.gradients[i]));
    expect(during(() => sgdStep(network.parameters, 0.1)).ops.matmul ?? 0).toBe(0);
  });

  test("global-norm clipping between backward and step: exact norm, right update", () => {
    const network = new SmallNetwork();
    const before = network.values();
    const expected = expectedStep(before, xs, ys, 5);
    const norm = Math.sqrt(expected.gradients.flat().reduce((sum, g) => sum + g * g, 0));
    squaredLoss(network.forward(x), y).backward();
    const squares = network.parameters.map((parameter) => (parameter.grad as Tensor).square().sum());
    const total = stack(squares).sum().sqrt();
    closeTo([total.item()], [norm]);
    const factor = 0.01 / total.item();
    for (const parameter of network.parameters) parameter.grad = (parameter.grad as Tensor).mul(factor);
    sgdStep(network.parameters, 1);
    network.values().forEach((values, i) =>
      closeTo(
        values,
        before[i].map((v, j) => v - (expected.gradients[i][j] * 0.01) / norm),
      ),
    );
  });

  test("p.grad after step(), after zeroGrad(): the gradient; none", () => {
    const network = new SmallNetwork();
    const expected = expectedStep(network.values(), xs, ys, 5);
    squaredLoss(network.forward(x), y).backward();
    sgdStep(network.parameters, 0.1);
    expect(during(() => closeTo(network.w1.grad?.dataSync(), expected.gradients[0])).runs).toBe(0);
    zeroGrad(network.parameters);
    expect(network.w1.grad).toBeUndefined();
  });

  test("backward() twice on one graph: PyTorch's error; with retainGraph accumulation", () => {
    const network = new SmallNetwork();
    const loss = squaredLoss(network.forward(x), y);
    loss.backward();
    expect(() => loss.backward()).toThrow(GradientError);
    expect(() => loss.backward()).toThrow(/second time.*retainGraph/s);
    zeroGrad(network.parameters);
    const expected = expectedStep(network.values(), xs, ys, 5);
    const again = squaredLoss(network.forward(x), y);
    again.backward(undefined, { retainGraph: true });
    again.backward();
    closeTo(
      network.w2.grad?.dataSync(),
      expected.gradients[2].map((g) => 2 * g),
    );
  });

  test("GAN: D(fake.detach()) step, then D(fake) backward into G: right gradients, G's forward executed once", () => {
    const generator = new Variable(ramp([4, 4], 0.5, 1));
    const discriminator = new Variable(ramp([4, 1], 0.5, 2));
    for (let step = 0; step < 3; step++) {
      const [g, d] = [Array.from(generator.dataSync()), Array.from(discriminator.dataSync())];
      const counts = during(() => {
        zeroGrad([generator, discriminator]);
        const fake = x.matmul(generator).tanh().keep();
        fake.detach().matmul(discriminator).square().mean().backward();
        sgdStep([discriminator], 0.1);
        zeroGrad([generator, discriminator]);
        fake.matmul(discriminator).mean().backward();
        evaluate(generator.grad as Tensor);
      });
      const updated = Array.from(discriminator.dataSync());
      const fakes = Array.from({ length: 20 }, (_, i) => {
        let sum = 0;
        for (let k = 0; k < 4; k++) sum += xs[Math.floor(i / 4) * 4 + k] * g[k * 4 + (i % 4)];
        return Math.tanh(sum);
      });
      const gradientD = d.map((_, j) => {
        let sum = 0;
        for (let row = 0; row < 5; row++) {
          const out = d.reduce((s, w, k) => s + fakes[row * 4 + k] * w, 0);
          sum += ((2 * out) / 5) * fakes[row * 4 + j];
        }
        return sum;
      });
      closeTo(
        updated,
        d.map((w, j) => w - 0.1 * gradientD[j]),
      );
      const gradientG = g.map((_, i) => {
        const [k, j] = [Math.floor(i / 4), i % 4];
        let sum = 0;
        for (let row = 0; row < 5; row++) sum += xs[row * 4 + k] * (1 - fakes[row * 4 + j] ** 2) * (updated[j] / 5);
        return sum;
      });
      closeTo(generator.grad?.dataSync(), gradientG);
      // G's forward counts once: tanh is G's only
      expect(counts.ops.tanh).toBe(1);
      if (step >= 2) expect(counts.compilations).toBe(0);
    }
  });

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

  test("a layer frozen and unfrozen: no gradient while frozen; one compilation per new state, none on return", () => {
    const network = new SmallNetwork();
    const step = (): number =>
      during(() => {
        const trainables = network.parameters.filter((parameter) => parameter.trainable);
        const loss = squaredLoss(network.forward(x), y);
        const grads = gradients(loss, trainables);
        assignAll(
          trainables.map((p, i) => [p, p.sub((grads[i] as Tensor).mul(0.1))]),
          { compute: [loss] },
        );
        if (!network.w1.trainable) expect(network.w1.grad).toBeUndefined();
      }).compilations;
    step();
    expect(step()).toBe(0);
    const before = network.w1.dataSync();
    network.w1.trainable = false;
    expect(step()).toBe(1);
    expect(step()).toBe(0);
    expect(network.w1.dataSync()).toEqual(before);
    network.w1.trainable = true;
    expect(step()).toBe(0);
    expect(network.w1.dataSync()).not.toEqual(before);
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

  test("gradient penalty (gradient of a gradient norm): equals finite differences", () => {
    const weight = new Variable(ramp([3, 3], 0.7, 1));
    const input = ramp([2, 3], 1, 4);
    const penalty = (): Tensor => {
      const point = tensor(input.dataSync(), { shape: [2, 3] });
      point.requiresGrad = true;
      const [slope] = gradients(point.matmul(weight).tanh().sum(), [point], { createGraph: true });
      return (slope as Tensor).norm().sub(1).square();
    };
    const [gradient] = gradients(penalty(), [weight]);
    const analytic = (gradient as Tensor).dataSync();
    const values = Array.from(weight.dataSync());
    const epsilon = 1e-2;
    values.forEach((_, i) => {
      const at = (shift: number): number => {
        weight.assign(
          tensor(
            values.map((v, j) => (j === i ? v + shift : v)),
            { shape: [3, 3] },
          ),
        );
        return penalty().item();
      };
      const numeric = (at(epsilon) - at(-epsilon)) / (2 * epsilon);
      expect(Math.abs(analytic[i] - numeric)).toBeLessThan(2e-3);
    });
  });

  test("statistics updated in the forward, loss read twice: updated once", () => {
    const mean = new Variable([0], { trainable: false });
    const weight = new Variable([2]);
    const forward = (): Tensor => {
      const activation = weight.mul(3);
      mean.assign(mean.mul(0.9).add(activation.mul(0.1)));
      return activation.sub(mean).square().sum();
    };
    const loss = forward();
    closeTo([loss.item(), loss.item()], [5.4 ** 2, 5.4 ** 2]);
    closeTo(mean.dataSync(), [0.6]);
    expect(mean.version).toBe(1);
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
