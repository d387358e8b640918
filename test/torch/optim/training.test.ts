/** Training loops with the optimizers: one program, no compilations, state that goes on. */
import { describe, expect, test } from "vitest";
import { layers, Sequential } from "../../../src/keras/index.ts";
import {
  compile,
  dropout,
  engine,
  evaluate,
  setRandomSeed,
  type Tensor,
  tensor,
  Variable,
} from "../../../src/tensor/index.ts";
import { hashUniform } from "../../../src/testing/hash-uniform.ts";
import * as optim from "../../../src/torch/optim/index.ts";

const random = (stream: number, shape: number[]): Tensor =>
  tensor(
    hashUniform(
      stream,
      shape.reduce((a, b) => a * b, 1),
    ),
    { shape },
  );

function network() {
  const weights = [new Variable(random(1, [3, 8])), new Variable(random(2, [8])), new Variable(random(3, [8, 1]))];
  const forward = (x: Tensor, rate = 0) => {
    const hidden = x.matmul(weights[0]).add(weights[1]).tanh();
    return (rate > 0 ? dropout(hidden, rate) : hidden).matmul(weights[2]);
  };
  const loss = (x: Tensor, y: Tensor, rate = 0) => forward(x, rate).sub(y).square().mean();
  const values = () => weights.map((weight) => [...weight.dataSync()]);
  return { weights, loss, values };
}
const batch = (step: number, rows = 16) => [random(50 + step, [rows, 3]), random(90 + step, [rows, 1])] as const;

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

