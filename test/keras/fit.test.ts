import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { engine, type Tensor, tensor } from "../../src/tensor/index.ts";
import { useFastTarget } from "./golden.ts";
import { count, smallData, smallModel, weightBits } from "./small-model.ts";

beforeAll(useFastTarget);
afterEach(() => vi.restoreAllMocks());

const { x, labels, oneHot } = smallData();
const quiet = { verbose: 0, shuffle: false, batchSize: 8 } as const;
const rows = (data: Tensor, from: number, to: number): Tensor => data.slice([from], [to]);

/** Batches of 8, 8 and 4 examples in order. */
function* batches(weights?: Tensor): Generator<[Tensor, Tensor] | [Tensor, Tensor, Tensor]> {
  for (let from = 0; from < count; from += 8) {
    const to = Math.min(from + 8, count);
    const pair: [Tensor, Tensor] = [rows(x, from, to), rows(labels, from, to)];
    yield weights ? [...pair, rows(weights, from, to)] : pair;
  }
}

describe("the same data in any form gives the same training", () => {
  const numbers = x.toArray() as number[][];
  const classes = labels.toArray() as number[];
  const forms: Readonly<Record<string, () => [keras.DataInput, (number[] | Tensor | Int32Array)?]>> = {
    "nested arrays": () => [numbers, classes],
    "typed arrays with shapes": () => [
      { data: Float32Array.from(numbers.flat()), shape: [count, 6] },
      Int32Array.from(classes),
    ],
    "a function that returns batches": () => [() => batches()],
    "an array of batches behind an iterator": () => [{ [Symbol.iterator]: () => batches() }],
    "named batches": () => [
      () => Array.from(batches(), ([first, second]) => ({ x: first, y: second }))[Symbol.iterator](),
    ],
    "asynchronous batches": () => [
      async function* () {
        for (const batch of batches()) {
          await new Promise((resolve) => setImmediate(resolve));
          yield batch;
        }
      },
    ],
  };
  test.each(Object.keys(forms))("%s", async (name) => {
    const expected = smallModel({ batchNorm: true });
    const history = await expected.fit(x, labels, { ...quiet, epochs: 2 });
    const model = smallModel({ batchNorm: true });
    const [first, second] = forms[name]();
    const inMemory = second !== undefined;
    const options = { ...quiet, epochs: 2, batchSize: inMemory ? 8 : undefined };
    const result = await (inMemory ? model.fit(first, second, options) : model.fit(first, options));
    expect(result.history).toEqual(history.history);
    expect(weightBits(model)).toEqual(weightBits(expected));
  });

  test("one-hot targets and class numbers", async () => {
    const [sparse, dense] = [smallModel(), smallModel({ compile: { loss: "categorical_crossentropy" } })];
    await sparse.fit(x, labels, { ...quiet, epochs: 2 });
    await dense.fit(x, oneHot, { ...quiet, epochs: 2 });
    weightBits(dense).forEach((weight, index) => {
      weight.forEach((value, at) => expect(value).toBeCloseTo(weightBits(sparse)[index][at], 5));
    });
  });

  test("u8 images are cast inside the step", async () => {
    const bytes = tensor(
      Uint8Array.from({ length: count * 6 }, (_, index) => (index * 37) % 256),
      { shape: [count, 6] },
    );
    const [first, second] = [smallModel(), smallModel()];
    await first.fit(bytes, labels, quiet);
    await second.fit(bytes.cast("f32"), labels, quiet);
    expect(weightBits(first)).toEqual(weightBits(second));
  });
});

