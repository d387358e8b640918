/** Layers against Keras: `tools/goldens/keras_more_layers.py`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { setMask } from "../../src/keras/mask.ts";
import { deserializeLayer, fromKerasConfig, serializeLayer, toKerasConfig } from "../../src/keras/serialization.ts";
import {
  adjustBrightness,
  adjustContrast,
  affineTransform,
  type FillMode,
  rotations,
  translations,
  zooms,
} from "../../src/nn/image-augmentation.ts";
import { engine, gradients, type Tensor, tensor } from "../../src/tensor/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { expectClose, readGolden, useFastTarget } from "./golden.ts";

/** A small tensor whole; of a large one sum, norm and some elements. */
interface Digest {
  readonly shape: readonly number[];
  readonly data?: readonly (number | string)[];
  readonly sum: number;
  readonly norm: number;
  readonly values: readonly number[];
}
interface Described {
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly trainable: boolean;
  }[];
  readonly parameters: number;
  readonly gradients: readonly Digest[];
}
interface LayerCase extends Described {
  readonly layer: string;
  readonly arguments: keras.Config;
  readonly shape: readonly number[];
  readonly outputShape: keras.BatchShape;
  readonly openShape?: keras.BatchShape;
  readonly y: Digest;
}
interface AttentionCase extends Described {
  readonly options: keras.layers.MultiHeadAttentionOptions;
  readonly output: Digest;
  readonly scores: Digest | null;
}
interface Golden {
  readonly layers: readonly LayerCase[];
  readonly attention: {
    readonly multiHead: Readonly<Record<string, AttentionCase>>;
    readonly dot: Readonly<Record<"plain" | "masked" | "scores", Digest>>;
  };
  readonly masks: Readonly<Record<"mean" | "softmax", Digest>>;
  readonly adapted: Readonly<
    Record<"last" | "all" | "both", { readonly weights: readonly Digest[]; readonly y: Digest }>
  >;
  readonly images: {
    readonly transforms: readonly number[];
    readonly affine: Readonly<Record<string, Digest>>;
    readonly rotation: Digest;
    readonly zoom: Digest;
    readonly translation: Digest;
    readonly contrast: Digest;
    readonly brightness: Digest;
  };
  readonly activations: Readonly<
    Record<keras.activations.ActivationName, { readonly y: Digest; readonly gradient: Digest }>
  >;
  readonly stft: readonly { readonly options: keras.initializers.STFTOptions; readonly kernel: Digest }[];
  readonly names: { readonly activations: readonly string[]; readonly initializers: readonly string[] };
}

const golden = readGolden<Golden>("more-layers");
const folder = mkdtempSync(join(tmpdir(), "trivium-layers-"));
beforeAll(useFastTarget);
afterAll(() => rmSync(folder, { recursive: true }));

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const made = (stream: number, shape: readonly number[], low = -1, high = 1): Tensor =>
  tensor(hashUniform(stream, sizeOf(shape), low, high), { shape });

function expectDigest(
  actual: Tensor,
  expected: Digest,
  what: string,
  tolerance = { relative: 2e-5, absolute: 5e-6 },
): void {
  expect(actual.shape, what).toEqual(expected.shape);
  if (expected.data) {
    expectClose(actual, expected.data, what, tolerance);
    return;
  }
  const values = Array.from(actual.dataSync(), Number);
  const picked = expected.values.map(
    (_, k) => values[Math.floor((k * (values.length - 1)) / (expected.values.length - 1))],
  );
  expectClose(picked, expected.values, what, tolerance);
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  expectClose([norm], [expected.norm], `norm of ${what}`, tolerance);
  const absolute = 1e-5 * expected.norm;
  expectClose([values.reduce((sum, value) => sum + value, 0)], [expected.sum], `sum of ${what}`, {
    relative: 1e-5,
    absolute,
  });
}

function fill(layer: keras.layers.AnyLayer): void {
  layer.weights.forEach((weight, index) => {
    const short = weight.name.split("/").at(-1) as string;
    const positive = ["variance", "gamma", "scale"].includes(short);
    if (short !== "count") weight.assign(made(100 + index, weight.shape, positive ? 0.25 : -0.5, positive ? 1.5 : 0.5));
  });
}

function expectDescribed(layer: keras.layers.AnyLayer, expected: Described): void {
  const described = layer.weights.map(({ name, shape, trainable }) => ({
    name: name.slice(layer.name.length + 1),
    shape,
    // a count is not trained, whatever it says
    trainable,
  }));
  expect(described).toEqual(expected.weights);
  expect(layer.countParams()).toBe(expected.parameters);
}