describe("state dicts", () => {
  const kinds = [
    ["SGD", (w: Variable[]) => new optim.SGD(w, { lr: 0.1, momentum: 0.9, dampening: 0.2 })],
    ["Adam", (w: Variable[]) => new optim.Adam(w, { lr: 0.02, amsgrad: true })],
    ["NAdam", (w: Variable[]) => new optim.NAdam(w)],
    ["RMSprop", (w: Variable[]) => new optim.RMSprop(w, { centered: true, momentum: 0.3 })],
    ["Adagrad", (w: Variable[]) => new optim.Adagrad(w)],
    ["Adadelta", (w: Variable[]) => new optim.Adadelta(w)],
  ] as const;
  test.each(kinds)("%s goes on bit for bit from its state, in an optimizer that has stepped otherwise", (_, make) => {
    const train = (run: ReturnType<typeof network> & { optimizer: optim.Optimizer }, from: number, to: number) => {
      for (let step = from; step < to; step++) {
        run.optimizer.zeroGrad();
        run.loss(...batch(step)).backward();
        // the second weight misses a step, so that its count differs
        if (step === 1) run.weights[1].grad = undefined;
        run.optimizer.step();
      }
    };
    const first = network();
    const a = { ...first, optimizer: make(first.weights) as optim.Optimizer };
    train(a, 0, 4);
    const state = a.optimizer.stateDict();
    const weights = a.values();
    train(a, 4, 7);
    const second = network();
    const b = { ...second, optimizer: make(second.weights) as optim.Optimizer };
    train(b, 0, 2);
    b.optimizer.loadStateDict(state);
    second.weights.forEach((weight, index) =>
      weight.assign(tensor(new Float32Array(weights[index]), { shape: weight.shape })),
    );
    evaluate();
    train(b, 4, 7);
    expect(b.values()).toEqual(a.values());
    // the state that was handed out has not moved
    expect(b.optimizer.stateDict().param_groups).toEqual(state.param_groups);
    const reloaded = network();
    const c = make(reloaded.weights) as optim.Optimizer;
    c.loadStateDict(state);
    expect(c.stateDict().state[0]).toBeDefined();
    for (const [name, value] of Object.entries(state.state[0])) {
      expect([...c.stateDict().state[0][name].dataSync()]).toEqual([...value.dataSync()]);
    }
  });

  test("a compiled step goes on with restored state", () => {
    const { weights, loss, values } = network();
    const optimizer = new optim.Adam(weights, { lr: 0.05 });
    const step = compile((x: Tensor, y: Tensor) => {
      optimizer.zeroGrad();
      const value = loss(x, y);
      value.backward();
      optimizer.step();
      return value;
    });
    step(...batch(0));
    const state = optimizer.stateDict();
    const kept = values();
    step(...batch(1));
    const expected = values();
    optimizer.loadStateDict(state);
    weights.forEach((weight, index) => weight.assign(tensor(new Float32Array(kept[index]), { shape: weight.shape })));
    const { compilations } = engine.stats();
    step(...batch(1));
    expect(values()).toEqual(expected);
    expect(engine.stats().compilations).toBeLessThanOrEqual(compilations + 1);
  });

  test("what does not fit is refused whole, with everything that is wrong", () => {
    const { weights, loss } = network();
    const adam = new optim.Adam(weights, { lr: 0.05 });
    loss(...batch(0)).backward();
    adam.step();
    const state = adam.stateDict();
    const load = (
      change: (state: {
        state: Record<string, Record<string, unknown>>;
        param_groups: Record<string, unknown>[];
      }) => void,
    ) => {
      const copy = {
        state: Object.fromEntries(Object.entries(state.state).map(([key, value]) => [key, { ...value }])),
        param_groups: state.param_groups.map((group) => ({ ...group })),
      };
      change(copy);
      return () => adam.loadStateDict(copy as unknown as optim.OptimizerStateDict);
    };
    expect(load(() => {})).not.toThrow();
    expect(load((s) => s.param_groups.push({ params: [] }))).toThrow(
      /different number of parameter groups: 2, the optimizer 1/,
    );
    expect(
      load((s) => {
        s.param_groups[0].params = [0];
      }),
    ).toThrow(/group 0 of the loaded state dict has 1 parameters, the optimizer's group 3/);
    expect(
      load((s) => {
        s.state[0].exp_avg = tensor([1]);
        delete s.state[1].exp_avg_sq;
        s.state[2].surprise = tensor([1]);
        s.state[9] = {};
      }),
    ).toThrow(
      /exp_avg has shape \(1,\).*state\[1\] lacks exp_avg_sq.*surprise is unknown.*state\[9\] belongs to no parameter/s,
    );
    expect(
      load((s) => {
        s.param_groups[0].lr = -1;
      }),
    ).toThrow(/lr must be 0 or more/);
    expect(
      load((s) => {
        s.param_groups[0].lr = "fast";
        delete s.param_groups[0].eps;
      }),
    ).toThrow(/lr is fast.*lacks the setting "eps"/s);
    expect(() => adam.loadStateDict(new optim.SGD(weights, { lr: 1, momentum: 0.5 }).stateDict() as never)).toThrow(
      /unknown setting "momentum"/,
    );
    expect(() => adam.loadStateDict(null as never)).toThrow(/state and param_groups/);
    // PyTorch's own flags are passed over
    expect(
      load((s) => Object.assign(s.param_groups[0], { foreach: null, fused: null, capturable: false })),
    ).not.toThrow();
    expect(adam.paramGroups[0].lr).toBe(0.05);
    const scheduler = new optim.lrScheduler.StepLR(adam, 3);
    expect(() => scheduler.loadStateDict({ ...scheduler.stateDict(), gamma: "x", what: 1 })).toThrow(
      /gamma is "x"; what is unknown/,
    );
  });
});

describe("mistakes", () => {
  const weight = () => new Variable([1, 2]);
  const cases: [string, () => unknown, RegExp][] = [
    ["no parameters", () => new optim.SGD([], { lr: 1 }), /SGD: optimizer got an empty parameter list/],
    [
      "a tensor",
      () => new optim.SGD([tensor([1]) as Variable], { lr: 1 }),
      /can't optimize a tensor that is no variable/,
    ],
    [
      "something else",
      () => new optim.Adam(["w"] as never),
      /can only optimize variables, but one of the params is String/,
    ],
    ["a bare variable", () => new optim.Adam(weight() as never), /must be an iterable/],
    ["a set", () => new optim.Adam(new Set([weight()])), /ordered collection/],
    [
      "a duplicate",
      () => {
        const w = weight();
        return new optim.SGD([w, w]);
      },
      /duplicate parameters/,
    ],
    [
      "two groups",
      () => {
        const w = weight();
        return new optim.SGD([{ params: [w] }, { params: [w] }]);
      },
      /more than one parameter group/,
    ],
    ["mixed", () => new optim.SGD([weight(), { params: [weight()] }]), /mixes variables and groups/],
    ["lr", () => new optim.SGD([weight()], { lr: -0.1 }), /lr must be 0 or more, received -0.1/],
    ["group lr", () => new optim.SGD([{ params: [weight()], lr: Number.NaN }]), /lr must be 0 or more, received NaN/],
    ["betas", () => new optim.Adam([weight()], { betas: [0.9, 1] }), /betas\[1\] must be at least 0 and below 1/],
    ["nesterov", () => new optim.SGD([weight()], { nesterov: true }), /Nesterov momentum requires/],
    ["rho", () => new optim.Adadelta([weight()], { rho: 2 }), /rho must be between 0 and 1/],
    [
      "a misspelled option",
      () => new optim.SGD([weight()], { momentun: 0.9 } as never),
      /unknown option "momentun" \(did you mean "momentum"\?\)/,
    ],
    [
      "OneCycle",
      () => new optim.lrScheduler.OneCycleLR(new optim.Adagrad([weight()]), 0.1, { totalSteps: 3 }),
      /neither momentum nor betas/,
    ],
    [
      "OneCycle steps",
      () => new optim.lrScheduler.OneCycleLR(new optim.SGD([weight()]), 0.1),
      /define either totalSteps/,
    ],
    ["no optimizer", () => new optim.lrScheduler.StepLR({} as never, 1), /first argument must be an optimizer/],
    [
      "plateau factor",
      () => new optim.lrScheduler.ReduceLROnPlateau(new optim.SGD([weight()]), "min", { factor: 1 }),
      /factor must be below 1/,
    ],
    ["resume", () => new optim.lrScheduler.StepLR(new optim.SGD([weight()]), 1, { lastEpoch: 3 }), /has no initialLr/],
    [
      "milestones",
      () => {
        const o = new optim.SGD([weight()]);
        return new optim.lrScheduler.SequentialLR(o, [new optim.lrScheduler.ConstantLR(o)], [3]);
      },
      /one milestone less/,
    ],
    [
      "chained plateau",
      () => {
        const o = new optim.SGD([weight()]);
        return new optim.lrScheduler.ChainedScheduler([new optim.lrScheduler.ReduceLROnPlateau(o) as never]);
      },
      /its step\(\) needs a metric/,
    ],
  ];
  test.each(cases)("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });

  test("a OneCycle that is over", () => {
    const optimizer = new optim.SGD([weight()], { lr: 1 });
    const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, 0.1, { totalSteps: 2, cycleMomentum: false });
    optimizer.step();
    scheduler.step();
    scheduler.step();
    expect(() => scheduler.step()).toThrow(/tried to step 3 times; the cycle has 2 steps/);
  });
});
