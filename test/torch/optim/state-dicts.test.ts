/** State dicts of the optimizers: training that goes on, and mistakes. */
import { describe, expect, test } from "vitest";
import { compile, engine, evaluate, type Tensor, tensor, Variable } from "../../../src/tensor/index.ts";
import * as optim from "../../../src/torch/optim/index.ts";

import { batch, network } from "./small-network.ts";

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
