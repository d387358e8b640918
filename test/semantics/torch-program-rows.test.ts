/** The rows about programs over time in the PyTorch door: what its users write, with values and numbers of compilations, on every target. */
import { beforeAll, describe, expect, test } from "vitest";
import { IndexRangeError } from "../../src/errors.ts";
import * as torch from "../../src/torch/index.ts";
import { nn, optim, type Tensor, utils } from "../../src/torch/index.ts";
import { availableTargets } from "../targets.ts";
import { during, engine, expectedStep, ramp } from "./programs.ts";
import { examples, expectClose, TorchNetwork } from "./torch-programs.ts";

const F = nn.functional;

describe.each(availableTargets())("semantics of the PyTorch door on %s", (target) => {
  beforeAll(() => engine.setTarget(target));
  const [x, y] = [ramp([5, 4]), ramp([5, 3], 1, 9)];
  const [xs, ys] = [[...x.dataSync()], [...y.dataSync()]];
  const criterion = new nn.MSELoss();

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

  test("a forward that throws in the middle: next step unaffected, nothing leaked", () => {
    const model = new TorchNetwork();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const step = (): void => {
      optimizer.zeroGrad();
      criterion(model(x), y).backward();
      optimizer.step();
    };
    // weights and gradients are read after each step, as they will be below: a read between steps ends a program
    for (let i = 0; i < 3; i++) {
      step();
      model.values();
      model.gradients();
    }
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
