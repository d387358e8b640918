/** What stands around the examples of the documentation: data, a model, an optimizer, under the names that everybody uses for them. */
import { Image } from "../../src/data/index.ts";
import { type Tensor, tensor, Variable } from "../../src/index.ts";
import * as kerasDoor from "../../src/keras/index.ts";
import * as tfDoor from "../../src/tf/index.ts";
import { nn, optim, utils } from "../../src/torch/index.ts";
import { hashed } from "../hashed.ts";

const classes = (count: number): Tensor => tensor(Int32Array.from({ length: count }, (_, i) => i % 10));

/** Keras: `x` and `y` are features and one-hot classes, `images` channels-last, `labels` class numbers. */
function keras() {
  const model = new kerasDoor.Sequential([new kerasDoor.layers.Dense(2, { activation: "softmax" })]);
  model.compile({ optimizer: "sgd", loss: "categorical_crossentropy", metrics: ["accuracy"] });
  return {
    x: hashed(1, [8, 4]),
    y: kerasDoor.toCategorical([0, 1, 1, 0, 1, 0, 0, 1]),
    images: hashed(2, [8, 28, 28, 1]),
    labels: classes(8),
    model,
  };
}

/** PyTorch: a batch of channels-first images with class numbers, a model for them and what trains it. */
function torch() {
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
  const images = hashed(2, [8, 1, 28, 28]);
  const labels = classes(8);
  const loader = new utils.data.DataLoader(new utils.data.TensorDataset(images, labels), { batchSize: 4 });
  return { model, optimizer, criterion: new nn.CrossEntropyLoss(), images, labels, loader };
}

/** Data sets: pairs of tensors. */
function data() {
  return { x: hashed(1, [100, 4]), y: classes(100) };
}

/** Networks for photographs: a batch, one picture, and a model that is small here. */
function models() {
  const model = new nn.Sequential(new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Linear(3, 10));
  return { images: hashed(1, [2, 3, 32, 32]), image: new Image(40, 30, 3, new Uint8Array(40 * 30 * 3)), model };
}

/** TensorFlow: images channels-last, a linear model with its variables. */
function tf() {
  const weight = new Variable(hashed(1, [4, 1]));
  const images = hashed(2, [8, 28, 28, 1]);
  const labels = classes(8);
  return {
    x: hashed(3, [8, 4]),
    y: hashed(4, [8, 1]),
    images,
    labels,
    batches: tfDoor.data.Dataset.fromTensorSlices([images, labels]).batch(4),
    variables: [weight],
    model: (input: Tensor): Tensor => input.matmul(weight),
    lossOf: (output: Tensor, wanted: Tensor): Tensor => output.sub(wanted).square().mean(),
    optimizer: new tfDoor.optimizers.SGD(0.01),
  };
}

/** Tensors. */
function core() {
  return { x: hashed(1, [4, 3]) };
}

/** By name. */
export const settings = { keras, torch, models, data, tf, core } as const;
