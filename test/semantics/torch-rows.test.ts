/** The rows of the semantics table in the PyTorch door: what its users write, with values and numbers of compilations, on every target. */
import { beforeAll, describe, expect, test } from "vitest";
import { GradientError, IndexRangeError, StaleTensorError } from "../../src/errors.ts";
import * as torch from "../../src/torch/index.ts";
import { autograd, nn, optim, type Tensor, utils } from "../../src/torch/index.ts";
import { availableTargets } from "../targets.ts";
import { during, engine, expectedStep, ramp } from "./programs.ts";
import { examples, expectClose, TorchNetwork } from "./torch-programs.ts";

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

  test("a layer frozen and unfrozen: no gradient while frozen; one compilation per new state, none on return", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const step = (): number =>
      during(() => {
        optimizer.zeroGrad();
        criterion(model(x), y).backward();
        optimizer.step();
      }).compilations;
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
    const step = (): number =>
      during(() => {
        optimizer.zeroGrad();
        criterion(model(x), y).backward();
        optimizer.step();
      }).compilations;
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

  test("dropout: a new mask each step, the same sequence for a seed, no compilation", () => {
    const layer = new nn.Dropout(0.5);
    const ones = torch.ones([256]);
    const masks = (seed: number): string[] => {
      torch.manualSeed(seed);
      return Array.from({ length: 4 }, () => String(layer(ones).tolist()));
    };
    const first = masks(7);
    expect(new Set(first).size).toBe(4);
    expect(during(() => expect(masks(7)).toEqual(first)).compilations).toBe(0);
    expect(masks(8)).not.toEqual(first);
    layer.eval();
    expect(layer(ones).tolist()).toEqual(ones.tolist());
  });

  test("short last batch, shuffled and sliced batches of a DataLoader: one compilation for the short shape; none; none", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const [inputs, labels] = examples(10);
    const dataset = new utils.data.TensorDataset(inputs, labels);
    const epoch = (shuffle: boolean): number[] => {
      const compilations: number[] = [];
      for (const [images, classes] of new utils.data.DataLoader(dataset, { batchSize: 4, shuffle })) {
        const counts = during(() => {
          optimizer.zeroGrad();
          const loss = F.crossEntropy(model(images), classes);
          loss.backward();
          optimizer.step();
          loss.item();
        });
        compilations.push(counts.compilations);
      }
      return compilations;
    };
    const first = epoch(false);
    expect(first.slice(1)).toEqual([0, 1]);
    expect(epoch(false)).toEqual([0, 0, 0]);
    epoch(true);
    expect(epoch(true)).toEqual([0, 0, 0]);
    expect(epoch(false)).toEqual([0, 0, 0]);
  });

  test("while (x.norm().item() > 1) x = x.div(2): right, bounded compilations", () => {
    let value = torch.tensor([30, 40]);
    const counts = during(() => {
      while (value.norm().item() > 1) value = value.div(2);
    });
    expectClose(value.tolist() as number[], [30 / 64, 40 / 64]);
    expect(counts.compilations).toBeLessThanOrEqual(3);
  });

  test("sequences of length 1 to 20 through a GRU, twice: one compilation per length in the first round, none in the second", () => {
    torch.manualSeed(3);
    const model = new nn.GRU(3, 4, { batchFirst: true });
    const round = (): number[] => {
      const compilations: number[] = [];
      for (let length = 1; length <= 20; length++) {
        const input = ramp([2, length, 3]);
        compilations.push(
          during(() =>
            torch
              .noGrad(() => model(input))[0]
              .sum()
              .item(),
          ).compilations,
        );
      }
      return compilations;
    };
    const first = round();
    // the first also gives the weights their values
    expect(first[0]).toBeLessThanOrEqual(2);
    expect(first.slice(1)).toEqual(new Array(19).fill(1));
    expect(round()).toEqual(new Array(20).fill(0));
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

  test("a forward that throws in the middle: next step unaffected, nothing leaked", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const step = (): void => {
      optimizer.zeroGrad();
      criterion(model(x), y).backward();
      optimizer.step();
    };
    for (let i = 0; i < 3; i++) step();
    const { trackedBytes } = engine.stats();
    const expected = expectedStep(model.values(), xs, ys, 5);
    class Broken extends nn.Module {
      inner = model;
      override forward(input: Tensor): Tensor {
        this.inner(input);
        throw new Error("user");
      }
    }
    expect(() => new Broken()(x)).toThrow("user");
    expect(() => model(ramp([5, 3]))).toThrow(/fc1/);
    expect(during(step).compilations).toBe(0);
    model.gradients().forEach((gradient, i) => expectClose(gradient, expected.gradients[i]));
    expect(engine.stats().trackedBytes).toBe(trackedBytes);
  });

  test("a label out of range at step 5: typed error; parameters, running statistics and the optimizer's state equal those after step 4", () => {
    const model = new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3), new nn.Linear(3, 3));
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
    const step = (labels: number[]): void => {
      optimizer.zeroGrad();
      F.crossEntropy(model(x), torch.tensor(labels, { dtype: torch.long })).backward();
      optimizer.step();
    };
    const state = (): number[][] => [
      ...Object.values(model.stateDict()).map((value) => [...value.dataSync()]),
      ...Object.values(optimizer.stateDict().state).flatMap((slots) =>
        Object.values(slots).map((value) => [...(value as Tensor).dataSync()]),
      ),
    ];
    for (let i = 0; i < 4; i++) step([0, 1, 2, 0, i % 3]);
    const before = state();
    expect(() => step([0, 1, 3, 0, 1])).toThrow(IndexRangeError);
    optimizer.zeroGrad();
    expect(state()).toEqual(before);
    step([0, 1, 2, 0, 1]);
    expect(state()).not.toEqual(before);
  });

  test("const p = loss.data() unawaited, step(), await p: the value before the update", async () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const expected = expectedStep(model.values(), xs, ys, 5);
    const loss = criterion(model(x), y);
    const promise = loss.data();
    loss.backward();
    optimizer.step();
    expectClose(await promise, [expected.loss]);
  });

  test("a typed array changed by the user after torch.tensor(array): tensor unchanged", () => {
    const array = new Float32Array(100).fill(1);
    const value = torch.tensor(array);
    array.fill(5);
    expect(value.sum().item()).toBe(100);
    value.dataSync().fill(7);
    expect(value.sum().item()).toBe(100);
  });

  test("inference loop under noGrad, synchronous: tracked bytes constant, no compilation", () => {
    const model = new TorchNetwork().eval();
    const run = (): number => torch.noGrad(() => model(x).argmax(1).sum().item());
    run();
    run();
    const before = engine.stats();
    for (let i = 0; i < 200; i++) run();
    expect(engine.stats().trackedBytes).toBe(before.trackedBytes);
    expect(engine.stats().compilations).toBe(before.compilations);
  });

  test("printing a pending tensor in the middle: later results and compilations unchanged", () => {
    const run = (print: boolean): number[] => {
      const model = new TorchNetwork();
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
      return Array.from({ length: 3 }, () => {
        optimizer.zeroGrad();
        const output = model(x);
        if (print) expect(String(output)).toMatch(/^tensor\(/);
        const loss = criterion(output, y);
        loss.backward();
        optimizer.step();
        return loss.item();
      });
    };
    const plain = run(false);
    expect(run(true)).toEqual(plain);
    expect(during(() => expect(run(true)).toEqual(plain)).compilations).toBe(0);
    expect(during(() => expect(run(false)).toEqual(plain)).compilations).toBe(0);
  });

  test("torch.compile(step) with a changing number argument and a closed-over one: the argument takes effect, the closed-over one does not", () => {
    const weight = new nn.Parameter([1, 2]);
    let outside = 10;
    const optimizer = new optim.SGD([weight], { lr: 0.5 });
    const step = torch.compile((input: Tensor, scale: Tensor) => {
      optimizer.zeroGrad();
      const loss = weight.mul(input).mul(scale).sum();
      loss.backward();
      optimizer.step();
      return loss.add(outside);
    });
    const input = torch.tensor([3, 4]);
    expect(step(input, 1).item()).toBe(21);
    expect(weight.tolist()).toEqual([-0.5, 0]);
    outside = 1000;
    const counts = during(() => {
      expect(step(input, 2).item()).toBe(7);
      expect(weight.tolist()).toEqual([-3.5, -4]);
    });
    expect(counts.compilations).toBe(0);
    // the learning rate belongs to the optimizer and is read at each replay
    optimizer.paramGroups[0].lr = 0.25;
    step(input, 1);
    expect(weight.tolist()).toEqual([-4.25, -5]);
    const reading = torch.compile((value: Tensor) => value.mul(value.sum().item()));
    expect(() => reading(input)).toThrow(/compiled function/);
  });
});
