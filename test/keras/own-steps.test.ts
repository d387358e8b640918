import { beforeAll, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { engine, gradients, noGrad, ones, type Tensor, tensor } from "../../src/tensor/index.ts";
import { hashLabels } from "../../src/testing/hash-uniform.ts";
import { hashed as made } from "../hashed.ts";
import { useFastTarget } from "./golden.ts";
import { weightBits } from "./small-model.ts";

beforeAll(useFastTarget);
const quiet = { verbose: 0, shuffle: false, batchSize: 4 } as const;

describe("steps of one's own", () => {
  const x = made(1, [12, 4]);
  const labels = tensor(hashLabels(2, 12, 3));

  class Custom extends keras.Model {
    seen = 0;
    override trainStep([x, y, sampleWeight]: keras.StepData<Tensor>): keras.StepLogs {
      this.seen++;
      const predictions = this(x, { training: true });
      const loss = this.computeLoss(x, y, predictions, sampleWeight);
      const slopes = gradients(loss, this.trainableVariables);
      this.optimizer.applyGradients(slopes.map((slope, index) => [slope, this.trainableVariables[index]]));
      return { ...this.computeMetrics(x, y, predictions, sampleWeight), loss };
    }
  }
  const build = (type: typeof keras.Model | typeof Custom) => {
    keras.setRandomSeed(1);
    const input = keras.Input({ shape: [4] });
    const hidden = new keras.BatchNormalization()(new keras.Dense(5, { activation: "relu" })(input));
    const outputs = new keras.Dense(3, { activation: "softmax" })(hidden);
    const model = new (type as typeof Custom)({ inputs: input, outputs });
    model.compile({ optimizer: "adam", loss: "sparse_categorical_crossentropy", metrics: ["accuracy"] });
    return model;
  };

  test("train to the same bits as the built-in one, traced once", async () => {
    const [plain, custom] = [build(keras.Model), build(Custom)];
    const first = await plain.fit(x, labels, { ...quiet, epochs: 3 });
    const before = engine.stats().compilations;
    const second = await custom.fit(x, labels, { ...quiet, epochs: 3 });
    expect(weightBits(custom)).toEqual(weightBits(plain));
    expect(second.history.accuracy).toEqual(first.history.accuracy);
    expect(custom.seen).toBe(1);
    expect(engine.stats().compilations - before).toBeLessThanOrEqual(2);
    expect(await custom.evaluate(x, labels, { verbose: 0 })).toEqual(await plain.evaluate(x, labels, { verbose: 0 }));
  });

  test("that read values run as they are written, without compiling anew", async () => {
    class Reading extends keras.Model {
      readonly tracker = new keras.metrics.Mean({ name: "mean_loss" });
      override trainStep([x, y]: keras.StepData<Tensor>): keras.StepLogs {
        const predictions = this(x, { training: true });
        const loss = this.computeLoss(x, y, predictions);
        this.optimizer.apply(gradients(loss, this.trainableVariables), this.trainableVariables);
        this.tracker.updateState(loss);
        return { mean_loss: this.tracker.result() as number };
      }
    }
    const model = build(Reading as unknown as typeof Custom);
    const first = await model.fit(x, labels, { ...quiet, epochs: 1 });
    const before = engine.stats().compilations;
    const more = await model.fit(x, labels, { ...quiet, epochs: 4 });
    expect(engine.stats().compilations).toBe(before);
    expect(more.history.mean_loss[3]).toBeLessThan(first.history.mean_loss[0]);
    const reference = build(keras.Model);
    const expected = await reference.fit(x, labels, { ...quiet, epochs: 1 });
    expect(first.history.mean_loss[0]).toBeCloseTo(expected.history.loss[0], 5);
  });

  test("with two optimizers and no call: a step that trains its parts", async () => {
    class Pair extends keras.Model {
      readonly left = new keras.Dense(1, { name: "left" });
      readonly right = new keras.Dense(1, { name: "right" });
      readonly second = new keras.SGD(0.1);
      override trainStep([x]: keras.StepData<Tensor>): keras.StepLogs {
        const left = this.left(x).sub(1).square().mean();
        const right = this.right(x).add(1).square().mean();
        this.optimizer.apply(gradients(left, this.left.trainableVariables), this.left.trainableVariables);
        this.second.apply(gradients(right, this.right.trainableVariables), this.right.trainableVariables);
        return { left, right };
      }
    }
    const model = new Pair();
    model.compile({ optimizer: new keras.SGD(0.1) });
    const history = await model.fit(x, { ...quiet, epochs: 20 });
    const eager = new Pair();
    eager.compile({ optimizer: new keras.SGD(0.1), runEagerly: true });
    expect((await eager.fit(x, { ...quiet, epochs: 1 })).history.right[0]).toBeGreaterThan(0);
    expect(history.history.left.at(-1)).toBeLessThan(history.history.left[0]);
    expect(history.history.right.at(-1)).toBeLessThan(history.history.right[0]);
  });

  test("training mode reaches layers inside without being passed on", () => {
    class Quiet extends keras.layers.Layer {
      readonly drop = new keras.Dropout(0.5);
      override call(x: Tensor): Tensor {
        return this.drop(x);
      }
    }
    const layer = new Quiet();
    expect(layer(ones([4, 4])).toArray()).toEqual(ones([4, 4]).toArray());
    expect(
      layer(ones([64, 4]), { training: true })
        .eq(0)
        .any()
        .item(),
    ).toBeTruthy();
  });

  test("losses that layers add join the training loss, in evaluation too", async () => {
    class Penalty extends keras.layers.Layer {
      override call(x: Tensor): Tensor {
        this.addLoss(x.square().mean());
        return x;
      }
    }
    const input = keras.Input({ shape: [4] });
    const model = new keras.Model({ inputs: input, outputs: new Penalty()(new keras.Dense(1)(input)) });
    model.compile({ loss: "mse" });
    const zeros = new Float32Array(12);
    const [loss] = await model.evaluate(x, zeros, { verbose: 0, batchSize: 12 });
    const output = noGrad(() => model(x));
    expect(loss).toBeCloseTo(2 * output.square().mean().item(), 6);
    expect(model.losses.length).toBe(1);
  });
});
