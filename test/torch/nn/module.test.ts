/** Modules: what is found inside them, state dicts, hooks, printing, and what happens when user code throws. */
import { beforeAll, describe, expect, it } from "vitest";
import { ArgumentError, ShapeError, StaleTensorError, UnsupportedError } from "../../../src/errors.ts";
import { assignAll, engine, noGrad, ones, type Tensor, tensor, zeros } from "../../../src/tensor/index.ts";
import { nn } from "../../../src/torch/index.ts";
import { useFastTarget } from "./golden.ts";

beforeAll(useFastTarget);

class Block extends nn.Module {
  linear: nn.Linear;
  scale = new nn.Parameter(ones([1]));
  hidden: Tensor | undefined;
  constructor(width: number) {
    super();
    this.linear = new nn.Linear(width, width);
    this.registerBuffer("steps", zeros([], "i32"));
    this.registerBuffer("cache", zeros([2]), { persistent: false });
  }
  override forward(x: Tensor): Tensor {
    this.hidden = this.linear(x);
    return this.hidden.mul(this.scale);
  }
}
class Net extends nn.Module<[x: Tensor, y?: Tensor], { sum: Tensor; parts: Tensor[] }> {
  first = new Block(3);
  readonly unlisted = [new nn.Linear(3, 3)];
  second: Block;
  constructor() {
    super();
    this.second = new Block(3);
  }
  override forward(x: Tensor, y?: Tensor): { sum: Tensor; parts: Tensor[] } {
    const a = this.first(x);
    const b = this.second(a.relu());
    return { sum: y ? a.add(b).add(y) : a.add(b), parts: [a, b] };
  }
}

const caught = (run: () => unknown): Error => {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
};

describe("what is inside", () => {
  const net = new Net();
  const block = ["scale", "linear.weight", "linear.bias"];
  it("parameters, buffers and modules have PyTorch's names and order; arrays are not searched", () => {
    const names = ["first", "second"].flatMap((at) => block.map((name) => `${at}.${name}`));
    expect(net.namedParameters().map(([name]) => name)).toEqual(names);
    expect(net.namedParameters("net", false)).toEqual([]);
    expect(net.first.namedParameters("p", false).map(([name]) => name)).toEqual(["p.scale"]);
    expect(net.namedBuffers().map(([name]) => name)).toEqual(
      ["first", "second"].flatMap((at) => [`${at}.steps`, `${at}.cache`]),
    );
    expect(net.namedModules().map(([name]) => name)).toEqual(["", "first", "first.linear", "second", "second.linear"]);
    expect(net.children()).toEqual([net.first, net.second]);
  });
  it("state dicts hold copies, without what is not persistent", () => {
    const state = net.stateDict();
    expect(Object.keys(state)).toEqual(
      ["first", "second"].flatMap((at) =>
        ["scale", "steps", "linear.weight", "linear.bias"].map((name) => `${at}.${name}`),
      ),
    );
    const before = state["first.scale"];
    net.first.scale.assign([5]);
    expect(before.item()).toBe(1);
    net.loadStateDict(state);
    expect(net.first.scale.item()).toBe(1);
  });
  it("paths lead to modules, parameters and buffers", () => {
    expect(net.getSubmodule("first.linear")).toBe(net.first.linear);
    expect(net.getSubmodule("")).toBe(net);
    expect(net.getParameter("second.linear.bias")).toBe(net.second.linear.bias);
    expect(net.getBuffer("first.steps").dtype).toBe("i32");
    expect(caught(() => net.getSubmodule("first.conv")).message).toContain(
      'Block has no "conv", only linear, scale, steps, cache',
    );
    expect(caught(() => net.getParameter("first.steps"))).toBeInstanceOf(ArgumentError);
  });
  it("a shared parameter is listed once, but stands in the state under both names", () => {
    class Tied extends nn.Module {
      encoder = new nn.Linear(2, 2);
      decoder = new nn.Linear(2, 2);
      again = this.encoder;
      constructor() {
        super();
        this.decoder.weight = this.encoder.weight;
      }
    }
    const tied = new Tied();
    expect(tied.parameters().length).toBe(3);
    expect(tied.modules().length).toBe(3);
    expect(Object.keys(tied.stateDict())).toEqual([
      ...["encoder", "decoder"].flatMap((at) => [`${at}.weight`, `${at}.bias`]),
      "again.weight",
      "again.bias",
    ]);
    const copy = tied.clone();
    expect(copy.encoder.weight).toBe(copy.decoder.weight);
    expect(copy.encoder).toBe(copy.again);
    expect(copy.encoder.weight).not.toBe(tied.encoder.weight);
  });
  it("a module inside itself is an error that says where", () => {
    const outer = new nn.Sequential(new nn.Identity(), new nn.Sequential(new nn.Identity()));
    (outer[1] as nn.Sequential).append(outer);
    const error = caught(() => outer.parameters());
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toContain('"1.1" (Sequential) contains itself');
    for (const use of [() => outer.train(), () => outer.stateDict(), () => outer.loadStateDict({})]) {
      expect(caught(use)).toBeInstanceOf(ArgumentError);
    }
  });
});

