/** The rows of the semantics table that concern the Keras door: what `fit`, `predict` and steps of one's own give, on every target. */
import { beforeAll, describe, expect, test } from "vitest";
import { DataError } from "../../src/errors.ts";
import { type Tensor, tensor } from "../../src/index.ts";
import * as keras from "../../src/keras/index.ts";
import { smallData, smallModel, weightBits } from "../keras/small-model.ts";
import { availableTargets } from "../targets.ts";
import { during, engine, ramp } from "./programs.ts";

describe.each(availableTargets())("semantics of the Keras door on %s", (target) => {
  beforeAll(() => engine.setTarget(target));
  const { x, labels } = smallData();
  const compiledBy = async (body: () => Promise<unknown>): Promise<number> => {
    const { compilations } = engine.stats();
    await body();
    return engine.stats().compilations - compilations;
  };

  test("short last batch; shuffled batches; sliced batches: one compilation for the short shape; none; none", async () => {
    const model = smallModel();
    const train = (examples: number, shuffle: boolean): Promise<number> =>
      compiledBy(() =>
        model.fit(x.slice([0], [examples]), labels.slice([0], [examples]), { verbose: 0, batchSize: 8, shuffle }),
      );
    // the second pass compiles how metrics start anew
    for (let pass = 0; pass < 2; pass++) await train(16, false);
    expect(await train(16, false)).toBe(0);
    expect(await train(20, false)).toBe(1);
    expect(await train(20, false)).toBe(0);
    await train(20, true);
    expect(await train(20, true)).toBe(0);
    expect(await train(20, false)).toBe(0);
  });

  test("a layer frozen and unfrozen: its weights stay; one compilation per new state, none on return", async () => {
    const model = smallModel();
    const train = (): Promise<number> =>
      compiledBy(() => model.fit(x, labels, { verbose: 0, batchSize: 10, shuffle: false }));
    await train();
    expect(await train()).toBe(0);
    const first = model.getLayer("first");
    first.trainable = false;
    const before = weightBits(model).slice(0, 2);
    expect(await train()).toBe(1);
    expect(weightBits(model).slice(0, 2)).toEqual(before);
    first.trainable = true;
    expect(await train()).toBe(0);
    expect(weightBits(model).slice(0, 2)).not.toEqual(before);
  });

  test("learning rate from a schedule and changed by hand, Adam: 0 compilations", async () => {
    const schedule = new keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9);
    const scheduled = smallModel({ compile: { optimizer: new keras.Adam(schedule) } });
    const plain = smallModel({ compile: { optimizer: new keras.Adam(0.01) } });
    for (const model of [scheduled, plain]) {
      const train = (): Promise<unknown> => model.fit(x, labels, { verbose: 0, batchSize: 10, epochs: 3 });
      await train();
      if (model === plain) (model.optimizer as keras.Adam).learningRate = 0.001;
      expect(await compiledBy(train)).toBe(0);
    }
  });

  test("dropout: a new mask each step, the same sequence for a seed", async () => {
    const losses = async (seed: number): Promise<unknown> => {
      keras.setRandomSeed(seed);
      const model = smallModel({ dropout: 0.5, compile: { optimizer: new keras.SGD(0) } });
      return (await model.fit(x, labels, { verbose: 0, epochs: 3, batchSize: 20, shuffle: false })).history.loss;
    };
    const first = (await losses(3)) as number[];
    expect(new Set(first).size).toBe(3);
    expect(await compiledBy(async () => expect(await losses(3)).toEqual(first))).toBe(0);
    expect(await losses(4)).not.toEqual(first);
  });

  test("sequences of length 1 to 20 through a GRU, twice: one compilation per length in the first round, none in the second", () => {
    keras.setRandomSeed(1);
    const layer = new keras.layers.GRU(4);
    layer(ramp([2, 1, 3])).dataSync();
    const round = (): number[] =>
      Array.from(
        { length: 20 },
        (_, index) =>
          during(() => {
            layer(ramp([2, index + 1, 3])).dataSync();
          }).compilations,
      );
    // length 1 was compiled above, with the weights
    expect(round()).toEqual([0, ...new Array(19).fill(1)]);
    expect(round()).toEqual(new Array(20).fill(0));
  });

  test("BatchNormalization statistics: updated once in each step, however often metrics and losses are read", async () => {
    const run = async (batchHook: boolean): Promise<number[][]> => {
      const model = smallModel({ batchNorm: true });
      const read = new keras.callbacks.LambdaCallback({ onTrainBatchEnd: (_batch, logs) => void String(logs?.loss) });
      await model.fit(x, labels, {
        verbose: 0,
        batchSize: 10,
        shuffle: false,
        epochs: 2,
        callbacks: batchHook ? [read] : [],
      });
      return weightBits(model);
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test("a layer that throws in the middle of a forward: next step unaffected", async () => {
    let broken = false;
    class Fragile extends keras.layers.Layer {
      override call(inputs: Tensor): Tensor {
        if (broken) throw new Error("user");
        return inputs;
      }
    }
    const make = (): keras.Sequential => {
      keras.setRandomSeed(2);
      const model = new keras.Sequential([keras.Input([6]), new keras.Dense(3), new Fragile()]);
      model.compile({ optimizer: new keras.SGD(0.1), loss: "mse", runEagerly: true });
      return model;
    };
    const targets = ramp([20, 3]);
    const options = { verbose: 0, batchSize: 20, shuffle: false } as const;
    const [model, reference] = [make(), make()];
    await model.fit(x, targets, options);
    broken = true;
    await expect(model.fit(x, targets, options)).rejects.toThrow("user");
    broken = false;
    await model.fit(x, targets, options);
    await reference.fit(x, targets, { ...options, epochs: 2 });
    expect(weightBits(model)).toEqual(weightBits(reference));
  });

  test("a label out of range at step 5: typed error; weights equal those after step 4", async () => {
    const wrong = Int32Array.from(labels.dataSync());
    wrong[17] = 3;
    const batches = function* (count: number) {
      const classes = tensor(wrong);
      for (let start = 0; start < count; start += 4) {
        yield [x.slice([start], [start + 4]), classes.slice([start], [start + 4])] as const;
      }
    };
    const [model, reference] = [smallModel({ batchNorm: true }), smallModel({ batchNorm: true })];
    await expect(model.fit(() => batches(20), { verbose: 0 })).rejects.toThrow(DataError);
    await reference.fit(() => batches(16), { verbose: 0 });
    expect(weightBits(model)).toEqual(weightBits(reference));
  });

  test("training and inference, epoch after epoch: tracked bytes constant, no compilation", async () => {
    const model = smallModel({ dropout: 0.2, batchNorm: true });
    const round = async (epochs: number): Promise<void> => {
      await model.fit(x, labels, { verbose: 0, batchSize: 10, epochs });
      for (let i = 0; i < 10; i++) await model.predict(x, { verbose: 0 });
    };
    for (let pass = 0; pass < 2; pass++) await round(2);
    const before = engine.stats();
    await round(20);
    expect(engine.stats().trackedBytes).toBe(before.trackedBytes);
    expect(engine.stats().compilations).toBe(before.compilations);
  });
});
