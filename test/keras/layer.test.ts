import { inspect } from "node:util";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { ones, type Tensor, tensor, type Variable, zeros } from "../../src/tensor/index.ts";
import { useFastTarget } from "./golden.ts";

beforeAll(useFastTarget);
beforeEach(() => keras.utils.clearSession());

describe("layers are objects and functions", () => {
  test("called, named, printed", () => {
    const layer = new keras.Dense(2);
    expect(typeof layer).toBe("function");
    expect(layer).toBeInstanceOf(keras.Dense);
    expect(layer).toBeInstanceOf(keras.layers.Layer);
    expect(Object.keys(layer)).not.toContain("length");
    expect([layer.name, new keras.Dense(3).name, new keras.MaxPooling2D().name]).toEqual([
      "dense",
      "dense_1",
      "max_pooling2d",
    ]);
    expect(new keras.Dense(3, { name: "head" }).name).toBe("head");
    expect(inspect(layer)).toBe("<Dense name=dense, built=false>");
    expect(layer(ones([4, 3])).shape).toEqual([4, 2]);
    expect(String(layer)).toBe("<Dense name=dense, built=true>");
    expect([layer.countParams(), layer.weights.map(({ name }) => name)]).toEqual([8, ["dense/kernel", "dense/bias"]]);
  });

  class Scale extends keras.layers.Layer {
    factor!: Variable;
    override build(inputShape: keras.BatchShape): void {
      this.factor = this.addWeight({ name: "factor", shape: [inputShape.at(-1) as number], initializer: "ones" });
    }
    override call(inputs: Tensor): Tensor {
      return inputs.mul(this.factor);
    }
  }
  class Twice extends keras.layers.Layer {
    readonly first = new Scale();
    readonly rest = [new keras.Dense(2), new Scale()];
    override call(inputs: Tensor, options: keras.layers.CallOptions): Tensor {
      return this.rest.reduce((value, layer) => layer(value, options), this.first(inputs, options));
    }
  }
  test("layers of one's own, with layers inside", () => {
    const layer = new Twice({ name: "twice" });
    expect(layer(ones([4, 3])).shape).toEqual([4, 2]);
    expect(layer.weights.length).toBe(4);
    layer.trainable = false;
    expect(layer.trainableWeights).toEqual([]);
    expect(layer.rest[0].trainable).toBe(false);
  });

  test("models of one's own train", async () => {
    class Net extends keras.Model {
      private readonly hidden = new keras.Dense(8, { activation: "relu" });
      private readonly last = new keras.Dense(3, { activation: "softmax" });
      override call(inputs: Tensor, options: keras.layers.CallOptions): Tensor {
        return this.last(this.hidden(inputs, options), options);
      }
    }
    const model = new Net();
    model.compile({ optimizer: new keras.Adam(0.05), loss: "sparse_categorical_crossentropy", metrics: ["accuracy"] });
    const x = tensor([
      [1, 0],
      [0, 1],
      [1, 1],
    ]);
    const history = await model.fit(x, [0, 1, 2], { epochs: 60, verbose: 0 });
    expect(history.history.accuracy.at(-1)).toBe(1);
    expect(model.layers.length).toBe(2);
    expect(() => model.save("/tmp/never.safetensors")).toThrowError(/layer of your own: register its class/);
  });
});

describe("Sequential", () => {
  test("builds at once with a known shape, on the first call without", () => {
    const known = new keras.Sequential([new keras.Flatten({ inputShape: [4, 4] }), new keras.Dense(3)]);
    expect([known.built, known.inputShape, known.outputShape]).toEqual([true, [null, 4, 4], [null, 3]]);
    const later = new keras.Sequential([new keras.Flatten(), new keras.Dense(3)]);
    expect(later.built).toBe(false);
    later(zeros([2, 4, 4]));
    expect(later.outputShape).toEqual([null, 3]);
    expect(later.pop().className).toBe("Dense");
    expect(later.outputShape).toEqual([null, 16]);
  });
  test("weights come in Keras' order; setWeights checks them", () => {
    const model = new keras.Sequential([
      keras.Input([3]),
      new keras.Dense(2, { name: "a" }),
      new keras.BatchNormalization({ name: "b" }),
    ]);
    expect(model.weights.map(({ name }) => name)).toEqual([
      "a/kernel",
      "a/bias",
      "b/gamma",
      "b/beta",
      "b/moving_mean",
      "b/moving_variance",
    ]);
    expect(model.nonTrainableWeights.map(({ name }) => name)).toEqual(["b/moving_mean", "b/moving_variance"]);
    const copies = model.getWeights();
    model.setWeights(copies.map((weight) => weight.add(1)));
    expect(model.weights[1].toArray()).toEqual([1, 1]);
    expect(copies[1].toArray()).toEqual([0, 0]);
    expect(() => model.setWeights(copies.slice(1))).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: setWeights: Sequential "sequential" has 6 weights, received 5.]`,
    );
    expect(() => model.setWeights([...copies].reverse())).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: setWeights: a/kernel has shape (3, 2), received (2,).]`,
    );
  });
});

