/** The rows about one training step in the PyTorch door: what its users write, with values and numbers of compilations, on every target. */
import { beforeAll, describe, expect, test } from "vitest";
import { GradientError, StaleTensorError } from "../../src/errors.ts";
import * as torch from "../../src/torch/index.ts";
import { autograd, nn, optim, type Tensor } from "../../src/torch/index.ts";
import { availableTargets } from "../targets.ts";
import { during, engine, expectedStep, ramp } from "./programs.ts";
import { expectClose, TorchNetwork } from "./torch-programs.ts";

const F = nn.functional;

describe.each(availableTargets())("semantics of the PyTorch door on %s", (target) => {
  beforeAll(() => engine.setTarget(target));
  const [x, y] = [ramp([5, 4]), ramp([5, 3], 1, 9)];
  const [xs, ys] = [[...x.dataSync()], [...y.dataSync()]];
  const criterion = new nn.MSELoss();

  test("loss.item() before backward() each step: right gradients, forward executed once per step", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    for (let step = 0; step < 4; step++) {
      const expected = expectedStep(model.values(), xs, ys, 5);
      const counts = during(() => {
        optimizer.zeroGrad();
        const loss = criterion(model(x), y);
        expectClose([loss.item()], [expected.loss]);
        loss.backward();
        optimizer.step();
      });
      model.gradients().forEach((gradient, i) => expectClose(gradient, expected.gradients[i]));
      // two products forward; gradients: two of weights, one of the hidden layer
      expect(counts.ops.matmul).toBe(5);
      if (step >= 2) expect(counts.compilations).toBe(0);
    }
  });

  test("output.argmax(1) and loss.item() after step(): values before the update, nothing recomputed", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    for (let step = 0; step < 4; step++) {
      const expected = expectedStep(model.values(), xs, ys, 5);
      const counts = during(() => {
        optimizer.zeroGrad();
        const output = model(x);
        const loss = criterion(output, y);
        loss.backward();
        optimizer.step();
        expectClose([loss.item()], [expected.loss]);
        const best = Array.from({ length: 5 }, (_, row) => {
          const scores = expected.output.slice(row * 3, row * 3 + 3);
          return scores.indexOf(Math.max(...scores));
        });
        expect(output.argmax(1).tolist()).toEqual(best);
      });
      expect(counts.ops.matmul).toBe(5);
      if (step >= 2) expect(counts.compilations).toBe(0);
    }
  });

  test("outputs and norms of gradients read between backward() and step(): nothing recomputed", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    for (const readOutput of [true, false]) {
      for (let step = 0; step < 4; step++) {
        const expected = expectedStep(model.values(), xs, ys, 5);
        const counts = during(() => {
          optimizer.zeroGrad();
          const output = model(x);
          criterion(output, y).backward();
          if (readOutput) expectClose(output.dataSync(), expected.output);
          const squares = model.parameters().map(({ grad }) => (grad as Tensor).norm().item() ** 2);
          expectClose(
            [squares.reduce((sum, square) => sum + square)],
            [expected.gradients.flat().reduce((sum, g) => sum + g * g, 0)],
          );
          optimizer.step();
        });
        expect(counts.ops.matmul).toBe(5);
        if (step >= 2) expect(counts.compilations).toBe(0);
      }
    }
  });

  test("an inner activation read after step(): StaleTensorError; with keep() its value", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const step = (keep: boolean): Tensor => {
      optimizer.zeroGrad();
      const loss = criterion(model(x), y);
      const activation = model.activation as Tensor;
      if (keep) activation.keep();
      loss.backward();
      optimizer.step();
      return activation;
    };
    const stale = step(false);
    expect(() => stale.dataSync()).toThrow(StaleTensorError);
    expect(() => stale.dataSync()).toThrow(/keep\(\)/);
    const before = torch.noGrad(() => F.relu(model.fc1(x)).tolist());
    for (let i = 0; i < 2; i++) {
      if (i > 0) step(true);
      else expect(step(true).tolist()).toEqual(before);
    }
    expect(during(() => step(true)).compilations).toBe(0);
  });

  test("four micro-batches accumulated: gradient of the large batch, activation memory of one micro-batch", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    const [large, wanted] = [ramp([8, 4]), ramp([8, 3], 1, 5)];
    for (let round = 0; round < 3; round++) {
      const expected = expectedStep(model.values(), [...large.dataSync()], [...wanted.dataSync()], 8);
      const counts = during(() => {
        optimizer.zeroGrad();
        for (let part = 0; part < 4; part++) {
          const rows = (data: Tensor): Tensor => data.narrow(0, 2 * part, 2);
          criterion(model(rows(large)), rows(wanted))
            .div(4)
            .backward();
        }
        model.gradients().forEach((gradient, i) => expectClose(gradient, expected.gradients[i]));
        // all four have been computed: no activation waits for the step
        expect(during(() => optimizer.step()).ops.matmul ?? 0).toBe(0);
      });
      expect(counts.ops.matmul).toBe(20);
      if (round >= 2) expect(counts.compilations).toBe(0);
    }
  });

  test("clipGradNorm_ between backward() and step(): exact norm, right update, one program", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    for (let step = 0; step < 4; step++) {
      const before = model.values();
      const expected = expectedStep(before, xs, ys, 5);
      const norm = Math.sqrt(expected.gradients.flat().reduce((sum, g) => sum + g * g, 0));
      const counts = during(() => {
        optimizer.zeroGrad();
        criterion(model(x), y).backward();
        const total = nn.utils.clipGradNorm_(model.parameters(), 0.01);
        optimizer.step();
        expectClose([total.item()], [norm]);
      });
      model.values().forEach((values, i) =>
        expectClose(
          values,
          before[i].map((value, j) => value - (expected.gradients[i][j] * 0.01) / norm),
        ),
      );
      if (step >= 1) expect(counts.ops.matmul).toBe(5);
      if (step >= 2) expect(counts.compilations).toBe(0);
    }
  });

  test("p.grad after step(), after zeroGrad(): the gradient, not computed again; none", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const expected = expectedStep(model.values(), xs, ys, 5);
    criterion(model(x), y).backward();
    optimizer.step();
    const counts = during(() => expectClose(model.fc1.bias?.grad?.dataSync() ?? [], expected.gradients[1]));
    expect(counts.runs).toBe(0);
    model.gradients().forEach((gradient, i) => expectClose(gradient, expected.gradients[i]));
    optimizer.zeroGrad();
    for (const parameter of model.parameters()) expect(parameter.grad).toBeUndefined();
  });

  test("backward() twice on one graph: PyTorch's error; with retainGraph accumulation", () => {
    const model = new TorchNetwork();
    const loss = criterion(model(x), y);
    loss.backward();
    expect(() => loss.backward()).toThrow(GradientError);
    expect(() => loss.backward()).toThrow(/second time.*retainGraph/s);
    model.zeroGrad();
    const expected = expectedStep(model.values(), xs, ys, 5);
    const again = criterion(model(x), y);
    again.backward(undefined, { retainGraph: true });
    again.backward();
    model.gradients().forEach((gradient, i) =>
      expectClose(
        gradient,
        expected.gradients[i].map((value) => 2 * value),
      ),
    );
  });

  test("GAN: D(fake.detach()) step, then D(fake) backward into G: right gradients, G's forward executed once", () => {
    const generator = new nn.Sequential(new nn.Linear(4, 4, { bias: false }), new nn.Tanh());
    const discriminator = new nn.Linear(4, 1, { bias: false });
    const weight = generator.at(0) as nn.Linear;
    const [forG, forD] = [generator, discriminator].map((net) => new optim.SGD(net.parameters(), { lr: 0.1 }));
    for (let step = 0; step < 4; step++) {
      const [g, d] = [weight.weight.clone(), discriminator.weight.clone()].map((value) => value.detach());
      // the values before the step
      g.dataSync();
      d.dataSync();
      const counts = during(() => {
        const fake = generator(x);
        forD.zeroGrad();
        discriminator(fake.detach()).square().mean().backward();
        forD.step();
        forG.zeroGrad();
        discriminator(fake).mean().backward();
        forG.step();
      });
      // G's forward counts once: tanh is G's only
      expect(counts.ops.tanh).toBe(1);
      if (step >= 2) expect(counts.compilations).toBe(0);
      const fake = F.linear(x, g).tanh();
      const slope = F.linear(fake, d).mul(0.4).transpose(0, 1).matmul(fake);
      const updated = d.sub(slope.mul(0.1));
      expectClose(discriminator.weight.dataSync(), updated.dataSync());
      const back = fake.square().neg().add(1).mul(updated).div(5);
      expectClose(weight.weight.grad?.dataSync() ?? [], back.transpose(0, 1).matmul(x).dataSync());
    }
  });

  const compilationsOfStep = (
    model: TorchNetwork,
    optimizer: InstanceType<typeof optim.SGD | typeof optim.Adam>,
  ): number =>
    during(() => {
      optimizer.zeroGrad();
      criterion(model(x), y).backward();
      optimizer.step();
    }).compilations;

  test("a layer frozen and unfrozen: no gradient while frozen; one compilation per new state, none on return", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const step = (): number => compilationsOfStep(model, optimizer);
    for (let i = 0; i < 3; i++) step();
    expect(step()).toBe(0);
    model.fc1.requiresGrad_(false);
    const before = model.fc1.weight.tolist();
    expect(step()).toBe(1);
    expect(step()).toBe(0);
    expect(model.fc1.weight.grad).toBeUndefined();
    expect(model.fc1.weight.tolist()).toEqual(before);
    model.fc1.requiresGrad_(true);
    expect(step()).toBe(0);
    expect(model.fc1.weight.tolist()).not.toEqual(before);
    model.fc1.requiresGrad_(false);
    expect(step()).toBe(0);
  });

  test("a layer frozen under Adam: its step count stands still, which is a state of its own when it returns", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
    const step = (): number => compilationsOfStep(model, optimizer);
    for (let i = 0; i < 3; i++) step();
    const seen = [false, true, false, true].map((learns) => {
      model.fc1.requiresGrad_(learns);
      return [step(), step()];
    });
    expect(seen.map(([, second]) => second)).toEqual([0, 0, 0, 0]);
    expect(seen.map(([first]) => first)).toEqual([1, 1, 0, 0]);
    const { state } = optimizer.stateDict();
    expect([0, 1, 2].map((index) => state[index].step.item())).toEqual([7, 7, 11]);
  });

  test("gradient penalty by autograd.grad with createGraph: equals finite differences, no compilation after the second pass", () => {
    const layer = new nn.Linear(3, 3, { bias: false });
    const start = ramp([3, 3], 0.7, 1);
    layer.loadStateDict({ weight: start });
    const penalty = (): Tensor => {
      const point = torch.tensor(ramp([2, 3], 1, 4), { requiresGrad: true });
      const [slope] = autograd.grad(layer(point).tanh().sum(), point, { createGraph: true });
      return slope.norm().sub(1).square();
    };
    const pass = (): number[] => {
      layer.zeroGrad();
      penalty().backward();
      return [...(layer.weight.grad as Tensor).dataSync()];
    };
    const analytic = pass();
    pass();
    expect(during(() => expect(pass()).toEqual(analytic)).compilations).toBe(0);
    const values = [...start.dataSync()];
    const epsilon = 1e-2;
    values.forEach((_, i) => {
      const at = (shift: number): number => {
        const moved = Float32Array.from(values, (value, j) => (j === i ? value + shift : value));
        layer.loadStateDict({ weight: torch.tensor(moved).view(3, 3) });
        return penalty().item();
      };
      expect(Math.abs(analytic[i] - (at(epsilon) - at(-epsilon)) / (2 * epsilon))).toBeLessThan(2e-3);
    });
  });

  test("BatchNorm statistics when the loss is read twice: updated once", () => {
    const model = new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3));
    const norm = model.at(1) as nn.BatchNorm1d;
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    for (let step = 1; step <= 4; step++) {
      const before = norm.running_mean?.tolist() as number[];
      const mean = torch.noGrad(() => (model.at(0) as nn.Linear)(x).mean(0)).tolist() as number[];
      const counts = during(() => {
        optimizer.zeroGrad();
        const loss = criterion(model(x), y);
        expect(loss.item()).toBe(loss.item());
        loss.backward();
        optimizer.step();
        loss.item();
      });
      expect(norm.num_batches_tracked?.item()).toBe(step);
      expectClose(
        norm.running_mean?.tolist() as number[],
        before.map((value, i) => 0.9 * value + 0.1 * mean[i]),
      );
      if (step >= 3) expect(counts.compilations).toBe(0);
    }
  });
});
