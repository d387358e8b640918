import { beforeAll, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { engine, tensor, Variable } from "../../src/tensor/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { type Arguments, expectClose, label, readGolden, split, useFastTarget } from "./golden.ts";

interface OptimizerCase {
  readonly optimizer: string;
  readonly arguments: Arguments;
  readonly config: Arguments;
  readonly steps: readonly (readonly (readonly number[])[])[];
  readonly variablesAfter: readonly { readonly name: string; readonly shape: number[]; readonly data: number[] }[];
}
interface ScheduleCase {
  readonly schedule: string;
  readonly arguments: Arguments;
  readonly values: readonly number[];
}
const golden = readGolden<{ optimizers: OptimizerCase[]; schedules: ScheduleCase[] }>("optimizers");
const optimizers = keras.optimizers as unknown as Record<string, new (options: object) => keras.Optimizer>;
const schedules = keras.optimizers.schedules as unknown as Record<
  string,
  new (
    ...args: unknown[]
  ) => keras.optimizers.schedules.LearningRateSchedule
>;
const shapes = [[4, 3], [3]];
const weights = () =>
  shapes.map((shape, index) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return new Variable(tensor(hashUniform(50 + index, size), { shape }), { name: `w${index}` });
  });
const slopes = (step: number) =>
  shapes.map((shape, index) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return tensor(hashUniform(60 + 2 * step + index, size), { shape });
  });

beforeAll(useFastTarget);

describe("optimizers move weights as Keras does, over five steps", () => {
  test.each(golden.optimizers.map((entry) => [label(entry.optimizer, entry.arguments), entry] as const))(
    "%s",
    (_, entry) => {
      const variables = weights();
      const optimizer = new optimizers[entry.optimizer](entry.arguments);
      entry.steps.forEach((expected, step) => {
        const gradients = slopes(step);
        optimizer.applyGradients(gradients.map((gradient, index) => [gradient, variables[index]]));
        variables.forEach((variable, index) => {
          expectClose(variable, expected[index], `step ${step}, weight ${index}`);
        });
      });
      const slotsOf = (name: string) => entry.variablesAfter.filter((slot) => slot.name.includes(name));
      expect(optimizer.iterations.item()).toBe(5);
      for (const [position, kind] of ["velocity_hat", "momentum", "velocity", "accumulator"].entries()) {
        if (position > 0 && kind === "velocity" && slotsOf("velocity_hat").length > 0) continue;
        const mine = optimizer.variables.filter(({ name }) => name.endsWith(`_${kind}`));
        const theirs = entry.variablesAfter.filter(({ name }) => name.endsWith(`_${kind}`));
        expect(mine.length).toBe(theirs.length);
        mine.forEach((slot, index) => {
          expectClose(slot, theirs[index].data, slot.name);
        });
      }
    },
  );

  test.each(golden.optimizers.map((entry) => [label(entry.optimizer, entry.arguments), entry] as const))(
    "%s: configuration",
    (_, entry) => {
      const config = new optimizers[entry.optimizer](entry.arguments).getConfig();
      for (const [name, value] of Object.entries(entry.config)) {
        if (["useEma", "emaMomentum", "emaOverwriteFrequency", "lossScaleFactor"].includes(name)) continue;
        if (typeof value === "number") expect(config[name]).toBeCloseTo(value, 6);
        else expect(config[name]).toBe(value);
      }
      const again = keras.optimizers.get({ className: entry.optimizer, config });
      expect(again.getConfig()).toEqual(config);
    },
  );
});

describe("schedules", () => {
  const positional: Readonly<Record<string, readonly string[]>> = {
    ExponentialDecay: ["initialLearningRate", "decaySteps", "decayRate"],
    InverseTimeDecay: ["initialLearningRate", "decaySteps", "decayRate"],
    PiecewiseConstantDecay: ["boundaries", "values"],
    PolynomialDecay: ["initialLearningRate", "decaySteps"],
    CosineDecay: ["initialLearningRate", "decaySteps"],
    CosineDecayRestarts: ["initialLearningRate", "firstDecaySteps"],
  };
  test.each(golden.schedules.map((entry) => [label(entry.schedule, entry.arguments), entry] as const))(
    "%s",
    (_, entry) => {
      const schedule = new schedules[entry.schedule](...split(positional[entry.schedule], entry.arguments));
      const values = entry.values.map((_, step) => schedule(step).item());
      expectClose(values, entry.values, "rates", { relative: 2e-6, absolute: 1e-8 });
      const again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule));
      expect(again(3).item()).toBe(schedule(3).item());
    },
  );

  test("a scheduled rate and a changed rate never recompile", () => {
    const schedule = new keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5);
    for (const optimizer of [new keras.Adam(schedule), new keras.SGD(0.1, { momentum: 0.9 })]) {
      const variables = weights();
      for (let step = 0; step < 2; step++) optimizer.apply(slopes(step), variables);
      const { compilations } = engine.stats();
      for (let step = 2; step < 6; step++) {
        if (optimizer instanceof keras.SGD) optimizer.learningRate = 0.1 / step;
        optimizer.apply(slopes(step), variables);
      }
      expect(engine.stats().compilations).toBe(compilations);
    }
    expect(() => {
      new keras.Adam(schedule).learningRate = 1;
    }).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Adam: the learning rate follows a schedule and cannot be set; make the optimizer with a number to be able to set it.]`,
    );
  });
});

test("accumulated gradients move weights as one step with their mean", () => {
  const [accumulated, plain] = [weights(), weights()];
  const slow = new keras.Adam({ learningRate: 0.01, gradientAccumulationSteps: 2 });
  const fast = new keras.Adam({ learningRate: 0.01 });
  for (let step = 0; step < 4; step += 2) {
    slow.apply(slopes(step), accumulated);
    slow.apply(slopes(step + 1), accumulated);
    const [first, second] = [slopes(step), slopes(step + 1)];
    fast.apply(
      first.map((slope, index) => slope.add(second[index]).div(2)),
      plain,
    );
  }
  accumulated.forEach((variable, index) => {
    expectClose(variable, Array.from(plain[index].dataSync()), variable.name);
  });
});

test("mistakes are typed errors", () => {
  expect(() => new keras.SGD({ momentum: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: SGD: momentum must be between 0 and 1, received 2.]`,
  );
  expect(() => new keras.Adam({ clipnorm: 1, clipvalue: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: Adam: only one of clipnorm, clipvalue and globalClipnorm can be set, received clipnorm and clipvalue.]`,
  );
  expect(() => new keras.Adam({ lr: 1 } as object)).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: Adam: unknown option "lr"; expected learningRate, name, weightDecay, clipnorm, clipvalue, globalClipnorm, gradientAccumulationSteps, beta1, beta2, epsilon, amsgrad.]`,
  );
  expect(() => keras.optimizers.get("sdg" as "sgd")).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: optimizers.get: unknown optimizer "sdg" (did you mean "sgd"?); expected one of sgd, adam, adamw, rmsprop, adagrad, adadelta.]`,
  );
  expect(() => new keras.SGD().apply([], weights())).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: SGD: received 0 gradients for 2 variables; they must match one to one.]`,
  );
  expect(() => new keras.optimizers.schedules.CosineDecay(0.1, 0)).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: CosineDecay: decaySteps must be greater than 0, received 0.]`,
  );
});
