/** Training loops with the optimizers: one program, no compilations. */
import { describe, expect, test } from "vitest";
import { layers, Sequential } from "../../../src/keras/index.ts";
import { compile, engine, setRandomSeed, type Tensor } from "../../../src/tensor/index.ts";
import * as optim from "../../../src/torch/optim/index.ts";

import { batch, network } from "./small-network.ts";

describe("training", () => {
  test("Adam with a schedule over 1000 steps compiles nothing after the first steps", () => {
    const { weights, loss } = network();
    const optimizer = new optim.Adam(weights, { lr: 0.01 });
    const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, { maxLr: 0.05, totalSteps: 1000 });
    const [x, y] = batch(0);
    let compilations = 0;
    let last = 0;
    for (let step = 0; step < 1000; step++) {
      if (step === 2) compilations = engine.stats().compilations;
      optimizer.zeroGrad();
      const value = loss(x, y);
      value.backward();
      optimizer.step();
      scheduler.step();
      last = value.item();
    }
    expect(engine.stats().compilations).toBe(compilations);
    expect(last).toBeLessThan(0.05);
    expect(optimizer.stateDict().state[0].step.item()).toBe(1000);
  });

  test("a compiled step equals the plain one bit for bit: learning rate, momentum cycle, dropout", () => {
    const run = (compiled: boolean) => {
      setRandomSeed(7);
      const { weights, loss, values } = network();
      const optimizer = new optim.SGD(weights, { lr: 0.1, momentum: 0.9, dampening: 0.1, weightDecay: 0.01 });
      const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, { maxLr: 0.2, totalSteps: 10 });
      const step = (x: Tensor, y: Tensor): Tensor => {
        optimizer.zeroGrad();
        const value = loss(x, y, 0.3);
        value.backward();
        optimizer.step();
        return value;
      };
      const call = compiled ? compile(step) : step;
      const losses: number[] = [];
      let compilations = 0;
      for (let i = 0; i < 8; i++) {
        losses.push(call(...batch(i)).item());
        scheduler.step();
        if (i === 1) compilations = engine.stats().compilations;
      }
      expect(engine.stats().compilations).toBe(compilations);
      return { losses, values: values() };
    };
    const plain = run(false);
    expect(run(true)).toEqual(plain);
    expect(new Set(plain.losses).size).toBe(8);
  });

  test("the gradient stays readable after the step, until zeroGrad", () => {
    const { weights, loss } = network();
    const optimizer = new optim.SGD(weights, 0.1);
    const [x, y] = batch(0);
    loss(x, y).backward();
    const before = weights[0].dataSync();
    optimizer.step();
    const gradient = weights[0].grad?.dataSync() ?? [];
    const after = weights[0].dataSync();
    for (let i = 0; i < before.length; i++) expect(after[i]).toBeCloseTo(before[i] - 0.1 * gradient[i], 6);
    optimizer.zeroGrad({ setToNone: false });
    expect([...(weights[0].grad?.dataSync() ?? [])]).toEqual(new Array(24).fill(0));
    optimizer.zeroGrad();
    expect(weights[0].grad).toBeUndefined();
    optimizer.step();
    expect(weights[0].dataSync()).toEqual(after);
  });

  test("four micro-batches give the step of the large batch", () => {
    const [x, y] = batch(0);
    const run = (parts: number) => {
      const { weights, loss, values } = network();
      const optimizer = new optim.Adam(weights, { lr: 0.1 });
      for (let round = 0; round < 3; round++) {
        optimizer.zeroGrad();
        for (let part = 0; part < parts; part++) {
          const rows = 16 / parts;
          const cut = (t: Tensor) => t.slice([part * rows, 0], [(part + 1) * rows, t.shape[1]]);
          loss(cut(x), cut(y)).div(parts).backward();
        }
        optimizer.step();
      }
      return values().flat();
    };
    const whole = run(1);
    run(4).forEach((value, index) => expect(value).toBeCloseTo(whole[index], 4));
  });

  test("clipping the gradients between backward and step is part of the step's one program", () => {
    const { weights, loss } = network();
    const optimizer = new optim.SGD(weights, 1);
    const run = (step: number) => {
      optimizer.zeroGrad();
      loss(...batch(step))
        .mul(1000)
        .backward();
      const gradients = weights.map((weight) => weight.grad as Tensor);
      const norm = gradients
        .map((g) => g.square().sum())
        .reduce((a, b) => a.add(b))
        .sqrt();
      weights.forEach((weight, index) => {
        weight.grad = gradients[index].mul(norm.add(1e-6).reciprocal().minimum(1));
      });
      optimizer.step();
    };
    run(0);
    run(1);
    const before = weights.flatMap((weight) => [...weight.dataSync()]);
    const { runs } = engine.stats();
    run(2);
    expect(engine.stats().runs - runs).toBe(1);
    const after = weights.flatMap((weight) => [...weight.dataSync()]);
    const moved = Math.sqrt(after.reduce((sum, value, index) => sum + (value - before[index]) ** 2, 0));
    expect(moved).toBeCloseTo(1, 4);
  });

  test("groups have settings of their own, which may change at any time without compiling", () => {
    const { weights, loss, values } = network();
    const optimizer = new optim.SGD([{ params: [weights[0]] }, { params: weights.slice(1), lr: 0 }], {
      lr: 0.1,
      momentum: 0.5,
    });
    const start = values();
    const step = () => {
      optimizer.zeroGrad();
      loss(...batch(0)).backward();
      optimizer.step();
    };
    step();
    step();
    expect(values()[1]).toEqual(start[1]);
    expect(values()[0]).not.toEqual(start[0]);
    const { compilations } = engine.stats();
    optimizer.paramGroups[1].lr = 0.2;
    optimizer.paramGroups[0].lr = 0;
    optimizer.paramGroups[0].momentum = 0.1;
    const middle = values();
    step();
    expect(values()[0]).toEqual(middle[0]);
    expect(values()[1]).not.toEqual(start[1]);
    expect(engine.stats().compilations).toBe(compilations);
  });

  test("a Keras model's weights are trained by an optimizer of this door", () => {
    const model = new Sequential([new layers.Dense(4, { activation: "tanh", inputShape: [3] }), new layers.Dense(1)]);
    const optimizer = new optim.Adadelta(model.trainableWeights, { lr: 5 });
    const [x, y] = batch(0);
    const losses = Array.from({ length: 30 }, () => {
      optimizer.zeroGrad();
      const loss = model(x).sub(y).square().mean();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    expect(losses[29]).toBeLessThan(losses[0] * 0.7);
    expect(Object.keys(optimizer.stateDict().state)).toEqual(["0", "1", "2", "3"]);
  });

  test("a closure is evaluated with gradients recorded", () => {
    const { weights, loss } = network();
    const optimizer = new optim.SGD(weights, 0.1);
    const value = optimizer.step(() => {
      optimizer.zeroGrad();
      const result = loss(...batch(0));
      result.backward();
      return result;
    });
    expect(value.item()).toBeGreaterThan(0);
  });
});
