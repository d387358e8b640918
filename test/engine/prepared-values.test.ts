/** What is made of weights alone is kept from run to run, and made anew when a weight has been written, however that was done. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { compile, engine, noGrad, type Tensor } from "../../src/index.ts";
import { Input, layers, Sequential } from "../../src/keras/index.ts";
import * as torch from "../../src/torch/index.ts";
import { hashed } from "../hashed.ts";
import { availableTargets } from "../targets.ts";

const { nn } = torch;
const images = (batch: number): Tensor => hashed(1, [batch, 3, 16, 16]);
const x = images(2);

/** Two convolutions, the second by Winograd's transforms, and a dense layer. */
class Network extends nn.Module {
  first = new nn.Conv2d(3, 16, 3, { stride: 2, padding: 1 });
  norm = new nn.BatchNorm2d(16);
  second = new nn.Conv2d(16, 32, 3, { padding: 1 });
  head = new nn.Linear(32 * 8 * 8, 10);
  override forward(input: Tensor): Tensor {
    const small = torch.relu(this.norm(this.first(input)));
    return this.head(torch.flatten(torch.relu(this.second(small)), 1));
  }
}
const predict = (model: Network, input = x): number[] => noGrad(() => [...model(input).dataSync()]);

/** Kernels of a run, and what it gave. */
function observed(run: () => number[]): { readonly kernels: number; readonly result: number[] } {
  const before = engine.stats().kernels;
  const result = run();
  return { kernels: engine.stats().kernels - before, result };
}
/** Runs until everything is kept. */
function warm(run: () => number[]): { readonly all: number; readonly kept: number } {
  const [first, second, third] = [observed(run), observed(run), observed(run)];
  expect(second.result).toEqual(first.result);
  expect(third.result).toEqual(first.result);
  return { all: first.kernels, kept: third.kernels };
}
/** A model in evaluation mode whose weights have their values. */
function evaluated(): Network {
  const model = new Network();
  model.eval();
  for (const parameter of model.parameters()) parameter.dataSync();
  for (const buffer of model.buffers()) buffer.dataSync();
  return model;
}
/** The same weights in another model, of which nothing has been kept. */
function freshOf(model: Network): number[] {
  const fresh = evaluated();
  fresh.loadStateDict(model.stateDict());
  return predict(fresh);
}

const halve = (model: Network): Tensor => model.second.weight.mul(0.5).detach();

/** Every way of writing a weight or a statistic. */
const writings: Record<string, (model: Network) => void> = {
  "assign()": (model) => model.second.weight.assign(halve(model)),
  "assign() of numbers": (model) => model.first.weight.assign(hashed(9, [16, 3, 3, 3]).dataSync()),
  "an operation in place": (model) => noGrad(() => void model.second.weight.mul_(0.5)),
  "copy_()": (model) => noGrad(() => void model.second.weight.copy_(halve(model))),
  "an initialiser": (model) => void nn.init.uniform_(model.first.weight, -1, 1),
  "loadStateDict()": (model) => void model.loadStateDict(evaluated().stateDict()),
  "an optimizer's step": (model) => {
    const optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.1 });
    model(x).square().mean().backward();
    optimizer.step();
  },
  "a compiled step, which writes over the old storage": (model) => {
    const step = compile((input) => {
      model.second.weight.assign(model.second.weight.mul(input.mean()));
      return input.sum();
    });
    step(x);
  },
  "running statistics that move in training": (model) => {
    model.train();
    noGrad(() => model(x).dataSync());
    model.eval();
  },
};

