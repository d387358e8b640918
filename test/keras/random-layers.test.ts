/** Layers of chance, functions and modules of the PyTorch door as layers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { engine, setRandomSeed, type Tensor, tensor } from "../../src/tensor/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { nn } from "../../src/torch/index.ts";
import { expectClose, useFastTarget } from "./golden.ts";

const { layers } = keras;
const folder = mkdtempSync(join(tmpdir(), "trivium-random-"));
beforeAll(useFastTarget);
afterAll(() => rmSync(folder, { recursive: true }));

const made = (stream: number, shape: readonly number[], low = -1, high = 1): Tensor =>
  tensor(
    hashUniform(
      stream,
      shape.reduce((product, size) => product * size, 1),
      low,
      high,
    ),
    { shape },
  );
const list = (x: Tensor): number[] => Array.from(x.dataSync(), Number);
/** The same image sixteen times. */
const same = made(1, [1, 6, 5, 2], 0, 1).expand([16, 6, 5, 2]).clone();
const examples = (x: Tensor): string[] => Array.from({ length: x.shape[0] }, (_, i) => list(x.select(0, i)).join());

const random: Readonly<Record<string, () => keras.layers.Layer>> = {
  RandomFlip: () => new layers.RandomFlip("horizontal_and_vertical", { seed: 3 }),
  RandomRotation: () => new layers.RandomRotation(0.3, { seed: 3 }),
  RandomTranslation: () => new layers.RandomTranslation(0.3, 0.3, { seed: 3, fillMode: "wrap" }),
  RandomZoom: () => new layers.RandomZoom(0.4, { seed: 3 }),
  RandomContrast: () => new layers.RandomContrast(0.9, { seed: 3, valueRange: [0, 1] }),
  RandomBrightness: () => new layers.RandomBrightness(0.9, { seed: 3, valueRange: [0, 1] }),
  RandomCrop: () => new layers.RandomCrop(3, 3, { seed: 3 }),
  GaussianNoise: () => new layers.GaussianNoise(0.5, { seed: 3 }),
  GaussianDropout: () => new layers.GaussianDropout(0.5, { seed: 3 }),
  AlphaDropout: () => new layers.AlphaDropout(0.5, { seed: 3 }),
  SpatialDropout2D: () => new layers.SpatialDropout2D(0.5, { seed: 3 }),
};