const label = (entry: LayerCase): string => `${entry.layer} ${JSON.stringify(entry.arguments)}`;
const layerOf = (entry: LayerCase): keras.layers.Layer =>
  deserializeLayer({ className: entry.layer, config: entry.arguments }) as unknown as keras.layers.Layer;

describe("layers give Keras' outputs, gradients, weights and shapes", () => {
  test.each(golden.layers.map((entry, index) => [label(entry), entry, index] as const))("%s", (_, entry, index) => {
    const layer = layerOf(entry);
    const open = [null, ...entry.shape.slice(1)];
    layer.buildFor(open);
    expectDescribed(layer, entry);
    fill(layer);
    const x = made(1000 + 10 * index, entry.shape, -2, 2);
    x.requiresGrad = true;
    const y = layer(x, { training: false });
    const slopes = gradients(y.mul(made(50, y.shape)).sum(), [x, ...layer.trainableWeights]) as Tensor[];
    expectDigest(y, entry.y, "output");
    slopes.forEach((slope, k) => {
      expectDigest(slope, entry.gradients[k], `gradient ${k}`);
    });
    expect(layer.computeOutputShape(open)).toEqual(entry.outputShape);
    if (entry.openShape) {
      const unknown = [null, ...entry.shape.slice(1, -1).map(() => null), entry.shape.at(-1) as number];
      expect(layer.computeOutputShape(unknown)).toEqual(entry.openShape);
    }
  });

  test.each(golden.layers.map((entry, index) => [label(entry), entry, index] as const))(
    "are made again from their configuration, and from files: %s",
    (_, entry, index) => {
      const layer = layerOf(entry);
      const config = toKerasConfig(serializeLayer(layer as never));
      const again = deserializeLayer(fromKerasConfig(JSON.parse(JSON.stringify(config))) as keras.Config);
      expect(again.getConfig()).toEqual(layer.getConfig());
      const input = keras.Input({ shape: entry.shape.slice(1) });
      const model = new keras.Model({ inputs: input, outputs: layer(input) });
      fill(layer);
      const path = join(folder, `${index}.safetensors`);
      model.save(path);
      const x = made(1, entry.shape);
      const loaded = keras.loadModel<typeof model>(path);
      expect(loaded(x).dataSync()).toEqual(model(x).dataSync());
    },
  );
});

const maskOf = (stream: number, shape: readonly number[]): Tensor => {
  const values = Array.from(hashUniform(stream, sizeOf(shape), 0, 1), (value) => value > 0.4);
  values.fill(true, 0, sizeOf(shape) / shape[0]);
  return tensor(values, { shape });
};

