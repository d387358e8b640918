/** The first 20 steps of every optimizer and scheduler against PyTorch (tools/goldens/torch_optimizers.py). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { tensor, Variable } from "../../../src/tensor/index.ts";
import { hashUniform } from "../../../src/testing/hash-uniform.ts";
import * as optim from "../../../src/torch/optim/index.ts";
import type { AnyOptimizer, LRScheduler } from "../../../src/torch/optim/lr-scheduler.ts";

const load = (name: string) => JSON.parse(readFileSync(new URL(`../../goldens/${name}.json`, import.meta.url), "utf8"));
const shapes = [[2, 3], [2]];
const values = (stream: number, shape: number[]) =>
  tensor(
    hashUniform(
      stream,
      shape.reduce((a, b) => a * b),
      -1,
      1,
    ),
    { shape },
  );
const parameters = () => shapes.map((shape, index) => new Variable(values(1 + index, shape)));
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const { SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, NAdam } = optim;
const optimizers = { SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, NAdam };

interface OptimizerGolden {
  readonly name: keyof typeof optimizers;
  readonly options: Record<string, number>;
  readonly steps: number[][];
  readonly state: Record<string, Record<string, number | number[]>>;
}

function expectClose(received: ArrayLike<number>, expected: readonly number[], tolerance = 1e-5): void {
  expect(received.length).toBe(expected.length);
  expected.forEach((value, index) => {
    expect(Math.abs(received[index] - value)).toBeLessThanOrEqual(tolerance * Math.max(1e-2, Math.abs(value)));
  });
}

function follow(golden: OptimizerGolden, skips: (step: number, index: number) => boolean): void {
  const params = parameters();
  const options = Object.fromEntries(Object.entries(golden.options).map(([key, value]) => [camel(key), value]));
  const optimizer = new optimizers[golden.name](params, options);
  golden.steps.forEach((expected, step) => {
    params.forEach((parameter, index) => {
      parameter.grad = skips(step, index) ? undefined : values(100 + 2 * step + index, shapes[index]);
    });
    optimizer.step();
    expectClose(
      params.flatMap((parameter) => [...parameter.dataSync()]),
      expected,
    );
  });
  const { state } = optimizer.stateDict();
  expect(Object.keys(state)).toEqual(Object.keys(golden.state));
  for (const [index, entries] of Object.entries(golden.state)) {
    expect(Object.keys(state[Number(index)]).sort()).toEqual(Object.keys(entries).sort());
    for (const [name, value] of Object.entries(entries)) {
      const own = state[Number(index)][name];
      expect(own.shape).toEqual(typeof value === "number" ? [] : shapes[Number(index)]);
      expectClose(own.dataSync(), [value].flat(), 2e-5);
    }
  }
}

const goldens = load("torch-optimizers") as { optimizers: OptimizerGolden[]; skipping: OptimizerGolden[] };

describe("optimizers", () => {
  test.each(goldens.optimizers.map((golden) => [`${golden.name} ${JSON.stringify(golden.options)}`, golden] as const))(
    "%s",
    (_, golden) => follow(golden, () => false),
  );
  test.each(goldens.skipping.map((golden) => [golden.name, golden] as const))(
    "%s: a parameter without a gradient stands still, its step count too",
    (_, golden) => follow(golden, (step, index) => index === 1 && step % 3 === 1),
  );
});

const s = optim.lrScheduler;
const schedulers: Record<
  string,
  (o: AnyOptimizer) => LRScheduler | optim.lrScheduler.SequentialLR | optim.lrScheduler.ChainedScheduler
> = {
  LambdaLR: (o) => new s.LambdaLR(o, (epoch) => 0.95 ** epoch),
  "LambdaLR two": (o) => new s.LambdaLR(o, [(epoch) => 1 / (1 + epoch), (epoch) => epoch * 0.5]),
  MultiplicativeLR: (o) => new s.MultiplicativeLR(o, (epoch) => 1 - epoch * 0.01),
  StepLR: (o) => new s.StepLR(o, { stepSize: 3, gamma: 0.7 }),
  MultiStepLR: (o) => new s.MultiStepLR(o, [2, 5, 5, 11], { gamma: 0.5 }),
  ConstantLR: (o) => new s.ConstantLR(o, { factor: 0.25, totalIters: 4 }),
  LinearLR: (o) => new s.LinearLR(o, { startFactor: 0.1, endFactor: 0.8, totalIters: 7 }),
  ExponentialLR: (o) => new s.ExponentialLR(o, 0.8),
  PolynomialLR: (o) => new s.PolynomialLR(o, 9, { power: 2 }),
  CosineAnnealingLR: (o) => new s.CosineAnnealingLR(o, 6, { etaMin: 0.01 }),
  CosineAnnealingWarmRestarts: (o) => new s.CosineAnnealingWarmRestarts(o, 3, { tMult: 2, etaMin: 0.001 }),
  "CosineAnnealingWarmRestarts 1": (o) => new s.CosineAnnealingWarmRestarts(o, { t0: 4 }),
  OneCycleLR: (o) => new s.OneCycleLR(o, { maxLr: 0.5, totalSteps: 21 }),
  "OneCycleLR linear": (o) =>
    new s.OneCycleLR(o, [0.5, 0.2], {
      epochs: 3,
      stepsPerEpoch: 8,
      pctStart: 0.4,
      annealStrategy: "linear",
      threePhase: true,
      baseMomentum: 0.7,
      maxMomentum: 0.9,
      divFactor: 10,
      finalDivFactor: 100,
    }),
  SequentialLR: (o) =>
    new s.SequentialLR(
      o,
      [new s.LinearLR(o, { startFactor: 0.1, totalIters: 5 }), new s.CosineAnnealingLR(o, 10)],
      [5],
    ),
  "SequentialLR three": (o) =>
    new s.SequentialLR(o, {
      schedulers: [
        new s.ConstantLR(o, { factor: 0.1, totalIters: 2 }),
        new s.ExponentialLR(o, { gamma: 0.9 }),
        new s.StepLR(o, 2, { gamma: 0.5 }),
      ],
      milestones: [2, 9],
    }),
  ChainedScheduler: (o) =>
    new s.ChainedScheduler([new s.ConstantLR(o, { factor: 0.1, totalIters: 3 }), new s.ExponentialLR(o, 0.9)], o),
};

interface SchedulerGolden {
  readonly rates: number[][];
  readonly momentum: number[][];
}
const rates = load("torch-schedulers") as {
  schedulers: Record<string, SchedulerGolden>;
  adam: Record<string, SchedulerGolden>;
  metrics: number[];
  plateaus: { options: Record<string, number>; rates: number[][] }[];
};

function twoGroups(adam: boolean): optim.SGD | optim.Adam {
  const [first, second] = parameters();
  const groups = [{ params: [first] }, { params: [second], lr: 0.3 }];
  return adam ? new optim.Adam(groups, { lr: 0.1 }) : new optim.SGD(groups, { lr: 0.1, momentum: 0.9 });
}
const momenta = (optimizer: optim.SGD | optim.Adam) =>
  optimizer.paramGroups.map((group) => ("betas" in group ? group.betas[0] : group.momentum));

describe("schedulers", () => {
  const cases = [
    ...Object.keys(rates.schedulers).map((name) => [name, false] as const),
    ...Object.keys(rates.adam).map((name) => [name, true] as const),
  ];
  test.each(cases)("%s (Adam: %s)", (name, adam) => {
    const golden = (adam ? rates.adam : rates.schedulers)[name];
    const optimizer = twoGroups(adam);
    const scheduler = schedulers[name](optimizer);
    let restored:
      | { optimizer: ReturnType<typeof twoGroups>; scheduler: ReturnType<(typeof schedulers)[string]> }
      | undefined;
    golden.rates.forEach((expected, step) => {
      if (step > 0) {
        optimizer.step();
        scheduler.step();
        restored?.optimizer.step();
        restored?.scheduler.step();
      }
      expectClose(scheduler.getLastLr(), expected, 1e-7);
      expectClose(momenta(optimizer), golden.momentum[step], 1e-7);
      expect(optimizer.paramGroups.map(({ lr }) => lr)).toEqual(scheduler.getLastLr());
      if (restored) {
        expect(restored.scheduler.getLastLr()).toEqual(scheduler.getLastLr());
        expect(momenta(restored.optimizer)).toEqual(momenta(optimizer));
      }
      if (step === 7) {
        const other = twoGroups(adam);
        restored = { optimizer: other, scheduler: schedulers[name](other) };
        restored.optimizer.step();
        restored.optimizer.loadStateDict(optimizer.stateDict());
        restored.scheduler.loadStateDict(scheduler.stateDict());
      }
    });
  });

  test.each(rates.plateaus.map((golden) => [JSON.stringify(golden.options), golden] as const))(
    "ReduceLROnPlateau %s",
    (_, golden) => {
      const optimizer = twoGroups(false);
      const options = Object.fromEntries(Object.entries(golden.options).map(([key, value]) => [camel(key), value]));
      let scheduler = new s.ReduceLROnPlateau(optimizer, options);
      golden.rates.forEach((expected, step) => {
        scheduler.step(rates.metrics[step]);
        expectClose(scheduler.getLastLr(), expected, 1e-7);
        if (step === 9) {
          const state = scheduler.stateDict();
          scheduler = new s.ReduceLROnPlateau(optimizer, options);
          scheduler.loadStateDict(state);
        }
      });
    },
  );
});