describe("loading a state dict", () => {
  const state = () => new Net().stateDict();
  it("lists everything that is wrong at once, and changes nothing", () => {
    const net = new Net();
    const before = net.stateDict();
    const { "first.scale": _, ...wrong } = state();
    const error = caught(() =>
      net.loadStateDict({
        ...wrong,
        "second.scale": ones([2]).mul(7),
        "second.linear.bias": ones([1, 3]),
        extra: ones([1]),
        "first.linear.bias": ones([3]).mul(9),
      }),
    );
    expect(error).toBeInstanceOf(nn.StateDictError);
    expect(error).toMatchObject({ missingKeys: ["first.scale"], unexpectedKeys: ["extra"] });
    expect((error as nn.StateDictError).mismatches.length).toBe(2);
    for (const part of [
      'missing: "first.scale"',
      'unexpected: "extra"',
      "second.scale has shape (2,), the module (1,)",
      "(1, 3)",
    ]) {
      expect(error.message).toContain(part);
    }
    expect(error.stack?.split("\n").find((line) => line.includes(" at "))).toContain("module.test.ts");
    for (const [name, value] of Object.entries(net.stateDict()))
      expect(value.toArray()).toEqual(before[name].toArray());
  });
  it("leaves out what is missing where it is not strict; wrong shapes stay an error", () => {
    const net = new Net();
    const result = net.loadStateDict({ "first.scale": tensor([3]), other: ones([1]) }, { strict: false });
    expect(net.first.scale.item()).toBe(3);
    expect(result.unexpectedKeys).toEqual(["other"]);
    expect(result.missingKeys.length).toBe(7);
    expect(caught(() => net.loadStateDict({ "first.scale": ones([2]) }, { strict: false }))).toBeInstanceOf(
      nn.StateDictError,
    );
  });
  it("a stale value leaves the module as it was", () => {
    const net = new Net();
    const source = new nn.Parameter(ones([1]));
    const stale = source.mul(2);
    assignAll([[source, ones([1])]]);
    const dict = {
      ...net.stateDict(),
      "first.steps": tensor(new Int32Array([4]), { shape: [] }),
      "second.scale": stale,
    };
    expect(caught(() => net.loadStateDict(dict))).toBeInstanceOf(StaleTensorError);
    expect(net.getBuffer("first.steps").item()).toBe(0);
  });
  it("values of another dtype are converted, and a dict of the module's own variables is read before it is written", () => {
    class Pair extends nn.Module {
      a = new nn.Parameter(tensor([1]));
      b = new nn.Parameter(tensor([2]));
    }
    const pair = new Pair();
    pair.loadStateDict({ a: pair.b, b: pair.a });
    expect([pair.a.item(), pair.b.item()]).toEqual([2, 1]);
    pair.loadStateDict({ a: tensor(new Int32Array([7])), b: tensor([true]) });
    expect([pair.a.item(), pair.b.item()]).toEqual([7, 1]);
  });
});

