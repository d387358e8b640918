/** Networks of the seeds that are Keras programs, through the Keras door: the step that `fit` replays. */
import * as keras from "../../src/keras/index.ts";
import { classes, data, kerasWeights } from "./fill.ts";
import type { Step, Workload } from "./step.ts";

const { layers } = keras;

/** Weight shapes in Keras' order, checked against the network's own when they are set. */
export const cifarShapes = [
  [3, 3, 3, 50],
  [50],
  [3, 3, 50, 50],
  [50],
  [3, 3, 50, 100],
  [100],
  [3, 3, 100, 100],
  [100],
  [6400, 512],
  [512],
  [512, 10],
  [10],
];
export const gruShapes = [[30000, 125], [125, 300], [100, 300], [2, 300], [100, 2], [2]];

function stepOf(model: keras.Sequential, x: ReturnType<typeof data>, y: ReturnType<typeof data>): Step {
  return async () => (await model.trainOnBatch(x, y))[0]!;
}

function cifarStep(batch: number, dropout: boolean): Step {
  const rate = (value: number) => (dropout ? value : 0);
  const same = { padding: "same", activation: "relu" } as const;
  const model = new keras.Sequential([
    new layers.Conv2D(50, [3, 3], { ...same, inputShape: [32, 32, 3] }),
    new layers.Conv2D(50, [3, 3], same),
    new layers.MaxPooling2D([2, 2]),
    new layers.Dropout(rate(0.25)),
    new layers.Conv2D(100, [3, 3], same),
    new layers.Conv2D(100, [3, 3], same),
    new layers.MaxPooling2D([2, 2]),
    new layers.Dropout(rate(0.25)),
    new layers.Flatten(),
    new layers.Dense(512, { activation: "relu" }),
    new layers.Dropout(rate(0.5)),
    new layers.Dense(10, { activation: "softmax" }),
  ]);
  model.setWeights(kerasWeights(cifarShapes));
  model.compile({
    optimizer: new keras.SGD({ learningRate: 0.01, momentum: 0.9 }),
    loss: "sparse_categorical_crossentropy",
  });
  return stepOf(model, data("cifar-images", [batch, 32, 32, 3]), classes("cifar-labels", [batch], 10));
}

function gruStep(batch: number): Step {
  const model = new keras.Sequential([
    new layers.InputLayer({ shape: [150], dtype: "int32" }),
    new layers.Embedding(30000, 125),
    new layers.GRU(100),
    new layers.Dense(2, { activation: "softmax" }),
  ]);
  model.setWeights(kerasWeights(gruShapes));
  model.compile({
    optimizer: new keras.Adam({ learningRate: 1e-3 }),
    loss: "sparse_categorical_crossentropy",
  });
  return stepOf(model, classes("imdb-words", [batch, 150], 30000), classes("imdb-labels", [batch], 2));
}

export const kerasNetworks: Readonly<Record<string, Workload>> = {
  "cifar-cnn": { make: cifarStep, drops: true },
  "imdb-gru": { make: gruStep },
};