describe("shuffling and splitting", () => {
  /** A model whose loss shows which examples it saw: one weight, targets are the examples' numbers. */
  async function order(options: keras.FitOptions, n = 10): Promise<number[][]> {
    const model = new keras.Sequential([keras.Input([1]), new keras.Dense(1)]);
    model.compile({ optimizer: new keras.SGD(0), loss: "mse" });
    const index = tensor(
      Float32Array.from({ length: n }, (_, row) => row + 1),
      { shape: [n, 1] },
    );
    const means: number[][] = [];
    await model.fit(index, index, {
      verbose: 0,
      ...options,
      callbacks: new keras.LambdaCallback({
        onEpochBegin: () => void means.push([]),
        onTrainBatchEnd: (_, logs) => void means[means.length - 1].push(logs?.loss ?? Number.NaN),
      }),
    });
    return means;
  }
  test("the seed fixes the order of every epoch; epochs differ", async () => {
    keras.setRandomSeed(7);
    const first = await order({ epochs: 3, batchSize: 1 });
    keras.setRandomSeed(7);
    const again = await order({ epochs: 3, batchSize: 1 });
    expect(again).toEqual(first);
    expect(first[0]).not.toEqual(first[1]);
    keras.setRandomSeed(8);
    expect(await order({ epochs: 1, batchSize: 1 })).not.toEqual([first[0]]);
  });
  test("validation takes the last examples, in order, whatever the shuffling", async () => {
    const model = smallModel();
    const history = await model.fit(x, labels, { verbose: 0, epochs: 1, batchSize: 8, validationSplit: 0.25 });
    const [loss] = await model.evaluate(rows(x, 15, 20), rows(labels, 15, 20), { verbose: 0, batchSize: 8 });
    expect(history.history.val_loss[0]).toBe(loss);
    expect(history.params?.steps).toBe(2);
  });
  test("a pass sees every example once", async () => {
    const model = smallModel({ compile: { optimizer: new keras.SGD(0) } });
    const whole = (await model.evaluate(x, labels, { verbose: 0 }))[0];
    for (const shuffle of [true, false, "batch"] as const) {
      const history = await model.fit(x, labels, { verbose: 0, batchSize: 7, shuffle });
      expect(history.history.loss[0]).toBeCloseTo(whole, 5);
    }
  });
});

describe("options", () => {
  test("validationFreq as numbers of epochs, validationData with weights, and as a stream", async () => {
    const model = smallModel();
    const history = await model.fit(x, labels, {
      ...quiet,
      epochs: 5,
      validationFreq: [2, 5],
      validationData: [x, labels, tensor(new Float32Array(count).fill(0.5))],
    });
    expect(history.history.val_loss.length).toBe(2);
    expect(history.history.loss.length).toBe(5);
    const [loss] = await model.evaluate(x, labels, { verbose: 0 });
    expect(history.history.val_loss[1]).toBeCloseTo(loss / 2, 5);
    const streamed = await model.fit(x, labels, { ...quiet, validationData: () => batches(), validationSteps: 2 });
    expect(streamed.history.val_loss.length).toBe(1);
  });
  test("class weights are example weights", async () => {
    const classWeight = { 0: 1, 1: 3, 2: 0.5 };
    const weights = Float32Array.from(labels.dataSync(), (label) => classWeight[label as 0 | 1 | 2]);
    const [first, second, third, fourth] = [smallModel(), smallModel(), smallModel(), smallModel()];
    await first.fit(x, labels, { ...quiet, classWeight });
    await second.fit(x, labels, { ...quiet, sampleWeight: weights });
    await third.fit(() => batches(tensor(weights)), { verbose: 0 });
    await fourth.fit(() => batches(), { verbose: 0, classWeight });
    for (const other of [second, third, fourth]) expect(weightBits(other)).toEqual(weightBits(first));
  });
  test("stepsPerEpoch goes on with the stream where the last epoch stopped", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const endless = (function* () {
      while (true) yield* batches();
    })();
    const model = smallModel();
    const history = await model.fit(endless, { verbose: 0, epochs: 3, stepsPerEpoch: 2 });
    expect(history.epoch.length).toBe(3);
    expect(model.optimizer.iterations.item()).toBe(6);
    const once = await smallModel().fit(batches(), { verbose: 0, epochs: 3 });
    expect(once.epoch).toEqual([0]);
    expect(warn.mock.calls.flat().join()).toMatchInlineSnapshot(
      `"fit: the data ran out after 0 steps of an epoch. Give an iterable that can be read again, a function that returns a new one, or fewer steps per epoch."`,
    );
  });
  test("metrics may be objects; several numbers and equal names are told apart", async () => {
    const model = smallModel({
      compile: {
        loss: "categorical_crossentropy",
        metrics: ["accuracy", new keras.metrics.Precision({ name: "precision" }), "mse", "mse"],
        weightedMetrics: ["accuracy"],
      },
    });
    const history = await model.fit(x, oneHot, { ...quiet, sampleWeight: new Float32Array(count).fill(2) });
    expect(Object.keys(history.history)).toEqual([
      "accuracy",
      "loss",
      "mse",
      "mse_1",
      "precision",
      "weighted_accuracy",
    ]);
    expect(model.metricsNames).toEqual(["loss", "accuracy", "precision", "mse", "mse", "accuracy"]);
    const results = await model.evaluate(x, oneHot, { verbose: 0, returnDict: true });
    expect(results.weighted_accuracy).toBe(results.accuracy);
  });
  test("predict gives all rows, from arrays and streams, without compile", async () => {
    const model = new keras.Sequential([new keras.Dense(2)]);
    const whole = await model.predict(x, { verbose: 0, batchSize: 7 });
    expect(whole.shape).toEqual([count, 2]);
    expect((await model.predictOnBatch(x)).toArray()).toEqual(whole.toArray());
    const streamed = await model.predict(() => Array.from(batches(), ([inputs]) => inputs), { verbose: 0 });
    expect(streamed.toArray()).toEqual(whole.toArray());
  });
});