describe("modes, hooks, printing", () => {
  it("train, eval, apply, requiresGrad_ and zeroGrad reach everything", () => {
    const net = new Net();
    net.eval();
    expect(net.modules().every(({ training }) => !training)).toBe(true);
    expect(net.train().training).toBe(true);
    const seen: string[] = [];
    net.apply((module) => {
      seen.push(module.constructor.name);
    });
    expect(seen).toEqual(["Linear", "Block", "Linear", "Block", "Net"]);
    net.requiresGrad_(false);
    expect(net.parameters().some(({ requiresGrad }) => requiresGrad)).toBe(false);
    net.requiresGrad_();
    net(ones([1, 3]))
      .sum.sum()
      .backward();
    expect(net.first.scale.grad).toBeDefined();
    net.zeroGrad();
    expect(net.parameters().every(({ grad }) => grad === undefined)).toBe(true);
  });
  it("hooks see and may replace arguments and results, until they are removed", () => {
    const net = new nn.Identity();
    const pre = net.registerForwardPreHook((_module, [x]) => [x.mul(2)]);
    const post = net.registerForwardHook((_module, [x], y) => x.add(y));
    expect(net(tensor([1])).item()).toBe(4);
    pre.remove();
    expect(net(tensor([1])).item()).toBe(2);
    post.remove();
    post.remove();
    expect(net(tensor([1])).item()).toBe(1);
  });
  it("backward hooks see gradients of inputs and outputs, and may replace the input's", () => {
    const layer = new nn.Linear(2, 1, { bias: false });
    layer.weight.assign([[3, 4]]);
    const seen: unknown[] = [];
    const handle = layer.registerFullBackwardHook((module, gradInput, gradOutput) => {
      seen.push([module, gradInput.map((g) => g?.toArray()), gradOutput.map((g) => g?.toArray())]);
      return gradInput[0]?.mul(10);
    });
    const x = tensor([[1, 2]]);
    x.requiresGrad = true;
    // the other path of x is none of the module's business
    layer(x).mul(2).sum().add(x.sum()).backward();
    expect(seen).toEqual([[layer, [[[6, 8]]], [[[2]]]]]);
    expect(x.grad?.toArray()).toEqual([[61, 81]]);
    expect(layer.weight.grad?.toArray()).toEqual([[2, 4]]);
    layer(tensor([[1, 2]]))
      .sum()
      .backward();
    expect(seen[1]).toEqual([layer, [undefined], [[[1]]]]);
    noGrad(() => layer(x));
    handle.remove();
    layer(x).sum().backward();
    expect(seen.length).toBe(2);
    const pair = new nn.Bilinear(1, 1, 1);
    pair.registerFullBackwardHook((_module, [left]) => left);
    const y = pair(ones([1, 1]).mul(layer.weight.sum()), ones([1, 1]).mul(layer.weight.sum()));
    expect(caught(() => y.sum().backward())).toBeInstanceOf(UnsupportedError);
  });
  it("prints as PyTorch does", () => {
    const text = String(new nn.Sequential({ conv: new nn.Conv2d(1, 2, 3), rest: new nn.Sequential(new nn.ReLU()) }));
    expect(text).toBe(
      "Sequential(\n  (conv): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))\n  (rest): Sequential(\n    (0): ReLU()\n  )\n)",
    );
    const list = new nn.ModuleList([new nn.ReLU(), new nn.ReLU(), new nn.Tanh()]);
    expect(String(list)).toBe("ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n)");
  });
  it("other devices and dtypes are errors, the present ones nothing", () => {
    const net = new nn.ReLU();
    expect(net.to("cpu").float().cpu()).toBe(net);
    expect(caught(() => net.to("cuda"))).toBeInstanceOf(UnsupportedError);
  });
  it("names that are taken or no names are errors", () => {
    const net = new nn.Module();
    net.registerModule("layer", new nn.ReLU());
    net.registerModule("layer", new nn.Tanh());
    expect(caught(() => net.registerBuffer("layer", zeros([1]))).message).toContain('already has a property "layer"');
    expect(caught(() => net.registerModule("forward", new nn.ReLU()))).toBeInstanceOf(ArgumentError);
    expect(caught(() => net.registerModule("a.b", new nn.ReLU())).message).toContain('"a.b"');
    expect(caught(() => net(ones([1])))).toBeInstanceOf(UnsupportedError);
  });
});

describe("containers", () => {
  it("Sequential, ModuleList and ModuleDict hold, find and add modules", () => {
    const chain = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
    chain.append(new nn.Linear(3, 1));
    expect([...chain].length).toBe(3);
    expect(chain.at(-1)).toBe(chain[2]);
    expect(Object.keys(chain.stateDict())).toEqual(["0.weight", "0.bias", "2.weight", "2.bias"]);
    expect(chain(ones([4, 2])).shape).toEqual([4, 1]);
    expect(caught(() => chain.at(3))).toBeInstanceOf(ArgumentError);
    const list = new nn.ModuleList([new nn.Linear(1, 2), new nn.Linear(3, 4)]);
    list.insert(1, new nn.Linear(5, 6));
    expect([...list].map(({ inFeatures: size }) => size)).toEqual([1, 5, 3]);
    const dict = new nn.ModuleDict({ relu: new nn.ReLU(), tanh: new nn.Tanh() });
    expect(dict.keys()).toEqual(["relu", "tanh"]);
    expect(dict.get("relu")).toBeInstanceOf(nn.ReLU);
    expect(dict.delete("relu")).toBe(true);
    expect(caught(() => dict.get("relu")).message).toContain("tanh");
    const twice = new nn.ReLU();
    expect(new nn.Sequential(twice, twice).length).toBe(2);
  });
  it("ParameterList and ParameterDict make parameters of tensors", () => {
    const list = new nn.ParameterList([ones([2]), new nn.Parameter(zeros([1, 2]))]);
    expect(list.parameters().map(({ shape }) => [...shape])).toEqual([[2], [1, 2]]);
    expect(Object.keys(list.stateDict())).toEqual(["0", "1"]);
    const dict = new nn.ParameterDict({ left: ones([2]) });
    expect(dict.get("left")).toBeInstanceOf(nn.Parameter);
    expect(dict.has("right")).toBe(false);
  });
});

