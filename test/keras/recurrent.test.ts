import { beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, ShapeError, UnsupportedError } from "../../src/errors.ts";
import * as keras from "../../src/keras/index.ts";
import { deserializeLayer, serializeLayer } from "../../src/keras/serialization.ts";
import { setRandomSeed, type Tensor, tensor } from "../../src/tensor/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { useFastTarget } from "./golden.ts";
import { type Case, check, data, expectDigest, golden, units } from "./recurrent-golden.ts";

const { layers, Sequential } = keras;

const name = (each: Case): string =>
  `${each.layer} ${JSON.stringify(each.arguments)} ${JSON.stringify(each.wrapper ?? {})}${each.masked ? " masked" : ""}`;

beforeAll(useFastTarget);

describe("outputs, states and gradients are Keras'", () => {
  test.each(golden.layers.map((each) => [name(each), each] as const))("%s", (_, each) => {
    const layer = new layers[each.layer](units, each.arguments) as unknown as keras.layers.Layer;
    check(layer, each);
    const again = deserializeLayer(serializeLayer(layer));
    expect(again.getConfig()).toEqual(layer.getConfig());
  });

  test.each(golden.bidirectional.map((each) => [name(each), each] as const))("both directions: %s", (_, each) => {
    const inner = new layers[each.layer]<boolean>(units, each.arguments);
    const layer = new layers.Bidirectional(inner, each.wrapper) as unknown as keras.layers.Layer;
    check(layer, each);
    const again = deserializeLayer(serializeLayer(layer));
    expect(again.getConfig()).toEqual(layer.getConfig());
  });
});

describe("masks", () => {
  const fill = (model: keras.Sequential): void => {
    model.setWeights(model.weights.map(({ shape }, index) => data(10 + index, shape)));
  };

  test("travel from Embedding through recurrent layers and TimeDistributed", async () => {
    const model = new Sequential([
      new layers.Embedding(10, 4, { maskZero: true, inputShape: [5] }),
      new layers.GRU(6, { returnSequences: true }),
      new layers.TimeDistributed(new layers.Dense(4, { activation: "tanh" })),
      new layers.Bidirectional(new layers.LSTM(6)),
    ]);
    fill(model);
    const indices = tensor([
      [3, 1, 4, 1, 5],
      [9, 2, 6, 0, 0],
      [5, 3, 0, 0, 0],
    ]);
    expectDigest(await model.predict(indices), golden.embedded, "output");
  });

  test("come from Masking", async () => {
    const model = new Sequential([new layers.Masking({ maskValue: 0.5, inputShape: [5, 4] }), new layers.LSTM(6)]);
    fill(model);
    const values = hashUniform(1, 3 * 5 * 4);
    values.fill(0.5, 12, 20);
    values.fill(0.5, 44, 48);
    expectDigest(await model.predict(tensor(values, { shape: [3, 5, 4] })), golden.masking, "output");
  });
});

describe("types, shapes and defaults", () => {
  test("what comes back follows from the options", () => {
    const x = data(1, [2, 5, 3]);
    const last: Tensor = new layers.GRU(4)(x);
    const [sequence, h, c]: Tensor[] = new layers.LSTM(4, { returnSequences: true, returnState: true })(x);
    const both: Tensor = new layers.Bidirectional(new layers.LSTM(4, { returnSequences: true }))(x);
    expect([last, sequence, h, c, both].map(({ shape }) => shape)).toEqual([
      [2, 4],
      [2, 5, 4],
      [2, 4],
      [2, 4],
      [2, 5, 8],
    ]);
  });

  test("functional models", async () => {
    const input = keras.Input({ shape: [null, 3] });
    const [sequence, h] = new layers.GRU(4, { returnSequences: true, returnState: true })(input);
    const output = new layers.GRU(4)(sequence, { initialState: h });
    const model = new keras.Model({ inputs: input, outputs: output });
    for (const steps of [2, 5]) {
      const result = await model.predict(data(1, [2, steps, 3]));
      expect(result.shape).toEqual([2, 4]);
    }
  });

  test("the forget gate starts open, the recurrent kernel orthogonal", () => {
    setRandomSeed(1);
    const lstm = new layers.LSTM(3);
    lstm.buildFor([null, 4, 2]);
    expect(Array.from(lstm.bias?.dataSync() ?? [])).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    const { recurrentKernel } = lstm;
    const product = recurrentKernel.matmul(recurrentKernel.transpose()).toArray() as number[][];
    product.forEach((row, i) => row.forEach((value, j) => expect(value).toBeCloseTo(i === j ? 1 : 0, 5)));
  });

  test("dropout acts in training only, the same way at every step", () => {
    const layer = new layers.SimpleRNN(8, { dropout: 0.5, recurrentDropout: 0.5, returnSequences: true });
    const x = data(1, [2, 4, 3]);
    expect(layer(x).toArray()).toEqual(layer(x).toArray());
    expect(layer(x, { training: true }).toArray()).not.toEqual(layer(x).toArray());
  });

  test("a small model learns", () => {
    setRandomSeed(3);
    const model = new Sequential([
      new layers.Embedding(12, 6, { maskZero: true }),
      new layers.GRU(8),
      new layers.Dense(1, { activation: "sigmoid" }),
    ]);
    model.compile({ optimizer: new keras.optimizers.Adam({ learningRate: 0.03 }), loss: "binary_crossentropy" });
    const rows = 96;
    const words = Int32Array.from(hashUniform(5, rows * 6, 1, 12), Math.floor);
    const labels = Float32Array.from({ length: rows }, (_, i) => (words[i * 6 + 5] > 6 ? 1 : 0));
    const x = tensor(words, { shape: [rows, 6] });
    const y = tensor(labels, { shape: [rows, 1] });
    return model.fit(x, y, { epochs: 12, batchSize: 32, verbose: 0 }).then(({ history }) => {
      const losses = history.loss as readonly number[];
      expect(losses.at(-1)).toBeLessThan(0.35 * losses[0]);
    });
  });
});

test("misuse", () => {
  expect(() => new layers.LSTM(0)).toThrow(ArgumentError);
  expect(() => new layers.GRU(3, { stateful: true as false })).toThrow(UnsupportedError);
  expect(() => new layers.GRU(3)(data(1, [2, 3]))).toThrow(ShapeError);
  expect(() => new layers.LSTM(3)(data(1, [2, 4, 3]), { initialState: data(2, [2, 3]) })).toThrow(ShapeError);
  expect(() => new layers.Bidirectional(new layers.GRU(3), { mergeMode: "max" as "sum" })).toThrow(ArgumentError);
  expect(() => new layers.Embedding(4, 2)(tensor([[5]])).dataSync()).toThrow();
});