describe("mistakes name the layer, what was received and what was expected", () => {
  const image = (channels: number) => zeros([2, 5, 5, channels]);
  test("arguments", () => {
    expect(() => new keras.Dense(0)).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Dense "dense": units must be a positive integer, received 0.]`,
    );
    expect(() => new keras.Dense(2, { activation: "reul" as "relu" })).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Dense "dense_1": unknown activation "reul" (did you mean "relu"?); expected one of linear, relu, relu6, leaky_relu, elu, celu, selu, softmax, log_softmax, sigmoid, log_sigmoid, hard_sigmoid, tanh, hard_tanh, tanh_shrink, softplus, softsign, soft_shrink, hard_shrink, sparse_plus, sparse_sigmoid, sparsemax, squareplus, silu, swish, hard_silu, hard_swish, gelu, glu, mish, exponential.]`,
    );
    expect(() => new keras.Dense(2, { kernelRegulariser: "l2" } as object)).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Dense: unknown option "kernelRegulariser" (did you mean "kernelRegularizer"?); expected activation, useBias, kernelInitializer, kernelRegularizer, kernelConstraint, biasInitializer, biasRegularizer, biasConstraint, name, trainable, inputShape, dtype, activityRegularizer.]`,
    );
    expect(() => new keras.Conv2D(4, [3] as unknown as [number, number])).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Conv2D "conv2d": kernelSize must be an integer of at least 1 or two of them, received [3].]`,
    );
    expect(() => new keras.Conv2D(4, 3, { padding: "SAME" as "same" })).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Conv2D "conv2d_1": padding must be "valid" or "same", received "SAME".]`,
    );
    expect(() => new keras.Conv2D(4, 3, { strides: 2, dilationRate: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Conv2D "conv2d_2": strides and dilationRate cannot both be larger than 1, received 2x2 and 2x2.]`,
    );
    expect(
      () => new keras.Conv2D(4, 3, { dataFormat: "channels_first" as "channels_last" }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UnsupportedError: Conv2D "conv2d_3": dataFormat "channels_first" is not available here; use channels_last, such as (batch, height, width, channels).]`,
    );
    expect(() => new keras.Dropout(1.5)).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Dropout "dropout": rate must be between 0 and 1, received 1.5.]`,
    );
    expect(() => new keras.ReLU({ maxValue: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: ReLU "re_lu": maxValue cannot be negative, received -1.]`,
    );
    expect(() => new keras.Dense(2, { dtype: "float16" as "float32" })).toThrowErrorMatchingInlineSnapshot(
      `[UnsupportedError: Dense: dtype "float16" is not available; layers compute in float32.]`,
    );
  });
  test("inputs", () => {
    const conv = new keras.Conv2D(4, 3, { name: "conv" });
    conv(image(3));
    expect(() => conv(image(1))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: Conv2D "conv": expected images with 3 channels: (batch, height, width, 3), received an input of shape (2, 5, 5, 1).]`,
    );
    expect(() => new keras.Conv2D(4, 7, { name: "wide" })(image(1))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: Conv2D "wide": a window of 7x7 (dilation 1x1) does not fit into an image of 5x5 with padding "valid"; use padding "same", a smaller window or a larger image.]`,
    );
    expect(() => new keras.Conv2D(4, 3, { name: "flat" })(zeros([2, 5]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: Conv2D "flat": expected images: (batch, height, width, channels), received an input of shape (None, 5).]`,
    );
    expect(() => new keras.Dense(4, { name: "one" })(zeros([5]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: Dense "one": expected at least two axes (batch, features), received an input of shape (None,).]`,
    );
    expect(() => new keras.Reshape([4, 2], { name: "shape" })(zeros([3, 9]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: Reshape "shape": expected 8 numbers per example, received an input of shape (3, 9).]`,
    );
    expect(() => new keras.Flatten({ name: "f" })([1] as unknown as Tensor)).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Flatten "f": expected a tensor, received object.]`,
    );
    const dense = new keras.Dense(2, { name: "d" });
    dense(zeros([1, 3]));
    expect(() => dense(zeros([1, 4]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: Dense "d": expected a last axis of size 3, received an input of shape (1, 4).]`,
    );
  });
  test("models", () => {
    const model = new keras.Sequential([keras.Input([3]), new keras.Dense(2, { name: "a" })], { name: "m" });
    expect(() => model.add(new keras.Dense(2, { name: "a" }))).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Sequential "m": all layers need different names, and "a" is in the model already; pass { name: "…" }.]`,
    );
    expect(() => model.add(keras.Input([3]))).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Sequential "m": an input must come first and once; the model takes inputs of shape (None, 3).]`,
    );
    expect(() => model.add(new keras.Conv2D(2, 3, { name: "c" }))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: Conv2D "c": expected images: (batch, height, width, channels), received an input of shape (None, 2).]`,
    );
    expect(model.layers.length).toBe(1);
    expect(() => model.getLayer("b")).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: getLayer: no layer named "b"; the layers are a.]`,
    );
    expect(() => model.optimizer).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: optimizer: the model is not compiled; call model.compile(…) first.]`,
    );
    expect(() => new keras.Sequential([], { name: "e" })(zeros([1, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Sequential "e" has no layers; call model.add(layer) first.]`,
    );
    expect(() => new keras.Dense(2, { name: "u" }).countParams()).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: countParams: Dense "u" is not built yet; call it, or build it with an input shape, first.]`,
    );
    expect(() => keras.toCategorical([0, 3], 3)).toThrowErrorMatchingInlineSnapshot(
      `[IndexRangeError: toCategorical: label 3 at 1 is not a class number from 0 to 2.]`,
    );
  });
});

test("toCategorical", () => {
  expect(keras.toCategorical([0, 2, 1]).toArray()).toEqual([
    [1, 0, 0],
    [0, 0, 1],
    [0, 1, 0],
  ]);
  expect(keras.toCategorical([[1], [0]], 3).shape).toEqual([2, 3]);
  expect(keras.toCategorical(new Uint8Array([1]), 2).dtype).toBe("f32");
});

test("JSON is Keras' own", () => {
  const model = new keras.Sequential([keras.Input([8, 8, 1]), new keras.Conv2D(2, [3, 3], { name: "c" })], {
    name: "m",
  });
  const json = model.toJSON() as { class_name: string; config: { layers: { class_name: string; config: object }[] } };
  expect(json.class_name).toBe("Sequential");
  expect(json.config.layers[1]).toMatchObject({
    class_name: "Conv2D",
    config: { name: "c", filters: 2, kernel_size: [3, 3], padding: "valid", dilation_rate: [1, 1], use_bias: true },
  });
});

test("the user's line comes first in an error's stack", async () => {
  const model = new keras.Sequential([keras.Input([3]), new keras.Dense(2)]);
  const stackOf = async (mistake: () => unknown): Promise<string> => {
    try {
      await mistake();
    } catch (error) {
      return (error as Error).stack?.split("\n")[1] ?? "";
    }
    return "no error";
  };
  expect(await stackOf(() => model(zeros([2, 5])))).toContain("layer.test.ts");
  model.compile({ loss: "mse" });
  expect(await stackOf(() => model.fit(zeros([4, 5]), zeros([4, 2])))).toContain("layer.test.ts");
  expect(await stackOf(() => model.evaluate(zeros([4, 3]), zeros([5, 2])))).toContain("layer.test.ts");
});

test("a layer that holds itself, by whatever way, is an error; a shared one is not", () => {
  class Holder extends keras.layers.Layer {
    parts: keras.layers.Layer[] = [];
    override call(x: Tensor): Tensor {
      return this.parts.reduce((value, part) => part(value), x);
    }
  }
  const [outer, inner] = [new Holder({ name: "outer" }), new Holder({ name: "inner" })];
  const shared = new keras.Dense(3);
  outer.parts = [inner, shared];
  inner.parts = [shared];
  expect(outer(zeros([2, 3])).shape).toEqual([2, 3]);
  expect(outer.weights.length).toBe(2);
  inner.parts = [shared, outer];
  const message = /Holder "outer" contains itself; layers must form a tree/;
  expect(() => outer.weights).toThrow(message);
  expect(() => outer.trainableWeights).toThrow(message);
  expect(() => outer(zeros([2, 3]))).toThrow(message);
  expect(() => {
    outer.trainable = false;
  }).toThrow(message);
  inner.parts = [];
  expect(outer.weights.length).toBe(2);
});