describe("bad input is a typed error before training starts", () => {
  const cases: Readonly<Record<string, () => Promise<unknown>>> = {
    "no compile": () => new keras.Sequential([new keras.Dense(1)]).fit(x, labels),
    "no loss": () => smallModel({ compile: { loss: null } }).fit(x, labels),
    "no targets": () => smallModel().fit(x),
    "lengths differ": () => smallModel().fit(x, rows(labels, 0, 7)),
    "weights differ": () => smallModel().fit(x, labels, { sampleWeight: new Float32Array(3) }),
    "no examples": () => smallModel().fit([], []),
    "NaN labels": () => smallModel({ compile: { loss: "mse" } }).fit(x, oneHot.div(oneHot.sub(1).mul(0))),
    "label out of range": () => smallModel().fit(x, labels.add(1)),
    "fractional label": () => smallModel().fit(x, labels.add(0.5)),
    "label out of range in a stream": () =>
      smallModel().fit(() =>
        Array.from(batches(), ([inputs, targets]) => [inputs, targets.add(3)] as [Tensor, Tensor]),
      ),
    "wrong width": () => smallModel().fit(rows(x, 0, 20).slice([0, 0], [20, 5]), labels),
    "wrong targets": () => smallModel({ compile: { loss: "categorical_crossentropy" } }).fit(x, labels),
    "split of 1": () => smallModel().fit(x, labels, { validationSplit: 1 }),
    "negative split": () => smallModel().fit(x, labels, { validationSplit: -0.1 }),
    "split leaves nothing": () => smallModel().fit(x, labels, { validationSplit: 0.999 }),
    "split of a stream": () => smallModel().fit(() => batches(), { validationSplit: 0.3 }),
    "batch size of a stream": () => smallModel().fit(() => batches(), { batchSize: 4 }),
    "empty stream": () => smallModel().fit(() => [], { verbose: 0 }),
    "batch size": () => smallModel().fit(x, labels, { batchSize: 0 }),
    epochs: () => smallModel().fit(x, labels, { epochs: 1.5 }),
    "unknown option": () => smallModel().fit(x, labels, { batch_size: 4 } as object),
    verbose: () => smallModel().fit(x, labels, { verbose: 3 as 2 }),
    "both weights": () => smallModel().fit(x, labels, { sampleWeight: new Float32Array(count), classWeight: { 0: 1 } }),
    "validation data": () => smallModel().fit(x, labels, { validationData: [x] as unknown as [Tensor, Tensor] }),
    "validation data of another width": () => smallModel().fit(x, labels, { validationData: [labels, labels] }),
    "unknown metric": async () => smallModel({ compile: { metrics: ["acuracy" as "accuracy"] } }),
  };
  test.each(Object.keys(cases))("%s", async (name) => {
    let started = false;
    vi.spyOn(keras.History.prototype, "onTrainBegin").mockImplementation(() => {
      started = true;
    });
    await expect(cases[name]()).rejects.toThrowErrorMatchingSnapshot();
    expect(started && !/stream/.test(name)).toBe(false);
  });
});

