/** Functional and subclassed models: building, calling, saving, steps of one's own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { encodeSafetensors, readSafetensors } from "../../src/interop/index.ts";
import * as keras from "../../src/keras/index.ts";
import { engine, gradients, noGrad, ones, relu, type Tensor, tensor, type Variable } from "../../src/tensor/index.ts";
import { hashLabels, hashUniform } from "../../src/testing/hash-uniform.ts";
import { useFastTarget } from "./golden.ts";
import { weightBits } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-functional-"));
const path = (name: string) => join(folder, name);
beforeAll(useFastTarget);
afterAll(() => rmSync(folder, { recursive: true }));

const made = (stream: number, shape: readonly number[]): Tensor =>
  tensor(
    hashUniform(
      stream,
      shape.reduce((product, size) => product * size, 1),
    ),
    { shape },
  );
const quiet = { verbose: 0, shuffle: false, batchSize: 4 } as const;

/** A learned factor for each feature: a layer of the user's own. */
class Scale extends keras.layers.Layer {
  factor!: Variable;
  readonly start_value: number;
  constructor(options: keras.layers.LayerOptions & { start_value?: number } = {}) {
    const { start_value = 1, ...others } = options;
    super(others);
    this.start_value = start_value;
  }
  override build(inputShape: keras.BatchShape): void {
    this.factor = this.addWeight({
      name: "factor",
      shape: [inputShape.at(-1) as number],
      initializer: new keras.initializers.Constant(this.start_value),
      regularizer: "l2",
    });
  }
  override call(x: Tensor): Tensor {
    return x.mul(this.factor);
  }
  override getConfig(): keras.Config {
    return { ...super.getConfig(), start_value: this.start_value };
  }
}
keras.registerKerasSerializable("tests")(Scale);

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

