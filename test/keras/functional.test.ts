import { beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { ones, relu, type Tensor } from "../../src/tensor/index.ts";
import { hashLabels } from "../../src/testing/hash-uniform.ts";
import { hashed as made } from "../hashed.ts";
import { useFastTarget } from "./golden.ts";
import { weightBits } from "./small-model.ts";

beforeAll(useFastTarget);
const quiet = { verbose: 0, shuffle: false, batchSize: 4 } as const;

describe("a functional model", () => {
  test("has types that follow inputs and outputs", async () => {
    const a = keras.Input({ shape: [3], name: "a" });
    const b = keras.Input({ shape: [3], name: "b" });
    const sum = new keras.Add()([a, b]);
    const one = new keras.Model({ inputs: a, outputs: new keras.Dense(2)(a) });
    const pair = new keras.Model({ inputs: [a, b], outputs: { sum, first: new keras.Dense(1)(sum) } });
    expectTypeOf(sum).toEqualTypeOf<keras.KerasTensor>();
    expectTypeOf(one(ones([2, 3]))).toEqualTypeOf<Tensor>();
    const { sum: total, first } = pair([ones([2, 3]), ones([2, 3])]);
    expectTypeOf(first).toEqualTypeOf<Tensor>();
    expect(total.toArray()).toEqual([
      [2, 2, 2],
      [2, 2, 2],
    ]);
    const predicted = await pair.predict({ a: ones([5, 3]), b: ones([5, 3]) }, { batchSize: 2, verbose: 0 });
    expect([predicted.sum.shape, predicted.first.shape]).toEqual([
      [5, 3],
      [5, 1],
    ]);
    expect(pair.outputShape).toEqual({ sum: [null, 3], first: [null, 1] });
    expect(pair.inputs.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  test("gives parts of itself as models, and its layers by name", () => {
    const x = keras.Input({ shape: [4] });
    const hidden = new keras.Dense(3, { activation: "relu", name: "hidden" });
    const model = new keras.Model({ inputs: x, outputs: new keras.Dense(2)(hidden(x)) });
    const features = new keras.Model({ inputs: model.inputs[0], outputs: model.getLayer("hidden").output });
    const data = made(1, [5, 4]);
    expect(features(data).toArray()).toEqual(hidden(data).toArray());
    const middle = new keras.Model({ inputs: hidden.output, outputs: model.output });
    expect(middle(hidden(data)).toArray()).toEqual(model(data).toArray());
    expect(() => middle.toJSON()).toThrowError(/is the output of a layer, not of Input/);
    const stack = new keras.Sequential([keras.Input([4]), new keras.Dense(3, { name: "inside" }), new keras.Dense(1)]);
    const cut = new keras.Model({ inputs: stack.inputs, outputs: stack.getLayer("inside").output });
    expect(cut([data]).shape).toEqual([5, 3]);
  });

  test("shapes that only a run tells: a layer of one's own without computeOutputShape", () => {
    class Pairs extends keras.layers.Layer<Tensor, Tensor[]> {
      override call(x: Tensor): Tensor[] {
        return [x.reshape([x.shape[0], -1, 2]), x.sum(-1)];
      }
    }
    const x = keras.Input({ shape: [6] });
    const [pairs, sums] = new Pairs()(x);
    expect([pairs.shape, sums.shape]).toEqual([[null, 3, 2], [null]]);
  });

  test("mistakes are typed errors", () => {
    const x = keras.Input({ shape: [4], name: "x" });
    const y = keras.Input({ shape: [4], name: "y" });
    const dense = new keras.Dense(3, { name: "d" });
    const out = dense(x);
    expect(() => (out as unknown as Tensor).add(1)).toThrowError(
      /is symbolic, but its "add" was asked for. Use a layer/,
    );
    expect(() => relu(out as unknown as Tensor)).toThrowError(/is symbolic, but a tensor function was called on it/);
    expect(() => ones([3]).add(out as unknown as Tensor)).toThrowError(/is symbolic/);
    expect(() => new keras.Model({ inputs: y, outputs: out })).toThrowError(
      /the outputs depend on the input "x", which is not among the model's inputs/,
    );
    expect(() => new keras.Model({ inputs: [x, x], outputs: out })).toThrowError(/an input is given twice/);
    expect(() => new keras.Model({ inputs: ones([2]) as never, outputs: out })).toThrowError(
      /inputs must be what Input/,
    );
    expect(() => new keras.Model({ inputs: x } as never)).toThrowError(
      /needs both inputs and outputs; outputs are missing/,
    );
    const twice = new keras.Dense(3, { name: "d" })(out);
    expect(() => new keras.Model({ inputs: x, outputs: twice })).toThrowError(/the name "d" belongs to two layers/);
    const model = new keras.Model({ inputs: [x, y], outputs: new keras.Add()([x, y]), name: "both" });
    expect(() => model([ones([2, 4])] as never)).toThrowError(/expected 2 inputs \(x, y\), received 1/);
    expect(() => model([ones([2, 4]), ones([2, 5])])).toThrowError(
      /input "y" has shape \(None, 4\), received \(2, 5\)/,
    );
    expect(() => model({ x: ones([2, 4]), z: ones([2, 4]) } as never)).toThrowError(
      /expected inputs named x, y, received x, z/,
    );
    expect(() => new keras.Add()([x, ones([2, 4])] as never)).toThrowError(
      /called on 1 symbolic tensor and 1 other value/,
    );
    expect(() => new keras.Add({ name: "s" })([ones([2, 3]), ones([2, 4])])).toThrowError(
      /shapes that fit each other, received \(None, 3\), \(None, 4\)/,
    );
    expect(() => new keras.Add({ name: "s" })(ones([2, 3]) as never)).toThrowError(
      /expected a list of tensors, received one tensor/,
    );
    expect(() => dense.output.shape).not.toThrow();
    expect(() => new keras.Dense(1).output).toThrowError(/was called on symbolic tensors 0 times/);
  });

  test("data that does not fit is found before training", async () => {
    const a = keras.Input({ shape: [2], name: "a" });
    const b = keras.Input({ shape: [2], name: "b" });
    const sum = new keras.Add()([a, b]);
    const outputs = [
      new keras.Dense(1, { name: "p" })(sum),
      new keras.Dense(3, { activation: "softmax", name: "q" })(sum),
    ];
    const model = new keras.Model({ inputs: [a, b], outputs });
    const x = [ones([6, 2]), ones([6, 2])];
    const y = { p: ones([6, 1]), q: hashLabels(1, 6, 3) };
    model.compile({ loss: { p: "mse", q: "sparse_categorical_crossentropy" } });
    await expect(model.fit(x, { p: y.p }, quiet)).rejects.toThrowError(
      /output "q" needs targets, but y has none for it/,
    );
    await expect(model.fit(x, { ...y, r: y.p }, quiet)).rejects.toThrowError(
      /there is no output "r"; the model's outputs are p, q/,
    );
    await expect(model.fit([x[0], ones([5, 2])], y, quiet)).rejects.toThrowError(
      /received 6 in x \(6, 2\) and 5 in x\[1\] \(5, 2\)/,
    );
    await expect(model.fit(x, { ...y, q: [0, 1, 2, 3, 0, 1] }, quiet)).rejects.toThrowError(/label 3 at element 3/);
    await expect(model.fit(x, y, { ...quiet, classWeight: { 0: 2 } })).rejects.toThrowError(
      /classWeight is for models with one output/,
    );
    await expect(model.fit(ones([6, 2]), y, quiet)).rejects.toThrowError(/expected 2 inputs/);
    model.compile({ loss: { p: "mse", wrong: "mse" } });
    await expect(model.fit(x, y, quiet)).rejects.toThrowError(/compile: loss: there is no output "wrong"/);
    model.compile({ loss: "mse", lossWeights: [1, 2, 3] });
    await expect(model.fit(x, y, quiet)).rejects.toThrowError(/compile: lossWeights: expected 2 values/);
  });

  test("streams of batches with inputs and targets by name train to the same bits as arrays", async () => {
    const build = () => {
      keras.setRandomSeed(3);
      const a = keras.Input({ shape: [2], name: "a" });
      const b = keras.Input({ shape: [2], name: "b" });
      const sum = new keras.Add()([a, b]);
      const model = new keras.Model({
        inputs: { a, b },
        outputs: [new keras.Dense(1, { name: "p" })(sum), new keras.Dense(2, { name: "q" })(sum)],
      });
      model.compile({ optimizer: "sgd", loss: "mse" });
      return model;
    };
    const x = { a: made(1, [8, 2]), b: made(2, [8, 2]) };
    const y = { p: made(3, [8, 1]), q: made(4, [8, 2]) };
    const whole = build();
    await whole.fit(x, y, { ...quiet, epochs: 2 });
    const streamed = build();
    const part = (tensors: Record<string, Tensor>, from: number) =>
      Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, value.slice([from], [from + 4])]));
    await streamed.fit(
      function* () {
        for (const from of [0, 4]) yield [part(x, from), part(y, from)] as const;
      },
      { verbose: 0, epochs: 2 },
    );
    expect(weightBits(streamed)).toEqual(weightBits(whole));
  });
});