describe("attention", () => {
  const q = (): Tensor => made(1, [2, 4, 6]);
  const v = (): Tensor => made(2, [2, 5, 3]);
  const k = (): Tensor => made(3, [2, 5, 7]);
  const masks = () => [maskOf(4, [2, 4]), maskOf(5, [2, 5]), maskOf(6, [2, 5])];
  const cases: Readonly<
    Record<string, { inputs: Tensor[]; masks?: Tensor[]; call?: keras.layers.AttentionCallOptions; same?: true }>
  > = {
    self: { inputs: [q(), q()] },
    "other values": { inputs: [q(), v()] },
    keys: { inputs: [q(), v(), k()] },
    shape: { inputs: [q(), v()] },
    causal: { inputs: [q(), q()], call: { useCausalMask: true } },
    scores: { inputs: [q(), v()], call: { returnAttentionScores: true } },
    "attention mask": { inputs: [q(), v()], call: { attentionMask: maskOf(7, [2, 4, 5]) } },
    masks: { inputs: [q(), v(), k()], masks: masks() },
    "masks and scores": {
      inputs: [q(), v(), k()],
      masks: masks(),
      call: { returnAttentionScores: true, useCausalMask: true },
    },
  };
  test.each(Object.keys(cases))("in several heads: %s", (name) => {
    const expected = golden.attention.multiHead[name];
    const { inputs, masks: given = [], call = {} } = cases[name];
    const layer = new keras.layers.MultiHeadAttention(expected.options);
    layer.buildFor(inputs.map(({ shape }) => shape));
    expectDescribed(layer, expected);
    fill(layer);
    for (const input of inputs) input.requiresGrad = true;
    given.forEach((mask, index) => {
      setMask(inputs[index], mask);
    });
    const [query, value, key] = inputs;
    const result = layer(query, value, { key, ...call }) as Tensor | [Tensor, Tensor];
    const [output, scores] = Array.isArray(result) ? result : [result];
    const objective = output.mul(made(50, output.shape)).sum();
    const slopes = gradients(objective, [...inputs, ...layer.trainableWeights]) as Tensor[];
    expectDigest(output, expected.output, "output");
    if (scores && expected.scores) expectDigest(scores, expected.scores, "scores");
    else expect(scores ?? null).toBe(expected.scores);
    slopes.forEach((slope, index) => {
      expectDigest(slope, expected.gradients[index], `gradient ${index}`, { relative: 1e-4, absolute: 1e-5 });
    });
  });

  test("of one head without weights", () => {
    expectDigest(new keras.layers.Attention()([q(), q()]), golden.attention.dot.plain, "plain");
    const layer = new keras.layers.Attention({ useScale: true });
    const [query, value] = [q(), q()];
    layer.buildFor([query.shape, value.shape]);
    layer.scale?.assign(tensor([0.7]).reshape([]));
    for (const input of [query, value]) setMask(input, maskOf(4, [2, 4]));
    const [output, scores] = layer(query, value, { useCausalMask: true, returnAttentionScores: true });
    expectDigest(output, golden.attention.dot.masked, "output");
    expectDigest(scores, golden.attention.dot.scores, "scores");
  });

  test("is part of functional models, saved with its call", () => {
    const input = keras.Input({ shape: [4, 6] });
    const layer = new keras.layers.MultiHeadAttention({ numHeads: 2, keyDim: 3 });
    const [output, scores] = layer(input, input, { returnAttentionScores: true, useCausalMask: true });
    expect(scores.shape).toEqual([null, 2, 4, 4]);
    const model = new keras.Model({ inputs: input, outputs: [output, scores] });
    const path = join(folder, "attention.safetensors");
    model.save(path);
    const loaded = keras.loadModel<typeof model>(path);
    const x = q();
    expect(loaded(x).map((y) => y.dataSync())).toEqual(model(x).map((y) => y.dataSync()));
  });

  test("trains with masks and dropout under fit, whose step is compiled once", async () => {
    const { layers } = keras;
    const ids = Int32Array.from({ length: 192 }, (_, i) => (i % 6 < 2 + (i % 4) ? 1 + ((i * 7) % 9) : 0));
    const input = keras.Input({ shape: [6], dtype: "int32" });
    const embedded = new layers.Embedding(10, 8, { maskZero: true })(input);
    const attended = new layers.MultiHeadAttention({ numHeads: 2, keyDim: 4, dropout: 0.1 })(embedded, embedded);
    const normal = new layers.LayerNormalization()(new layers.Add()([embedded, attended]));
    const pooled = new layers.GlobalAveragePooling1D()(normal);
    const model = new keras.Model({ inputs: input, outputs: new layers.Dense(2, { activation: "softmax" })(pooled) });
    model.compile({ optimizer: new keras.Adam(0.01), loss: "sparse_categorical_crossentropy" });
    const y = tensor(Int32Array.from({ length: 32 }, (_, i) => i % 2));
    const options = { batchSize: 16, verbose: 0 } as const;
    const x = tensor(ids, { shape: [32, 6] });
    const { history } = await model.fit(x, y, { ...options, epochs: 20 });
    expect(history.loss.at(-1)).toBeLessThan(0.3 * history.loss[0]);
    const { compilations } = engine.stats();
    await model.fit(x, y, { ...options, epochs: 2 });
    expect(engine.stats().compilations).toBe(compilations);
  });

  test("what does not fit is named", () => {
    const layer = new keras.layers.MultiHeadAttention({ numHeads: 2, keyDim: 3 });
    expect(() => layer([q()])).toThrow(/expected query, value and perhaps a key, received 1 tensor/);
    expect(() => layer(q(), made(1, [2, 6]))).toThrow(/sequences: \(batch, positions, features\)/);
    expect(() => new keras.layers.MultiHeadAttention({ numHeads: 0, keyDim: 3 })).toThrow(
      /numHeads must be a positive/,
    );
  });
});

test("masks leave steps out of means and softmax", () => {
  const mask = tensor(
    Array.from(hashUniform(2, 15, 0, 1), (value, index) => index < 10 && value > 0.4),
    { shape: [3, 5] },
  );
  const pool = new keras.layers.GlobalAveragePooling1D();
  const mean = pool(made(1, [3, 5, 2]), { mask });
  const { data = [] } = golden.masks.mean;
  expect(Array.from(mean.dataSync(), (value) => (Number.isNaN(value) ? "NaN" : "number"))).toEqual(
    data.map((value) => (value === "NaN" ? "NaN" : "number")),
  );
  expectClose(mean.dataSync().slice(0, 4), data.slice(0, 4), "mean");
  expectDigest(new keras.layers.Softmax()(made(3, [3, 5]), { mask }), golden.masks.softmax, "softmax");
});

