/** jit.trace, jit.script, jit.save, jit.load. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { noGrad, setRandomSeed, type Tensor, tensor } from "../../../src/tensor/index.ts";
import * as jit from "../../../src/torch/jit/index.ts";
import * as nn from "../../../src/torch/nn/index.ts";
import * as optim from "../../../src/torch/optim/index.ts";

import { hashed as random } from "../../hashed.ts";
import { images, Net } from "./net.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-jit-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "model.pt");
const roundTrip = <Args extends readonly unknown[], Result>(traced: jit.ScriptModule<Args, Result>) => {
  jit.save(traced, path);
  return jit.load<Args, Result>(path);
};

describe("trace, save, load", () => {
  test("a network with convolution, batch norm, dropout: every batch size gives the module's own bits", () => {
    const net = new Net().eval();
    const loaded = roundTrip(jit.trace(net, images(2)));
    for (const batch of [1, 2, 3, 7, 32]) {
      const x = images(batch, batch);
      noGrad(() => expect(loaded(x).dataSync()).toEqual(net(x).dataSync()));
    }
    expect(Object.keys(loaded.stateDict())).toEqual(Object.keys(net.stateDict()));
    expect(loaded.namedParameters().map(([name]) => name)).toEqual(net.namedParameters().map(([name]) => name));
    expect(loaded.originalName).toBe("Net");
  });

  test("traced from a single example", () => {
    const net = new Net().eval();
    const loaded = roundTrip(jit.trace(net, images(1)));
    for (const batch of [1, 4]) expect(loaded(images(batch)).dataSync()).toEqual(net(images(batch)).dataSync());
  });

  test("a trace shares parameters with its module, and a loaded one can be trained further", () => {
    const net = new Net().eval();
    const traced = jit.trace(net, images(2));
    const loaded = roundTrip(traced);
    const step = (module: (x: Tensor) => Tensor, parameters: nn.Parameter[]) => {
      const optimizer = new optim.SGD(parameters, 0.1);
      for (let i = 0; i < 3; i++) {
        optimizer.zeroGrad();
        nn.functional.nllLoss(module(images(4)), tensor(new Int32Array([0, 1, 2, 3]))).backward();
        optimizer.step();
      }
    };
    step(loaded, loaded.parameters());
    expect(traced.parameters()).toEqual(net.parameters());
    step(traced, traced.parameters());
    for (const [name, value] of Object.entries(net.stateDict())) {
      expect([name, [...loaded.stateDict()[name].dataSync()]]).toEqual([name, [...value.dataSync()]]);
    }
  });

  test("in training mode dropout stays random and batch norm's statistics move", () => {
    const net = new Net().train();
    const loaded = roundTrip(jit.trace(net, images(2)));
    const run = (module: (x: Tensor) => Tensor) => {
      setRandomSeed(3);
      return noGrad(() => [1, 2, 3].map((stream) => [...module(images(4, stream)).dataSync()]));
    };
    const own = run(net);
    expect(run(loaded)).toEqual(own);
    const x = images(4);
    noGrad(() => expect(loaded(x).dataSync()).not.toEqual(loaded(x).dataSync()));
    const mean = (module: nn.Module<never, unknown>) => module.stateDict()["norm.running_mean"].dataSync();
    expect(mean(loaded as never)).not.toEqual(new Float32Array(4));
  });

  test("several inputs, nested results, shared weights", () => {
    class Pair extends nn.Module<[Tensor, { mask: Tensor }], { sum: Tensor; parts: Tensor[] }> {
      first = new nn.Linear(4, 4);
      second = this.first;
      scale = tensor([2, 3, 4, 5]);
      override forward(x: Tensor, { mask }: { mask: Tensor }): { sum: Tensor; parts: Tensor[] } {
        const y = this.second(this.first(x)).mul(this.scale).maskedFill(mask, 0);
        return { sum: y.sum(1), parts: [y, y.mean()] };
      }
    }
    const pair = new Pair();
    const x = random(1, [3, 4]);
    const mask = random(2, [3, 4]).gt(0);
    const loaded = roundTrip(jit.trace(pair, [x, { mask }]));
    const [a, b] = [pair, loaded].map((module) => module(random(5, [6, 4]), { mask: random(6, [6, 4]).gt(0) }));
    expect(b.sum.dataSync()).toEqual(a.sum.dataSync());
    expect(b.parts[1].item()).toBe(a.parts[1].item());
    expect(Object.keys(loaded.stateDict())).toEqual(Object.keys(pair.stateDict()));
    expect(loaded.parameters().length).toBe(2);
  });

  test("recurrent layers and attention", () => {
    class Sequence extends nn.Module {
      lstm = new nn.LSTM(5, 6, { batchFirst: true, bidirectional: true });
      attention = new nn.TransformerEncoderLayer(12, 3, { dimFeedforward: 8, batchFirst: true, dropout: 0 });
      override forward(x: Tensor): Tensor {
        return this.attention(this.lstm(x)[0]).mean(1);
      }
    }
    const net = new Sequence().eval();
    const loaded = roundTrip(jit.trace(net, random(1, [2, 7, 5])));
    for (const batch of [1, 2, 5]) {
      const x = random(3, [batch, 7, 5]);
      expect(loaded(x).dataSync()).toEqual(net(x).dataSync());
    }
    // and backwards
    const x = random(4, [3, 7, 5]);
    for (const module of [net, loaded]) module(x).square().sum().backward();
    const gradients = (module: nn.AnyModule) => module.parameters().flatMap((p) => [...(p.grad?.dataSync() ?? [])]);
    const own = gradients(net);
    gradients(loaded).forEach((value, index) => expect(value).toBeCloseTo(own[index], 4));
  });

  test("a plain function", () => {
    const loaded = roundTrip(
      jit.trace((x: Tensor, y: Tensor) => x.matmul(y).add(1), [random(1, [2, 3]), random(2, [3, 4])]),
    );
    expect(loaded(random(3, [5, 3]), random(2, [3, 4])).shape).toEqual([5, 4]);
  });
});

describe("what is specialised or refused", () => {
  test("control flow that depends on data", () => {
    class Branch extends nn.Module {
      override forward(x: Tensor): Tensor {
        return x.sum().item() > 0 ? x : x.neg();
      }
    }
    expect(() => jit.trace(new Branch(), random(1, [2, 2]))).toThrow(/trace: Branch reads a value while it is traced/);
    expect(() => jit.script(new Branch())(random(1, [2, 2]))).toThrow(/script: Branch reads a value/);
  });
  test("control flow that depends on the size", () => {
    const traced = jit.trace((x: Tensor) => (x.shape[0] === 3 ? x.mul(2) : x.mul(x.shape[0] ** 2)), [random(1, [3])]);
    expect(traced(tensor([1, 2, 3])).toArray()).toEqual([2, 4, 6]);
    expect(() => traced(tensor([1, 2]))).toThrow(
      /received f32 \(2,\); traced for f32 \(3,\) \(only these shapes: the function computes other things/,
    );
  });
  test("an axis of 1 that is squeezed away", () => {
    const f = (x: Tensor) => x.squeeze().add(1);
    const loaded = roundTrip(jit.trace(f, [random(1, [4, 3])]));
    for (const batch of [1, 2, 4]) {
      const x = random(2, [batch, 3]);
      expect(loaded(x).shape).toEqual(f(x).shape);
      expect(loaded(x).dataSync()).toEqual(f(x).dataSync());
    }
  });
  test("a mean over the batch, and a range as long as the batch", () => {
    const f = (x: Tensor) => x.mean(0).add(x.sum(0).div(x.shape[0])).sum().add(x.cumsum(0).sum());
    const loaded = roundTrip(jit.trace(f, [random(1, [4, 3])]));
    for (const batch of [1, 2, 9]) expect(loaded(random(2, [batch, 3])).item()).toBe(f(random(2, [batch, 3])).item());
  });
  test("numbers from outside that change", () => {
    expect(() => jit.trace((x: Tensor) => x.mul(Math.random()), [random(1, [3])])).toThrow(/another program each time/);
  });
  test("a random tensor from outside stays as it was", () => {
    const noise = random(1, [3]).mul(2);
    const traced = jit.trace((x: Tensor) => x.add(noise), [random(2, [2, 3])]);
    expect(traced(random(2, [2, 3])).dataSync()).toEqual(random(2, [2, 3]).add(noise).dataSync());
  });
  test("a parameter of somebody else", () => {
    const weight = new nn.Parameter([1, 2, 3]);
    expect(() => jit.trace((x: Tensor) => x.mul(weight), [random(1, [2, 3])])).toThrow(
      /trainable tensor that is no parameter of the module/,
    );
  });
  test("inputs of another rank, dtype, size or number", () => {
    const traced = jit.trace(new nn.Linear(3, 2), random(1, [2, 3]));
    expect(() => traced(random(1, [2, 2, 3]))).toThrow(/received f32 \(2, 2, 3\); traced for f32 \(batch, 3\)/);
    expect(() => traced(tensor(new Int32Array(6), { shape: [2, 3] }))).toThrow(/received i32/);
    expect(() => traced(random(1, [2, 4]))).toThrow(/received f32 \(2, 4\)/);
    expect(() => (traced as unknown as (...args: Tensor[]) => Tensor)(random(1, [2, 3]), random(1, [2, 3]))).toThrow(
      /called with 2 tensors in another form/,
    );
    expect(() => jit.save(new nn.Linear(3, 2) as never, path)).toThrow(/expected what jit.trace or jit.script gives/);
    expect(() => jit.save(jit.script(new nn.Linear(3, 2)), path)).toThrow(/never called/);
  });
});

test("script traces for each form of call and mode, and saves all of them", () => {
  class Scale extends nn.Module {
    layer = new nn.Linear(3, 3);
    override forward(x: Tensor): Tensor {
      return this.training ? this.layer(x).mul(2) : this.layer(x);
    }
  }
  const net = new Scale();
  const scripted = jit.script(net);
  const x = random(1, [4, 3]);
  expect(scripted(x).dataSync()).toEqual(net(x).dataSync());
  scripted.eval();
  net.eval();
  expect(scripted(x).dataSync()).toEqual(net(x).dataSync());
  expect(scripted(random(2, [2, 5, 3])).shape).toEqual([2, 5, 3]);
  const loaded = roundTrip(scripted);
  loaded.eval();
  expect(loaded(x).dataSync()).toEqual(net(x).dataSync());
  net.train();
  expect(loaded.train()(x).dataSync()).toEqual(net(x).dataSync());
  expect(() => loaded(random(2, [2, 5, 3]))).toThrow(/received f32 \(2, 5, 3\)/);
});
