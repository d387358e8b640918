/** Rows of the semantics table about one training step: what may be read when, what is computed how often, whose gradients come out. */
import { beforeAll, describe, expect, test } from "vitest";
import { evaluate, GradientError, StaleTensorError, stack, type Tensor, tensor, Variable } from "../../src/index.ts";
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
});
