/**
 * The Keras network of "Comparison of tensorflow, Keras and pytorch", trained on images of CIFAR's size.
 * Run it with `npm run example keras-cifar -- [--epochs N] [--examples N]`.
 */
import { parseArgs } from "node:util";
import { tensor } from "trivium";
import { layers, models, optimizers, utils } from "trivium/keras";
import { colourPatterns } from "./support/colour-patterns.ts";

const { Sequential } = models;
const { Conv2D, Dense, Flatten, MaxPool2D } = layers;

const { values } = parseArgs({
  options: { epochs: { type: "string", default: "3" }, examples: { type: "string", default: "4000" } },
});
const { images, labels } = colourPatterns(Number(values.examples));

utils.setRandomSeed(0);
// #region listing
const model = new Sequential();
model.add(new Conv2D(32, [3, 3], { activation: "relu", inputShape: [32, 32, 3] }));
model.add(new MaxPool2D());
model.add(new Conv2D(16, [3, 3], { activation: "relu" }));
model.add(new MaxPool2D());
model.add(new Flatten());
model.add(new Dense(10, { activation: "softmax" }));
// #endregion

model.summary();
model.compile({
  optimizer: new optimizers.SGD({ learningRate: 0.01, momentum: 0.9 }),
  loss: "sparse_categorical_crossentropy",
  metrics: ["accuracy"],
});
await model.fit(tensor(images, { shape: [labels.length, 32, 32, 3] }), labels, {
  epochs: Number(values.epochs),
  validationSplit: 0.2,
});