describe("layers of chance", () => {
  test.each(Object.keys(random))("%s: another change for each image and each call, the same for a seed", (name) => {
    const [first, second] = [random[name](), random[name]()];
    const y = first(same, { training: true });
    expect(new Set(examples(y)).size).toBeGreaterThan(name === "RandomFlip" || name === "SpatialDropout2D" ? 2 : 6);
    expect(list(second(same, { training: true }))).toEqual(list(y));
    expect(list(first(same, { training: true }))).not.toEqual(list(y));
    const calm = first(same, { training: false });
    if (name === "RandomCrop") expect(new Set(examples(calm)).size).toBe(1);
    else expect(list(calm)).toEqual(list(same));
  });

  test("every flip is one of four images", () => {
    const image = same.slice([0, 0, 0, 0], [1, 6, 5, 2]);
    const possible = new Set([image, image.flip(1), image.flip(2), image.flip([1, 2])].map((x) => list(x).join()));
    for (const flipped of examples(new layers.RandomFlip()(same))) expect(possible).toContain(flipped);
  });

  test("every crop is a window of its image, each offset as likely", () => {
    setRandomSeed(1);
    const positions = tensor(Float32Array.from({ length: 400 * 16 }, (_, i) => i % 16)).reshape([400, 4, 4, 1]);
    const crops = new layers.RandomCrop(2, 3)(positions, { training: true });
    const counts = new Map<number, number>();
    for (const crop of crops.reshape([400, 6]).tolist() as number[][]) {
      const start = crop[0];
      expect(crop).toEqual([start, start + 1, start + 2, start + 4, start + 5, start + 6]);
      counts.set(start, (counts.get(start) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([0, 1, 4, 5, 8, 9]);
    for (const count of counts.values()) expect(count).toBeGreaterThan(40);
  });

  test("draw anew at every step of fit, whose step is compiled once", async () => {
    const model = new keras.Sequential([
      new layers.RandomTranslation(0.3, 0.3),
      new layers.RandomContrast(0.9, { valueRange: [0, 1], seed: 5 }),
      new layers.Flatten(),
      new layers.Dense(1, { kernelInitializer: "ones" }),
    ]);
    model.compile({ optimizer: new keras.SGD(0), loss: "mse" });
    const options = { epochs: 2, batchSize: 16, verbose: 0 } as const;
    const first = await model.fit(same, made(2, [16, 1]), options);
    const { compilations } = engine.stats();
    const second = await model.fit(same, made(2, [16, 1]), options);
    expect(engine.stats().compilations).toBe(compilations);
    expect(new Set([...first.history.loss, ...second.history.loss]).size).toBe(4);
    // outside of training a model leaves its inputs alone
    const still = new keras.Sequential([new layers.RandomTranslation(0.3, 0.3)]);
    expect(list(still(same))).toEqual(list(same));
    expect(list(still(same, { training: true }))).not.toEqual(list(same));
  });

  test("images alone are changed too, and bytes are", () => {
    const image = tensor(new Uint8Array(27).fill(7), { shape: [3, 3, 3] });
    const y = new layers.RandomBrightness([0.5, 0.5])(image);
    expect(y.shape).toEqual([3, 3, 3]);
    expectClose(y, new Array(27).fill(134.5), "brightness");
  });

  test("noise has the statistics that it should have", () => {
    setRandomSeed(2);
    const ones = tensor(new Float32Array(20000).fill(1), { shape: [100, 200] });
    const moments = (x: Tensor): [number, number] => [x.mean().item(), x.std().item()];
    const [noiseMean, noiseStd] = moments(new layers.GaussianNoise(0.5)(ones, { training: true }));
    expect(noiseMean).toBeCloseTo(1, 1);
    expect(noiseStd).toBeCloseTo(0.5, 1);
    const [dropMean, dropStd] = moments(new layers.GaussianDropout(0.2)(ones, { training: true }));
    expect(dropMean).toBeCloseTo(1, 1);
    expect(dropStd).toBeCloseTo(0.5, 1);
    const channels = new layers.SpatialDropout1D(0.5)(ones.reshape([10, 10, 200]), { training: true });
    for (const channel of channels.permute([0, 2, 1]).reshape([2000, 10]).tolist() as number[][]) {
      expect(new Set(channel).size).toBe(1);
      expect([0, 2]).toContain(channel[0]);
    }
  });

  test.each([
    [() => new layers.RandomRotation(2), /factor must be a number in \[-1, 1\]/],
    [() => new layers.RandomZoom(-1), /heightFactor must be above -1/],
    [() => new layers.RandomFlip("sideways" as never), /mode must be/],
    [() => new layers.RandomRotation(0.1, { fillMode: "mirror" as never }), /fillMode must be one of/],
    [() => new layers.Resizing(0, 3), /height must be a positive integer/],
    [() => new layers.Resizing(2, 3, { interpolation: "bicubic" as never }), /"nearest" or "bilinear"/],
    [() => new layers.GaussianDropout(1), /rate must be at least 0 and below 1/],
    [() => new layers.RandomFlip()(made(1, [3, 4])), /images: \(batch, height, width, channels\)/],
    [() => new layers.Cropping2D(3)(made(1, [1, 4, 4, 1])), /larger than the cropping/],
    [() => new layers.ZeroPadding2D([1, 2, 3] as never), /padding must be integers/],
    [() => new layers.Permute([0, 1]), /dims must name the axes/],
    [() => new layers.Permute([1, 2])(made(1, [3, 4])), /2 axes beside the batch/],
    [() => new layers.Conv1D(2, 9)(made(1, [1, 4, 2])), /a sequence of 4/],
    [() => new layers.Conv1D(2, 2)(made(1, [1, 4, 4, 2])), /sequences: \(batch, steps, channels\)/],
    [() => new layers.Conv2D(2, 2, { padding: "causal" as never }), /padding must be "valid" or "same"/],
    [() => new layers.Conv2DTranspose(2, 2, { outputPadding: 1 }), /outputPadding must be less than strides/],
    [
      () => new layers.Conv2DTranspose(2, 4, { strides: 2, padding: "same", outputPadding: 0 })(made(1, [1, 5, 5, 2])),
      /no convolution leads from 8 positions back to the 5/,
    ],
    [() => new layers.GroupNormalization({ groups: 3 })(made(1, [2, 4, 4])), /3 groups divide/],
    [() => new layers.LayerNormalization({ axis: [0, 1] })(made(1, [2, 4])), /not the batch axis/],
    [() => new layers.Normalization({ mean: 1 }), /give both mean and variance/],
    [() => new layers.Normalization().adapt([]), /received no data/],
    [() => new layers.TorchModuleWrapper({} as never), /expected a module/],
  ])("what does not fit is named (%#)", (make, message) => {
    expect(make).toThrow(message);
  });
});

describe("functions as layers", () => {
  test("compute, say their shape, and cannot be saved with their architecture", () => {
    const input = keras.Input({ shape: [4] });
    const layer = new layers.Lambda((x) => x.square().sum(1, { keepdim: true }));
    const model = new keras.Model({ inputs: input, outputs: layer(input) });
    expect(model.outputShape).toEqual([null, 1]);
    expectClose(model(tensor([[1, 2, 3, 4]])), [30], "squares");
    expect(() => model.save(join(folder, "lambda.safetensors"))).toThrow(/a function cannot be saved/);
  });
});

class Block extends nn.Module {
  linear = new nn.Linear(4, 6);
  norm = new nn.BatchNorm1d(6);
  override forward(x: Tensor): Tensor {
    return this.norm(this.linear(x)).relu();
  }
}

describe("modules of the PyTorch door as layers", () => {
  const x = made(1, [24, 4]);
  const y = made(2, [24, 1]);

  test("show their parameters and buffers as weights", () => {
    const layer = new layers.TorchModuleWrapper(new Block());
    expect(layer.weightNames).toEqual([
      "linear.weight",
      "linear.bias",
      "norm.weight",
      "norm.bias",
      "norm.running_mean",
      "norm.running_var",
      "norm.num_batches_tracked",
    ]);
    expect(layer.trainableWeights.length).toBe(4);
    expect(layer.computeOutputShape([null, 4])).toEqual([null, 6]);
    layer.trainable = false;
    expect(layer.trainableWeights).toEqual([]);
  });

  test("train under fit as the same layers of Keras do, running statistics included", async () => {
    const block = new Block();
    const wrapped = new keras.Sequential([
      new layers.TorchModuleWrapper(block),
      new layers.Dense(1, { kernelInitializer: "ones" }),
    ]);
    const plain = new keras.Sequential([
      new layers.Dense(6),
      new layers.BatchNormalization({ momentum: 0.9, epsilon: 1e-5 }),
      new layers.ReLU(),
      new layers.Dense(1, { kernelInitializer: "ones" }),
    ]);
    plain(x);
    plain.weights[0].assign(block.linear.weight.transpose(0, 1));
    plain.weights[1].assign((block.linear.bias as Tensor).clone());
    const options = { epochs: 3, batchSize: 8, verbose: 0, shuffle: false } as const;
    const losses: number[][] = [];
    for (const model of [wrapped, plain]) {
      model.compile({ optimizer: new keras.SGD(0.05, { momentum: 0.9 }), loss: "mse" });
      losses.push((await model.fit(x, y, options)).history.loss as number[]);
    }
    expectClose(losses[0], losses[1], "losses", { relative: 1e-4, absolute: 1e-5 });
    expectClose(block.linear.weight.transpose(0, 1), plain.weights[0].dataSync(), "kernel", {
      relative: 1e-3,
      absolute: 1e-5,
    });
    const [mean, variance] = [block.norm.running_mean as Tensor, block.norm.running_var as Tensor];
    const [movingMean] = plain.weights.filter(({ name }) => name.endsWith("moving_mean"));
    expectClose(mean, movingMean.dataSync(), "running mean", { relative: 1e-3, absolute: 1e-5 });
    expect(list(variance).every((value) => value !== 1)).toBe(true);
    expect((block.norm.num_batches_tracked as Tensor).item()).toBe(9);
    expect(block.training).toBe(true);
  });

  test("weights move through files", () => {
    const make = () => new keras.Sequential([new layers.TorchModuleWrapper(new Block()), new layers.Dense(1)]);
    const [first, second] = [make(), make()];
    const path = join(folder, "module.safetensors");
    first(x);
    second(x);
    first.saveWeights(path);
    second.loadWeights(path);
    expect(list(second(x))).toEqual(list(first(x)));
    expect(() => first.save(path)).toThrow(/a module has no configuration/);
  });

  test("act as in use outside of training", () => {
    const module = new nn.Dropout(0.5);
    const spy = vi.spyOn(module, "train");
    const layer = new layers.TorchModuleWrapper(module);
    expect(list(layer(x))).toEqual(list(x));
    expect(spy.mock.calls).toEqual([[false], [true]]);
    expect(list(layer(x, { training: true }))).not.toEqual(list(x));
  });
});
