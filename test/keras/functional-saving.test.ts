/** Functional and subclassed models in files: what comes back, and what is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeSafetensors, readSafetensors } from "../../src/interop/index.ts";
import * as keras from "../../src/keras/index.ts";
import { type Tensor, tensor, type Variable } from "../../src/tensor/index.ts";
import { hashLabels } from "../../src/testing/hash-uniform.ts";
import { hashed as made } from "../hashed.ts";
import { useFastTarget } from "./golden.ts";
import { weightBits } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-functional-"));
const path = (name: string) => join(folder, name);
beforeAll(useFastTarget);
afterAll(() => rmSync(folder, { recursive: true }));

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
