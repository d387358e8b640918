/** A process of its own: trains a small convolutional network for a few steps and prints digests of weights, losses and predictions. */
import { createHash } from "node:crypto";
import { randomUniform, setRandomSeed, tensor } from "../../src/index.ts";
import {
  BatchNormalization,
  Conv2D,
  Dense,
  Dropout,
  Flatten,
  MaxPooling2D,
  Sequential,
} from "../../src/keras/index.ts";

setRandomSeed(11);
const model = new Sequential();
model.add(new Conv2D(16, [3, 3], { inputShape: [14, 14, 1], activation: "relu" }));
model.add(new BatchNormalization());
model.add(new Conv2D(20, [3, 3], { activation: "relu", padding: "same" }));
model.add(new MaxPooling2D([2, 2]));
model.add(new Flatten());
model.add(new Dropout(0.25));
model.add(new Dense(33, { activation: "tanh" }));
model.add(new Dense(10, { activation: "softmax" }));
model.compile({ optimizer: "adam", loss: "sparse_categorical_crossentropy", metrics: ["accuracy"] });
const x = randomUniform([75, 14, 14, 1]);
const y = tensor(Int32Array.from({ length: 75 }, (_, i) => (i * 7) % 10));
const history = await model.fit(x, y, { batchSize: 32, epochs: 3, verbose: 0, validationSplit: 0.2 });

const digest = (...arrays: readonly ArrayBufferView[]): string => {
  const hash = createHash("sha256");
  for (const array of arrays) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.digest("hex");
};
const weights = digest(...model.getWeights().map((weight) => weight.dataSync()));
// the rows of an example must not depend on the others of its batch, or on their number
const together = (await model.predict(x, { batchSize: 75, verbose: 0 })).dataSync();
const rowBits = [1, 3, 16].map(async (batchSize) => {
  const rows = (await model.predict(x.slice([0], [16]), { batchSize, verbose: 0 })).dataSync();
  return digest(rows) === digest(together.slice(0, 160));
});
console.log(
  JSON.stringify({
    weights,
    losses: history.history.loss,
    predictions: digest(together),
    batchInvariant: await Promise.all(rowBits),
  }),
);
