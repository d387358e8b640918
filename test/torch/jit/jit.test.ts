/** jit.trace, jit.script, jit.save, jit.load. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TriviumError } from "../../../src/errors.ts";
import { decodeSafetensors, encodeSafetensors } from "../../../src/interop/index.ts";
import { noGrad, setRandomSeed, type Tensor, tensor } from "../../../src/tensor/index.ts";
import { hashUniform } from "../../../src/testing/hash-uniform.ts";
import * as jit from "../../../src/torch/jit/index.ts";
import * as nn from "../../../src/torch/nn/index.ts";
import * as optim from "../../../src/torch/optim/index.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-jit-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "model.pt");
const random = (stream: number, shape: number[]): Tensor =>
  tensor(
    hashUniform(
      stream,
      shape.reduce((a, b) => a * b, 1),
    ),
    { shape },
  );

class Net extends nn.Module {
  conv = new nn.Conv2d(3, 4, 3, { padding: 1 });
  norm = new nn.BatchNorm2d(4);
  hidden = new nn.Linear(64, 10);
  drop = new nn.Dropout(0.5);
  output = new nn.Linear(10, 5);
  override forward(x: Tensor): Tensor {
    const features = this.norm(this.conv(x)).relu();
    const flat = nn.functional.maxPool2d(features, 2).flatten(1);
    return this.output(this.drop(this.hidden(flat).relu())).logSoftmax(1);
  }
}
const images = (batch: number, stream = 1) => random(stream, [batch, 3, 8, 8]);
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

describe("hostile files", () => {
  const saved = () => {
    jit.save(jit.trace(new Net().eval(), images(2)), path);
    return decodeSafetensors(readFileSync(path), path);
  };
  interface Node {
    kind: string;
    op: string;
    inputs: number[];
    attributes: Record<string, unknown>;
    shape: unknown[];
    index: number;
    name: string;
    order: number;
  }
  interface Program {
    program: { entries: Node[]; outputs: unknown[]; updates: unknown[]; arguments: unknown[] };
    batchAxes: unknown;
    batch: unknown;
    result: unknown;
    structure: unknown;
    training: unknown;
    fixed: unknown;
  }
  const change = (edit: (program: Program, node: (op: string) => Node) => void) => {
    const { tensors, metadata } = saved();
    const programs = JSON.parse(metadata.programs) as Program[];
    edit(programs[0], (op) => programs[0].program.entries.find((entry) => entry.op === op) as Node);
    writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, { ...metadata, programs: JSON.stringify(programs) })));
  };
  const cases: [string, (program: Program, node: (op: string) => Node) => void, RegExp][] = [
    [
      "an unknown op",
      (_, node) => {
        node("conv2d").op = "constructor";
      },
      /there is no op "constructor"/,
    ],
    [
      "an input that comes later",
      (p, node) => {
        node("conv2d").inputs = [p.program.entries.length - 1, 0];
      },
      /an input of node \d+ refers to/,
    ],
    [
      "a wrong number of inputs",
      (_, node) => {
        node("conv2d").inputs = [0];
      },
      /conv2d takes 2 inputs, not 1/,
    ],
    [
      "a stated shape that is not so",
      (_, node) => {
        node("conv2d").shape = [1, 2, 3, 4];
      },
      /the program states f32 \(1, 2, 3, 4\), its inputs give/,
    ],
    [
      "a shape of gigabytes",
      (_, node) => {
        node("conv2d").shape = [2 ** 40];
      },
      /is no shape of a tensor/,
    ],
    [
      "a negative shape",
      (_, node) => {
        node("conv2d").shape = [-1, 2];
      },
      /is no shape of a tensor/,
    ],
    [
      "a stride of 0",
      (_, node) => {
        node("conv2d").attributes.strides = [0, 1];
      },
      /strides \(0, 1\) must be two integers of 1 or more/,
    ],
    [
      "attributes of another type",
      (_, node) => {
        node("conv2d").attributes.strides = "ab";
      },
      /attribute "strides" must be a pair of integers/,
    ],
    [
      "an attribute that is missing",
      (_, node) => {
        node("permute").attributes = {};
      },
      /attribute "axes" must be a list of integers/,
    ],
    [
      "axes that are none",
      (_, node) => {
        node("permute").attributes.axes = [0, 9, 1, 2];
      },
      /permute: axis 9 is out of range/,
    ],
    [
      "an expand that does not fit",
      (_, node) => {
        node("expand").attributes.shape = [7, 7];
      },
      /does not expand|states/,
    ],
    [
      "an output that is not there",
      (p) => {
        p.program.outputs = [9999];
      },
      /an output refers to 9999/,
    ],
    [
      "an argument that is not there",
      (p) => {
        p.program.entries.forEach((e) => {
          if (e.kind === "argument") e.index = 4;
        });
      },
      /refers to 4, of 1/,
    ],
    [
      "a tensor that is not there",
      (p) => {
        p.program.entries.forEach((e) => {
          if (e.kind === "tensor") e.name = "../secret";
        });
      },
      /there is no tensor "..\/secret"/,
    ],
    [
      "an update of nothing",
      (p) => {
        p.program.updates = [{ name: "x", value: 0 }];
      },
      /there is no variable "x"/,
    ],
    [
      "a kind that does not exist",
      (p) => {
        p.program.entries[0].kind = "eval";
      },
      /unknown kind/,
    ],
    [
      "axes for the batch",
      (p) => {
        p.batchAxes = [7];
      },
      /its axes are damaged/,
    ],
    [
      "a result that is damaged",
      (p) => {
        p.result = [0, 0];
      },
      /its structure names the tensor 0, of 1/,
    ],
    [
      "a mode",
      (p) => {
        p.training = "yes";
      },
      /its mode is damaged/,
    ],
    [
      "no list of nodes",
      (p) => {
        (p.program as { entries: unknown }).entries = 5;
      },
      /its list of nodes is damaged/,
    ],
  ];
  test.each(cases)("%s", (_, edit, message) => {
    change(edit);
    expect(() => jit.load(path)).toThrow(message);
    expect(() => jit.load(path)).toThrow(TriviumError);
  });
  test("state names that would replace methods", () => {
    for (const name of ["forward", "__proto__.weight", "a..b", "constructor", "conv.forward"]) {
      const { tensors, metadata } = saved();
      const state = JSON.parse(metadata.state) as { name: string }[];
      state[0].name = name;
      writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, { ...metadata, state: JSON.stringify(state) })));
      expect(() => jit.load(path), name).toThrow(TriviumError);
    }
  });
  test("truncated, newer and other files", () => {
    const { tensors, metadata } = saved();
    const bytes = readFileSync(path);
    for (const part of [0.1, 0.5, 0.99]) {
      writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * part)));
      expect(() => jit.load(path)).toThrow(/truncated/);
    }
    writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, { ...metadata, version: "2" })));
    expect(() => jit.load(path)).toThrow(/version 2, this Trivium reads version 1/);
    writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, { ...metadata, format: "trivium-object" })));
    expect(() => jit.load(path)).toThrow(/open it with torch.load/);
  });
  test("random damage to the program is an error or the same program", () => {
    const { tensors, metadata } = saved();
    for (let at = 0; at < metadata.programs.length; at += 311) {
      const text = metadata.programs;
      const damaged = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1 || 48) + text.slice(at + 1);
      writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, { ...metadata, programs: damaged })));
      try {
        jit.load(path);
      } catch (error) {
        expect(error).toBeInstanceOf(TriviumError);
      }
    }
  });
});