describe("freezing", () => {
  test("frozen layers keep their weights; unfreezing brings no new compilation", async () => {
    const model = smallModel({ batchNorm: true });
    const first = model.getLayer("first");
    const before = weightBits(model);
    await model.fit(x, labels, { ...quiet, batchSize: 10, epochs: 2 });
    first.trainable = false;
    const frozen = weightBits(model).slice(0, 2);
    await model.fit(x, labels, { ...quiet, batchSize: 10 });
    expect(weightBits(model).slice(0, 2)).toEqual(frozen);
    expect(weightBits(model)[6]).not.toEqual(before[6]);
    expect(model.trainableWeights.map(({ name }) => name)).toEqual([
      "norm/gamma",
      "norm/beta",
      "last/kernel",
      "last/bias",
    ]);
    const { compilations } = engine.stats();
    for (const state of [true, false, true]) {
      first.trainable = state;
      await model.fit(x, labels, { ...quiet, batchSize: 10 });
    }
    expect(engine.stats().compilations).toBe(compilations);
    expect(weightBits(model).slice(0, 2)).not.toEqual(frozen);
  });
  test("a frozen BatchNormalization uses and keeps its running statistics", async () => {
    const model = smallModel({ batchNorm: true });
    await model.fit(x, labels, quiet);
    const norm = model.getLayer("norm");
    norm.trainable = false;
    const before = norm.getWeights().map((weight) => weight.toArray());
    await model.fit(x, labels, quiet);
    expect(norm.getWeights().map((weight) => weight.toArray())).toEqual(before);
  });
});

describe("one program per step", () => {
  test("no compilations after the first epoch; as many runs as steps", async () => {
    const model = smallModel({ dropout: 0.3, batchNorm: true });
    await model.fit(x, labels, { ...quiet, batchSize: 10, shuffle: true, epochs: 2 });
    const before = engine.stats();
    await model.fit(x, labels, { ...quiet, batchSize: 10, shuffle: true, epochs: 3 });
    const after = engine.stats();
    expect(after.compilations).toBe(before.compilations);
    // two steps an epoch, one run for the order of the examples and one that starts the metrics anew
    expect(after.runs - before.runs).toBeLessThanOrEqual(3 * 4 + 3);
    expect(after.trackedBytes).toBe(before.trackedBytes);
  });
  test("eager steps give the same bits", async () => {
    const [traced, eager] = [
      smallModel({ batchNorm: true }),
      smallModel({ batchNorm: true, compile: { runEagerly: true } }),
    ];
    const first = await traced.fit(x, labels, { ...quiet, epochs: 2 });
    const second = await eager.fit(x, labels, { ...quiet, epochs: 2 });
    expect(second.history).toEqual(first.history);
    expect(weightBits(eager)).toEqual(weightBits(traced));
  });
  test("dropout draws new masks, the same for a seed", async () => {
    const run = async () => {
      keras.setRandomSeed(3);
      const model = smallModel({ dropout: 0.5, compile: { optimizer: new keras.SGD(0) } });
      return (await model.fit(x, labels, { ...quiet, epochs: 3, batchSize: 20 })).history.loss;
    };
    const losses = await run();
    expect(new Set(losses).size).toBe(3);
    expect(await run()).toEqual(losses);
  });
});