test.each([
  ["last", -1],
  ["all", null],
  ["both", [1, 2]],
] as const)("Normalization adapts: %s", (name, axis) => {
  const data = made(1, [7, 3, 4], -3, 5);
  const whole = new keras.layers.Normalization({ axis });
  whole.adapt(data);
  const inBatches = new keras.layers.Normalization({ axis });
  inBatches.adapt([data.slice([0, 0, 0], [3, 3, 4]), data.slice([3, 0, 0], [7, 3, 4])]);
  for (const layer of [whole, inBatches]) {
    const expected = golden.adapted[name];
    layer
      .getWeights()
      .slice(0, 2)
      .forEach((weight, index) => {
        expectDigest(weight, expected.weights[index], `weight ${index}`);
      });
    expectDigest(layer(data), expected.y, "output");
  }
});

describe("images", () => {
  const x = made(1, [2, 5, 6, 2], 0, 1);
  const expected = golden.images;
  const smooth = { interpolation: "bilinear", fillMode: "reflect", fillValue: 0 } as const;
  test.each(Object.keys(expected.affine))("are read at other places: %s", (name) => {
    const [fillMode, interpolation] = name.split(" ") as [FillMode, "nearest" | "bilinear"];
    const transforms = tensor([...expected.transforms], { shape: [2, 6] });
    const y = affineTransform("test", x, transforms, { interpolation, fillMode, fillValue: 0.25 });
    expectDigest(y, expected.affine[name], name);
  });
  test("are turned, zoomed, shifted and recoloured", () => {
    const radians = tensor([33, -121]).mul(Math.PI / 180);
    const turned = affineTransform("test", x, rotations(radians, 5, 6), smooth);
    expectDigest(turned, expected.rotation, "rotation", { relative: 1e-4, absolute: 1e-5 });
    const zoomed = affineTransform("test", x, zooms(tensor([0.7, 1.3]), tensor([1.2, 0.6]), 5, 6), smooth);
    expectDigest(zoomed, expected.zoom, "zoom");
    const shifted = affineTransform("test", x, translations(tensor([-0.4, 3.1]), tensor([1.3, -2.2])), smooth);
    expectDigest(shifted, expected.translation, "translation");
    expectDigest(adjustContrast(x, tensor([0.4, 1.7]), [0, 1]), expected.contrast, "contrast");
    expectDigest(adjustBrightness(x, tensor([0.4, -0.3]), [0, 1]), expected.brightness, "brightness");
  });
});

describe("activations", () => {
  test.each(Object.keys(golden.activations) as keras.activations.ActivationName[])("%s", (name) => {
    const x = tensor([-50, -3.2, -1.1, -0.3, 0.2, 0.6, 1.4, 40, 0.3, 0.25, -0.1, 0.28], { shape: [3, 4] });
    x.requiresGrad = true;
    const y = keras.activations.get(name)(x);
    const [slope] = gradients(y.mul(made(50, y.shape)).sum(), [x]);
    expectDigest(y, golden.activations[name].y, "output");
    expectDigest(slope as Tensor, golden.activations[name].gradient, "gradient");
  });

  test("all that Keras has by name are here", () => {
    const others = ["deserialize", "get", "serialize", "threshold"];
    for (const name of golden.names.activations.filter((entry) => !others.includes(entry))) {
      expect(() => keras.activations.get(name as keras.activations.ActivationName), name).not.toThrow();
    }
  });
});

test("sparsemax is the closest point of the simplex", () => {
  const x = tensor([-50, -3.2, -1.1, -0.3, 0.2, 0.6, 1.4, 40, 0.3, 0.25, -0.1, 0.28], { shape: [3, 4] });
  const expected = [0, 0, 0.1, 0.9, 0, 0, 0, 1, 0.3566667, 0.3066667, 0, 0.3366667];
  expectClose(keras.activations.sparsemax(x), expected, "rows", { relative: 1e-5, absolute: 2e-6 });
  const columns = keras.activations.sparsemax(x.transpose(0, 1), 0);
  expectClose(columns.transpose(0, 1), expected, "columns", { relative: 1e-5, absolute: 2e-6 });
});

test("activations given as functions are saved by their names", () => {
  const layer = new keras.Dense(2, { activation: keras.activations.gelu });
  expect(layer.getConfig().activation).toBe("gelu");
});

test.each(golden.stft)("kernels of a short-time Fourier transform: $options", ({ options, kernel }) => {
  const initializer = new keras.initializers.STFT(options);
  expectDigest(initializer([8, 1, 5]), kernel, "kernel", { relative: 1e-4, absolute: 1e-5 });
  const again = keras.initializers.get(keras.initializers.serialize(initializer));
  expect(again.getConfig()).toEqual(initializer.getConfig());
});

test("all initializers that Keras has are here", () => {
  const classes = golden.names.initializers.filter((name) => /^[A-Z]/.test(name) && name !== "Initializer");
  const missing = classes.filter((name) => !(name in keras.initializers));
  expect(missing).toEqual([]);
});
