/** Rows of the semantics table that take thousands of steps, in the PyTorch door, on the target that programs run on. */
import { beforeAll, expect, test } from "vitest";
import { whyNoMachineCode } from "../../src/engine/default-target.ts";
import * as torch from "../../src/torch/index.ts";
import { nn, optim } from "../../src/torch/index.ts";
import { engine } from "./programs.ts";
import { examples, TorchNetwork } from "./torch-programs.ts";

const F = nn.functional;
beforeAll(() => engine.setTarget(whyNoMachineCode() === undefined ? "x86" : "reference"));

test("learning rate from a schedule, Adam, 1,000 steps: no compilation after the second", () => {
  const model = new TorchNetwork();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, 1000);
  const [x, labels] = examples(16);
  const rates = new Set<number>();
  let [compilations, first, last] = [0, 0, 0];
  for (let step = 0; step < 1000; step++) {
    if (step === 2) compilations = engine.stats().compilations;
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model(x), labels);
    loss.backward();
    optimizer.step();
    scheduler.step();
    rates.add(optimizer.paramGroups[0].lr);
    last = loss.item();
    if (step === 0) first = last;
  }
  expect(engine.stats().compilations).toBe(compilations);
  expect(rates.size).toBe(1000);
  expect(last).toBeLessThan(first * 0.5);
});

test("moving average of weights every step: memory constant over 10,000 steps, no compilation", () => {
  const model = new TorchNetwork();
  const average = model.clone().requiresGrad_(false);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.0001 });
  const pairs = average.parameters().map((mean, index) => [mean, model.parameters()[index]] as const);
  const step = (): void => {
    optimizer.zeroGrad();
    // a gradient of one everywhere, so that the weights fall along a line
    for (const parameter of model.parameters()) parameter.sum().backward();
    optimizer.step();
    torch.noGrad(() => {
      for (const [mean, parameter] of pairs) mean.mul_(0.9).add_(parameter, { alpha: 0.1 });
    });
  };
  const start = model.fc1.weight.at(0, 1).item();
  for (let i = 0; i < 20; i++) step();
  const before = engine.stats();
  for (let i = 20; i < 10_000; i++) step();
  const after = engine.stats();
  expect(after.trackedBytes).toBe(before.trackedBytes);
  expect(after.compilations).toBe(before.compilations);
  expect(model.fc1.weight.at(0, 1).item()).toBeCloseTo(start - 1, 3);
  // the average of a line is the line, nine steps late
  expect(average.fc1.weight.at(0, 1).item()).toBeCloseTo(start - 1 + 9 * 0.0001, 4);
});

test("10,000 synchronous steps, no await, no dispose: tracked bytes constant, no compilation", () => {
  const model = new TorchNetwork();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const [x, labels] = examples(8);
  const step = (): number => {
    optimizer.zeroGrad();
    const output = model(x);
    const loss = F.crossEntropy(output, labels);
    loss.backward();
    optimizer.step();
    return loss.item();
  };
  for (let i = 0; i < 10; i++) step();
  const before = engine.stats();
  let last = 0;
  for (let i = 0; i < 10_000; i++) last = step();
  const after = engine.stats();
  expect(after.trackedBytes).toBe(before.trackedBytes);
  expect(after.compilations).toBe(before.compilations);
  expect(after.runs - before.runs).toBe(10_000);
  expect(Number.isFinite(last)).toBe(true);
});
