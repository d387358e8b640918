import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { useFastTarget } from "./golden.ts";
import { smallData, smallModel, weightBits } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-saving-"));
const path = (name: string) => join(folder, name);
beforeAll(useFastTarget);
afterAll(() => rmSync(folder, { recursive: true }));

const quiet = { verbose: 0, shuffle: false, batchSize: 8 } as const;

describe("a saved model", () => {
  const optimizers: Readonly<Record<string, () => keras.Optimizer>> = {
    sgd: () => new keras.SGD({ momentum: 0.9, nesterov: true }),
    adam: () => new keras.Adam({ amsgrad: true, clipnorm: 1 }),
    "adam with a schedule": () => new keras.Adam(new keras.optimizers.schedules.CosineDecay(0.01, 20)),
    adamw: () => new keras.AdamW(),
    rmsprop: () => new keras.RMSprop({ momentum: 0.5, centered: true }),
    adagrad: () => new keras.Adagrad(),
    adadelta: () => new keras.Adadelta(1),
  };
  test.each(Object.keys(optimizers))("goes on training to the same bits: %s", async (name) => {
    const { x, labels } = smallData();
    const model = smallModel({ batchNorm: true, compile: { optimizer: optimizers[name]() } });
    await model.fit(x, labels, { ...quiet, epochs: 2 });
    model.save(path("model.safetensors"));
    const loaded = keras.loadModel(path("model.safetensors"));
    expect(weightBits(loaded)).toEqual(weightBits(model));
    expect(loaded.toJSON()).toEqual(model.toJSON());
    expect(loaded.optimizer.getConfig()).toEqual(model.optimizer.getConfig());
    const first = await model.fit(x, labels, { ...quiet, epochs: 4, initialEpoch: 2 });
    const second = await loaded.fit(x, labels, { ...quiet, epochs: 4, initialEpoch: 2 });
    expect(second.history).toEqual(first.history);
    expect(weightBits(loaded)).toEqual(weightBits(model));
  });

  test("keeps a learning rate that a callback changed, and which layers are frozen", async () => {
    const { x, labels } = smallData();
    const model = smallModel();
    model.getLayer("first").trainable = false;
    model.optimizer.learningRate = 0.0123;
    await model.fit(x, labels, { ...quiet });
    model.save(path("frozen.safetensors"));
    const loaded = keras.loadModel(path("frozen.safetensors"));
    expect(loaded.optimizer.learningRate).toBe(0.0123);
    expect(loaded.layers.map(({ trainable }) => trainable)).toEqual([false, true]);
    expect(loaded.trainableWeights.map(({ name }) => name)).toEqual(["last/kernel", "last/bias"]);
  });

  test("every layer survives the trip", () => {
    const model = new keras.Sequential([
      keras.Input([8, 8, 2]),
      new keras.Conv2D(4, [3, 3], { strides: 2, padding: "same", groups: 2, kernelInitializer: "he_normal" }),
      new keras.DepthwiseConv2D(3, { depthMultiplier: 2, activation: "relu" }),
      new keras.BatchNormalization({ momentum: 0.9, scale: false }),
      new keras.Activation("tanh"),
      new keras.ReLU({ maxValue: 6, negativeSlope: 0.1 }),
      new keras.LeakyReLU({ negativeSlope: 0.2 }),
      new keras.MaxPooling2D(1),
      new keras.AveragePooling2D({ poolSize: 2, padding: "same" }),
      new keras.Dropout(0.3, { seed: 4 }),
      new keras.Sequential([new keras.GlobalAveragePooling2D(), new keras.Reshape([2, -1]), new keras.Flatten()]),
      new keras.Dense(4, { useBias: false, kernelInitializer: new keras.initializers.GlorotNormal({ seed: 2 }) }),
      new keras.Softmax(),
    ]);
    model.save(path("layers.safetensors"));
    const loaded = keras.loadModel(path("layers.safetensors"));
    expect(loaded.getConfig()).toEqual(model.getConfig());
    expect(loaded.outputShape).toEqual([null, 4]);
    expect(weightBits(loaded)).toEqual(weightBits(model));
    const again = keras.modelFromJson(JSON.stringify(model));
    expect(again.toJSON()).toEqual(model.toJSON());
  });

  test("weights alone go into a model of the same shape", () => {
    const model = smallModel();
    model.saveWeights(path("weights.safetensors"));
    const other = smallModel();
    other.layers[0].setWeights(other.layers[0].getWeights().map((weight) => weight.mul(2)));
    other.loadWeights(path("weights.safetensors"));
    expect(weightBits(other)).toEqual(weightBits(model));
    expect(() => keras.loadModel(path("weights.safetensors"))).toThrowError(/holds weights only/);
    const narrow = new keras.Sequential([keras.Input([6]), new keras.Dense(4), new keras.Dense(3)]);
    expect(() => narrow.loadWeights(path("weights.safetensors"))).toThrowError(
      /first\/kernel has shape \(6, 5\) and dtype f32, the model's dense.*\/kernel \(6, 4\)/,
    );
  });

  test("files of the first format still load, and train on", async () => {
    const model = keras.loadModel(fileURLToPath(new URL("fixtures/model-format-1.safetensors", import.meta.url)));
    expect([model.name, model.layers.length, model.optimizer.iterations.item()]).toEqual(["first_format", 6, 4]);
    const x = { data: Float32Array.from({ length: 8 * 36 }, (_, index) => Math.sin(index)), shape: [8, 6, 6, 1] };
    const first = Array.from((await model.predict(x, { verbose: 0 })).dataSync().slice(0, 3));
    for (const [index, value] of [0.60283977, 0.06490868, 0.33225157].entries()) {
      expect(first[index]).toBeCloseTo(value, 6);
    }
    await model.fit(x, [0, 1, 2, 0, 1, 2, 0, 1], { ...quiet });
    expect(model.optimizer.iterations.item()).toBe(5);
  });

  test("mistakes leave nothing behind", () => {
    const model = smallModel();
    expect(() => model.save(path("model.keras"))).toThrowError(/\.safetensors/);
    expect(() => model.save(path("missing/model.safetensors"))).toThrowError();
    expect(() => new keras.Sequential([new keras.Dense(2)]).save(path("unbuilt.safetensors"))).toThrowError(
      /is not built yet/,
    );
    writeFileSync(path("broken.safetensors"), "nothing");
    expect(() => keras.loadModel(path("broken.safetensors"))).toThrowError();
    expect(existsSync(path("model.keras"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes("tmp"))).toEqual([]);
  });
});