describe.skipIf(!availableTargets().includes("x86"))("values prepared from weights", () => {
  beforeAll(() => engine.setTarget("x86"));
  beforeEach(() => void torch.manualSeed(3));

  test("are made twice and found the third time, with the same bits", () => {
    const model = evaluated();
    const { all, kept } = warm(() => predict(model));
    expect(kept).toBeLessThan(all);
    expect(predict(model)).toEqual(freshOf(model));
  });

  test("are the factor and the summand of a normalisation by running statistics too", () => {
    const norm = new nn.BatchNorm2d(16);
    norm.eval();
    noGrad(() => {
      norm.running_mean!.assign(hashed(2, [16]));
      norm.running_var!.assign(hashed(3, [16]).square().add(0.1));
    });
    const data = hashed(4, [2, 16, 5, 5]);
    const run = () => noGrad(() => [...norm(data).dataSync()]);
    const { all, kept } = warm(run);
    expect(all - kept).toBe(1);
    const [mean, variance] = [norm.running_mean!.dataSync(), norm.running_var!.dataSync()];
    const expected = Array.from(data.dataSync(), (value, index) => {
      const channel = Math.floor(index / 25) % 16;
      return (value - mean[channel]!) / Math.sqrt(variance[channel]! + 1e-5);
    });
    run().forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 5));
    noGrad(() => norm.running_mean!.assign(hashed(2, [16]).add(1)));
    const moved = run();
    moved.forEach((value, index) => {
      const channel = Math.floor(index / 25) % 16;
      expect(value).toBeCloseTo(expected[index]! - 1 / Math.sqrt(variance[channel]! + 1e-5), 4);
    });
  });

  test("serve other programs that need the same: a compiled one, and one for another batch", () => {
    const model = evaluated();
    const { kept } = warm(() => predict(model));
    const forward = torch.compile(model);
    expect(observed(() => noGrad(() => [...forward(x).dataSync()])).kernels).toBe(kept);
    const larger = observed(() => predict(model, images(3)));
    expect(larger.kernels).toBe(kept);
    expect(larger.result.slice(0, 20)).toEqual(predict(model));
  });

  describe.each(Object.keys(writings))("after %s", (name) => {
    test("they are made anew", () => {
      const model = evaluated();
      const { all, kept } = warm(() => predict(model));
      writings[name](model);
      const again = observed(() => predict(model));
      expect(again.result).toEqual(freshOf(model));
      expect(again.kernels).toBeGreaterThanOrEqual(kept);
      expect(warm(() => predict(model)).kept).toBe(kept);
      expect(all).toBeGreaterThan(kept);
    });
  });

  test("a failed step leaves them as they were", () => {
    const model = evaluated();
    const { kept } = warm(() => predict(model));
    const before = predict(model);
    const labels = torch.tensor([1, 99], { dtype: "i32" });
    const optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.1 });
    new nn.CrossEntropyLoss()(model(x), labels).backward();
    expect(() => optimizer.step()).toThrow(/out of range/);
    expect(observed(() => predict(model))).toEqual({ kernels: kept, result: before });
  });

  test("two models that share a program have each their own", () => {
    const [left, right] = [evaluated(), evaluated()];
    const expected = [freshOf(left), freshOf(right)];
    expect(expected[0]).not.toEqual(expected[1]);
    warm(() => predict(left));
    const { kept } = warm(() => predict(right));
    const { compilations } = engine.stats();
    for (let i = 0; i < 4; i++) {
      expect(observed(() => predict(left))).toEqual({ kernels: kept, result: expected[0] });
      expect(observed(() => predict(right))).toEqual({ kernels: kept, result: expected[1] });
    }
    expect(engine.stats().compilations).toBe(compilations);
  });

  test("a Keras model keeps them too, until setWeights", async () => {
    const make = () =>
      new Sequential([Input([16, 16, 3]), new layers.Conv2D(16, 3), new layers.Flatten(), new layers.Dense(4)]);
    const [model, other] = [make(), make()];
    const input = hashed(2, [2, 16, 16, 3]);
    const run = (net: Sequential): number[] => noGrad(() => [...net(input).dataSync()]);
    run(other);
    const { all, kept } = warm(() => run(model));
    expect(kept).toBeLessThan(all);
    const { kernels } = engine.stats();
    const predicted = await model.predict(input, { verbose: 0 });
    expect([...predicted.dataSync()]).toEqual(run(model));
    expect(engine.stats().kernels - kernels).toBe(2 * kept);
    model.setWeights(other.getWeights());
    expect(run(model)).toEqual(run(other));
  });

  test("frozen weights are kept while others are trained", () => {
    const model = evaluated();
    for (const parameter of [...model.first.parameters(), ...model.second.parameters()]) parameter.requiresGrad = false;
    const optimizer = new torch.optim.SGD(model.head.parameters(), { lr: 0.1 });
    const step = (): number[] => {
      optimizer.zeroGrad();
      const loss = model(x).square().mean();
      loss.backward();
      optimizer.step();
      return [loss.item()];
    };
    const kernels = [0, 1, 2, 3].map(() => observed(step).kernels);
    expect(kernels[3]).toBeLessThan(kernels[0]);
    expect(predict(model)).toEqual(freshOf(model));
  });

  test("training keeps nothing: its weights are others in every step", () => {
    const model = new Network();
    const optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.01 });
    const step = (): number[] => {
      optimizer.zeroGrad();
      const loss = model(x).square().mean();
      loss.backward();
      optimizer.step();
      return [loss.item()];
    };
    step();
    step();
    const { trackedBytes } = engine.stats();
    const kernels = Array.from({ length: 4 }, () => observed(step).kernels);
    expect(new Set(kernels).size).toBe(1);
    expect(engine.stats().trackedBytes).toBe(trackedBytes);
    for (const parameter of model.parameters())
      for (const value of parameter.cell.prepared ?? []) expect(value.results).toBeUndefined();
  });

  test("their bytes are counted, and used again once a weight is written", () => {
    const model = evaluated();
    predict(model);
    const before = engine.stats().trackedBytes;
    predict(model);
    const held = engine.stats().trackedBytes - before;
    // both kernels at least, packed
    expect(held).toBeGreaterThan(4 * (16 * 3 * 9 + 32 * 16 * 9));
    predict(model);
    expect(engine.stats().trackedBytes - before).toBe(held);
    for (let i = 0; i < 3; i++) {
      noGrad(() => void model.second.weight.mul_(0.5));
      for (let run = 0; run < 3; run++) predict(model);
    }
    const settled = engine.stats().trackedBytes;
    for (let i = 0; i < 20; i++) {
      noGrad(() => void model.second.weight.mul_(0.5));
      for (let run = 0; run < 3; run++) predict(model);
    }
    expect(engine.stats().trackedBytes).toBe(settled);
  });

  test("they go with their variables", async () => {
    const script = fileURLToPath(new URL("prepared-memory.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", "--import", "tsx", script]);
    const { held, afterwards, residentGrowth } = JSON.parse(stdout) as Record<string, number>;
    expect(held).toBeGreaterThan(8 * 2 ** 20);
    expect(afterwards).toBeLessThan(2 ** 20);
    expect(residentGrowth).toBeLessThan(64 * 2 ** 20);
  });
});