describe("calls", () => {
  const learn = (net: Net, loss: Tensor): void => {
    loss.backward();
    assignAll(net.parameters().map((p) => [p, p.sub((p.grad as Tensor).mul(0.1))] as const));
  };
  it("keep what the outermost call returned, and nothing inside", () => {
    const net = new Net();
    const x = tensor([[1, 2, 3]]);
    const expected = noGrad(() => net(x, x)).sum.toArray();
    const { sum, parts } = net(x, x);
    const inner = net.first.hidden as Tensor;
    learn(net, sum.square().sum());
    expect(sum.toArray()).toEqual(expected);
    expect(parts.every((part) => Number.isFinite(part.dataSync()[0]))).toBe(true);
    expect(caught(() => inner.dataSync())).toBeInstanceOf(StaleTensorError);
    expect(caught(() => inner.dataSync()).message).toContain("keep()");
    net.zeroGrad();
    const again = net(x).sum.square().sum();
    const kept = (net.first.hidden as Tensor).keep();
    learn(net, again);
    expect(kept.dataSync().length).toBe(3);
  });
  it("keep nothing without gradients", () => {
    const net = new Block(2);
    const output = noGrad(() => net(ones([1, 2])));
    assignAll([[net.scale, zeros([1])]]);
    expect(caught(() => output.dataSync())).toBeInstanceOf(StaleTensorError);
  });
  it("user code that throws in the middle of a forward leaves nothing behind", () => {
    class Fragile extends nn.Module {
      linear = new nn.Linear(2, 2);
      broken = true;
      norm = new nn.BatchNorm1d(2);
      override forward(x: Tensor): Tensor {
        const y = this.norm(this.linear(x));
        if (this.broken) throw new RangeError("user");
        return y;
      }
    }
    const net = new nn.Sequential(new Fragile());
    const fragile = net[0] as Fragile;
    const x = tensor([
      [1, 2],
      [3, 5],
      [2, 0],
    ]);
    const step = (): number => {
      const loss = net(x).square().sum();
      net.zeroGrad();
      loss.backward();
      assignAll(net.parameters().map((p) => [p, p.sub((p.grad as Tensor).mul(0.01))] as const));
      return loss.item();
    };
    fragile.broken = false;
    step();
    step();
    const { trackedBytes, compilations } = engine.stats();
    fragile.broken = true;
    for (let i = 0; i < 20; i++) expect(caught(step)).toBeInstanceOf(RangeError);
    fragile.broken = false;
    const output = net(x);
    assignAll([[fragile.linear.weight, fragile.linear.weight.mul(1)]]);
    // the outermost call is told from inner ones again: its result was kept
    expect(output.dataSync().length).toBe(6);
    expect(Number.isFinite(step())).toBe(true);
    expect(engine.stats().trackedBytes - trackedBytes).toBeLessThan(200_000);
    expect(engine.stats().compilations - compilations).toBeLessThan(8);
  });
  it("errors name the layer by its place in the tree, and begin at the user's line", () => {
    const net = new nn.Sequential({
      features: new nn.Sequential(new nn.ReLU(), new nn.Conv2d(3, 4, 3)),
      flat: new nn.Flatten(),
    });
    const error = caught(() => net(ones([2, 1, 8, 8])));
    expect(error).toBeInstanceOf(ShapeError);
    expect(error.message).toContain('Conv2d "features.1": expected 3 channels');
    expect(error.message).toContain("(2, 1, 8, 8)");
    expect(error.stack?.split("\n").find((line) => line.includes(" at "))).toContain("module.test.ts");
    expect(caught(() => new nn.Linear(4, 2)(ones([3, 5]))).message).toContain(
      "Linear: expected an input of shape (…, 4), received (3, 5)",
    );
    expect(caught(() => new nn.Conv2d(1, 2, 3)(ones([3, 5]))).message).toContain("received (3, 5)");
    expect(caught(() => new nn.Conv2d(1, 2, 5)(ones([1, 1, 3, 3])))).toBeInstanceOf(ShapeError);
    expect(caught(() => new nn.BatchNorm2d(2)(ones([3, 5]))).message).toContain(
      "(batch, channels, height, width) with 2 channels",
    );
    expect(caught(() => new nn.BatchNorm1d(2)(ones([1, 2]))).message).toContain("more than one value");
    expect(caught(() => new nn.MultiheadAttention(5, 2)).message).toContain("heads");
    expect(caught(() => new nn.LayerNorm(4)(ones([3, 5]))).message).toContain("(…, 4)");
  });
});