describe("saved models", () => {
  const x = { a: made(1, [8, 4]), b: made(2, [8, 4]) };
  const y = { p: made(3, [8, 1]), q: tensor(hashLabels(4, 8, 3)) };
  const network = () => {
    const a = keras.Input({ shape: [4], name: "a" });
    const b = keras.Input({ shape: [4], name: "b" });
    const shared = new keras.Sequential([
      new keras.Dense(5, { kernelRegularizer: "l2" }),
      new Scale({ start_value: 0.5 }),
    ]);
    const inner = keras.Input({ shape: [5], name: "inner" });
    const nested = new keras.Model({
      inputs: inner,
      outputs: new keras.Dense(4, { biasConstraint: "non_neg" })(inner),
    });
    const joined = new keras.Concatenate()([nested(shared(a)), nested(shared(b))]);
    const model = new keras.Model({
      inputs: { a, b },
      outputs: { p: new keras.Dense(1)(joined), q: new keras.Dense(3, { activation: "softmax" })(joined) },
      name: "saved",
    });
    model.compile({
      optimizer: new keras.Adam(0.01),
      loss: { p: "mse", q: "sparse_categorical_crossentropy" },
      lossWeights: { p: 0.5, q: 1 },
      metrics: { q: ["accuracy"] },
    });
    return model;
  };

  test("functional, nested, shared, with layers of one's own: training goes on to the same bits", async () => {
    const model = network();
    await model.fit(x, y, { ...quiet, epochs: 2 });
    model.save(path("net.safetensors"));
    const loaded = keras.loadModel(path("net.safetensors"));
    expect(loaded.toJSON()).toEqual(model.toJSON());
    expect(loaded.weights.length).toBe(model.weights.length);
    const first = await model.fit(x, y, { ...quiet, epochs: 2 });
    const second = await loaded.fit(x, y, { ...quiet, epochs: 2 });
    expect(second.history).toEqual(first.history);
    expect(weightBits(loaded)).toEqual(weightBits(model));
    const again = keras.modelFromJson(JSON.stringify(model));
    expect(again.toJSON()).toEqual(model.toJSON());
  });

  test("a layer in two models is one layer after loading", () => {
    const shared = new keras.Dense(4, { name: "shared" });
    const part = (name: string) => {
      const input = keras.Input({ shape: [4], name: `${name}_in` });
      return new keras.Model({ inputs: input, outputs: shared(input), name });
    };
    const input = keras.Input({ shape: [4], name: "in" });
    const model = new keras.Model({ inputs: input, outputs: part("second")(part("first")(input)) });
    expect(model.weights.length).toBe(2);
    model.save(path("shared.safetensors"));
    const loaded = keras.loadModel(path("shared.safetensors"));
    expect(loaded.weights.length).toBe(2);
    expect(loaded(x.a).toArray()).toEqual(model(x.a).toArray());
  });

  class Residual extends keras.Model {
    readonly block: keras.layers.Layer;
    readonly width: number;
    constructor(options: keras.ModelOptions & { width?: number } = {}) {
      const { width = 4, ...others } = options;
      super(others);
      this.width = width;
      this.block = new keras.Dense(width, { activation: "tanh" });
    }
    override call(x: Tensor): Tensor {
      return x.add(this.block(x));
    }
    override getConfig(): keras.Config {
      return { ...super.getConfig(), width: this.width };
    }
  }

  test("subclassed: registered, or given by name", async () => {
    const model = new Residual();
    model.compile({ optimizer: "adam", loss: "mse" });
    await model.fit(x.a, x.b, quiet);
    expect(() => model.save(path("residual.safetensors"))).toThrowError(/layer of your own: register its class/);
    const stack = new keras.Sequential([keras.Input([4]), new Scale({ name: "mine" })]);
    stack.save(path("scale.safetensors"));
    const text = JSON.stringify(stack.toJSON());
    expect(text).toContain('"registered_name":"tests>Scale"');
    expect(text).toContain('"start_value":1');
    keras.registerKerasSerializable("tests")(Residual);
    model.save(path("residual.safetensors"));
    const loaded = keras.loadModel<Residual>(path("residual.safetensors"));
    expect(loaded).toBeInstanceOf(Residual);
    expect(weightBits(loaded)).toEqual(weightBits(model));
    const first = await model.fit(x.a, x.b, quiet);
    const second = await loaded.fit(x.a, x.b, quiet);
    expect(second.history).toEqual(first.history);
  });

  const changed = (change: (metadata: Record<string, string>) => void): string => {
    const { tensors, metadata } = readSafetensors(path("net.safetensors"));
    const copy = { ...metadata };
    change(copy);
    writeFileSync(path("changed.safetensors"), Buffer.concat(encodeSafetensors(tensors, copy)));
    return path("changed.safetensors");
  };
  const architecture = (edit: (text: string) => string): string =>
    changed((metadata) => {
      metadata.architecture = edit(metadata.architecture);
    });

  test("files that are broken or hostile are typed errors, and nothing is made of them", () => {
    network().save(path("net.safetensors"));
    const whole = readFileSync(path("net.safetensors"));
    for (const share of [0.001, 0.3, 0.7, 0.999]) {
      writeFileSync(path("cut.safetensors"), whole.subarray(0, Math.floor(whole.length * share)));
      expect(() => keras.loadModel(path("cut.safetensors"))).toThrowError(/cut\.safetensors/);
    }
    expect(() =>
      keras.loadModel(
        changed((metadata) => {
          metadata.version = "3";
        }),
      ),
    ).toThrowError(/model format version 3/);
    expect(() => keras.loadModel(architecture((text) => text.replaceAll("tests>Scale", "evil>Scale")))).toThrowError(
      /holds a "evil>Scale", a class of somebody's own/,
    );
    expect(() => keras.loadModel(architecture((text) => text.replace('"Concatenate"', '"constructor"')))).toThrowError(
      /unknown layer "constructor"/,
    );
    expect(() =>
      keras.loadModel(architecture((text) => text.replaceAll('"inner"', '"../../etc/passwd"'))),
    ).toThrowError(/a layer's name cannot contain "\/"/);
    expect(() =>
      keras.loadModel(
        architecture((text) =>
          text.replace('"inbound_nodes":[{"inputs":["a",0,0]', '"inbound_nodes":[{"inputs":["ghost",0,0]'),
        ),
      ),
    ).toThrowError(/mentions a layer "ghost"/);
    expect(() =>
      keras.loadModel(
        architecture((text) =>
          text.replace('"inbound_nodes":[{"inputs":["a",0,0]', '"inbound_nodes":[{"inputs":["a",7,0]'),
        ),
      ),
    ).toThrowError(/reads what no other layer gives/);
    expect(() => keras.loadModel(architecture(() => "{}"))).toThrowError(/no class or no configuration/);
    expect(() => keras.modelFromJson("{")).toThrowError(/is not JSON/);
    expect(() =>
      keras.modelFromJson('{"class_name":"Dense","config":{"__proto__":{"units":3},"units":2}}'),
    ).toThrowError(/unknown option|expected a model/);
    expect(({} as Record<string, unknown>).units).toBeUndefined();
  });
});
