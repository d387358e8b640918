/** A small classifier and its data, for tests of training. */
import * as keras from "../../src/keras/index.ts";
import { type Tensor, tensor } from "../../src/tensor/index.ts";
import { hashLabels, hashUniform } from "../../src/testing/hash-uniform.ts";

export const count = 20;

/** 20 examples of 6 numbers, in three classes. */
export function smallData(): { x: Tensor; labels: Tensor; oneHot: Tensor } {
  const labels = hashLabels(5, count, 3);
  return {
    x: tensor(hashUniform(4, count * 6), { shape: [count, 6] }),
    labels: tensor(labels),
    oneHot: keras.toCategorical(labels),
  };
}

export interface SmallModelOptions {
  readonly dropout?: number;
  readonly batchNorm?: boolean;
  readonly compile?: keras.CompileOptions;
}

/** A compiled model with the same weights every time. */
export function smallModel(options: SmallModelOptions = {}): keras.Sequential {
  const model = new keras.Sequential([keras.Input([6]), new keras.Dense(5, { activation: "relu", name: "first" })], {
    name: "small",
  });
  if (options.batchNorm) model.add(new keras.BatchNormalization({ name: "norm" }));
  if (options.dropout) model.add(new keras.Dropout(options.dropout, { name: "drop" }));
  model.add(new keras.Dense(3, { activation: "softmax", name: "last" }));
  let stream = 20;
  for (const weight of model.weights) {
    if (!weight.name.startsWith("norm")) weight.assign(hashUniform(stream++, weight.size, -0.5, 0.5));
  }
  model.compile({
    optimizer: "adam",
    loss: "sparse_categorical_crossentropy",
    metrics: ["accuracy"],
    ...options.compile,
  });
  return model;
}

/** All numbers of a model's weights. */
export const weightBits = (model: Pick<keras.Model, "getWeights">): number[][] =>
  model.getWeights().map((weight) => Array.from(weight.dataSync()));
