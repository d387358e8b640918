/** torch.compile: whole training steps, and modules. */
import { describe, expect, test } from "vitest";
import { engine, noGrad, setRandomSeed, type Tensor, tensor } from "../../src/tensor/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { compile } from "../../src/torch/compile.ts";
import * as nn from "../../src/torch/nn/index.ts";
import * as optim from "../../src/torch/optim/index.ts";

const random = (stream: number, shape: number[]): Tensor =>
  tensor(
    hashUniform(
      stream,
      shape.reduce((a, b) => a * b, 1),
    ),
    { shape },
  );

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3);
  norm = new nn.BatchNorm2d(4);
  drop = new nn.Dropout(0.4);
  output = new nn.Linear(4 * 36, 5);
  override forward(x: Tensor): Tensor {
    return this.output(this.drop(this.norm(this.conv(x)).relu().flatten(1)));
  }
}
const labels = tensor(new Int32Array([0, 1, 2, 3, 4, 0]));

describe("torch.compile", () => {
  test("a training step with batch norm, dropout, clipping, a schedule: the plain loop's bits, and no compilation after the first", () => {
    const run = (compiled: boolean) => {
      setRandomSeed(11);
      const net = new Net();
      const optimizer = new optim.AdamW(net.parameters(), { lr: 0.01 });
      const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, 10);
      const train = (x: Tensor, y: Tensor): Tensor => {
        optimizer.zeroGrad();
        const loss = nn.functional.crossEntropy(net(x), y);
        loss.backward();
        nn.utils.clipGradNorm_(net.parameters(), 0.5);
        optimizer.step();
        return loss;
      };
      const step = compiled ? compile(train) : train;
      const losses: number[] = [];
      let compilations = 0;
      for (let i = 0; i < 6; i++) {
        losses.push(step(random(i, [6, 1, 8, 8]), labels).item());
        scheduler.step();
        if (i === 1) compilations = engine.stats().compilations;
      }
      expect(engine.stats().compilations).toBe(compilations);
      const state = Object.entries(net.stateDict()).map(([name, value]) => [name, [...value.dataSync()]] as const);
      return { losses, state };
    };
    const plain = run(false);
    const compiled = run(true);
    compiled.losses.forEach((loss, index) => {
      expect(loss).toBeCloseTo(plain.losses[index], 5);
    });
    compiled.state.forEach(([name, values], index) => {
      expect(name).toBe(plain.state[index][0]);
      values.forEach((value, at) => {
        expect(value).toBeCloseTo(plain.state[index][1][at], 4);
      });
    });
  });

  test("a module: its own results and gradients, its mode, and its parameters", () => {
    const net = new Net();
    const model = compile(net).eval();
    const x = random(1, [6, 1, 8, 8]);
    noGrad(() => {
      const own = net(x).dataSync();
      expect(model(x).dataSync()).toEqual(own);
      const { compilations } = engine.stats();
      expect(model(x).dataSync()).toEqual(own);
      expect(engine.stats().compilations).toBe(compilations);
      model.train();
      expect(model(x).dataSync()).not.toEqual(model(x).dataSync());
    });
    nn.functional.crossEntropy(model(x), labels).backward();
    expect(model.parameters().every((parameter) => parameter.grad !== undefined)).toBe(true);
    expect(model.parameters()).toEqual(net.parameters());
  });

  test("a module whose parts are replaced, added to or taken away afterwards computes what it has become", () => {
    const [first, second, third] = [new nn.Linear(4, 4), new nn.Linear(4, 4), new nn.Linear(4, 4)];
    const net = new nn.Sequential(first, new nn.Sequential(second, new nn.ReLU()));
    const x = random(1, [2, 4]);
    const model = compile(net);
    const agrees = (): void => noGrad(() => expect(model(x).dataSync()).toEqual(net(x).dataSync()));
    const properties = net as unknown as Record<string, unknown>;
    noGrad(() => {
      agrees();
      const { compilations } = engine.stats();
      agrees();
      expect(engine.stats().compilations).toBe(compilations);
      const before = model(x).dataSync();
      properties["0"] = third;
      agrees();
      expect(model(x).dataSync()).not.toEqual(before);
      net.add(first);
      agrees();
      properties["1"] = new nn.Sigmoid();
      agrees();
      properties["0"] = first;
      properties["1"] = new nn.Dropout(0.5);
      model.eval();
      agrees();
    });
  });

  test("a module that gets its first part afterwards computes with it, even one that was made before", () => {
    class Adapted extends nn.Module {
      adapter?: nn.Linear;
      override forward(input: Tensor): Tensor {
        return this.adapter ? this.adapter(input) : input;
      }
    }
    const [adapter, net, x] = [new nn.Linear(4, 4), new Adapted(), random(1, [2, 4])];
    const model = compile(net);
    noGrad(() => {
      expect(model(x).dataSync()).toEqual(x.dataSync());
      net.adapter = adapter;
      expect(model(x).dataSync()).toEqual(adapter(x).dataSync());
    });
  });

  test("compiled functions inside compiled functions are part of them", () => {
    const twice = compile((x: Tensor) => x.mul(2));
    const step = compile((x: Tensor) => twice(x).add(1));
    expect(step(tensor([1, 2])).toArray()).toEqual([3, 5]);
    expect(step(tensor([3, 4])).toArray()).toEqual([7, 9]);
  });

  test("a scheduler is stepped outside", () => {
    const scheduler = new optim.lrScheduler.ExponentialLR(new optim.SGD([new nn.Parameter([1])]), 0.9);
    const step = compile((x: Tensor) => {
      scheduler.step();
      return x.mul(2);
    });
    expect(() => step(tensor([1]))).toThrow(/ExponentialLR: step\(\) inside a compiled function has no effect/);
  });

  test("a gradient from before is not frozen into the program", () => {
    const weight = new nn.Parameter([1, 2]);
    const optimizer = new optim.SGD([weight], 0.1);
    weight.square().sum().backward();
    const step = compile((x: Tensor) => {
      const loss = weight.mul(x).sum();
      loss.backward();
      optimizer.step();
      return loss;
    });
    expect(() => step(tensor([1, 1]))).toThrow(/call zeroGrad\(\) inside the function first/);
  });
});
