import { callbacks, layers, models, utils } from "../../keras/index.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { Logs } from "../../train/loop.ts";
import type { Recorder } from "./recorder.ts";

const { Conv2D, Dense, Flatten, MaxPooling2D } = layers;
const { Sequential } = models;
const { toCategorical } = utils;

/** What the Keras half of the article gets: images [count, 28, 28] and class numbers, as bytes. */
export interface KerasArticleData {
  readonly xTrain: Tensor;
  readonly yTrain: Tensor;
  readonly epochs: number;
}

/** Steps of one epoch: batches of 32, the default, over what the validation split leaves. */
export const kerasArticleSteps = (images: number): number => Math.ceil(Math.floor(images * 0.7) / 32);

/** Keras shows its progress itself; the recorder takes the time of the steps, and the epochs' means. */
class Report extends callbacks.Callback {
  private readonly recorder: Recorder;
  constructor(recorder: Recorder) {
    super();
    this.recorder = recorder;
  }
  override onEpochBegin(): void {
    this.recorder.begin({ quiet: true });
  }
  override onTestBegin(): void {
    this.recorder.trainingEnds();
  }
  override onEpochEnd(_epoch: number, logs: Logs = {}): void {
    const { loss, accuracy, val_loss: valLoss, val_accuracy: valAccuracy } = logs;
    // an epoch that Ctrl-C ended early has no validation
    if (valLoss !== undefined) this.recorder.end({ loss, accuracy, valLoss, valAccuracy });
  }
}

/** The TensorFlow half of the article, as written. Gives its number of parameters. */
export async function kerasArticle({ xTrain, yTrain, epochs }: KerasArticleData, recorder: Recorder): Promise<number> {
  const report = new Report(recorder);
  // #region kerasArticle
  // reshaping and one hot encoding
  xTrain = xTrain.reshape(xTrain.shape[0], 28, 28, 1);
  yTrain = toCategorical(yTrain);
  // scaling
  xTrain = xTrain.astype("float32");
  xTrain = xTrain.div(255.0);

  // build a model
  const model = new Sequential();
  model.add(new Conv2D(32, [3, 3], { inputShape: [28, 28, 1], activation: "relu" }));
  model.add(new Conv2D(64, [3, 3], { activation: "relu" }));
  model.add(new MaxPooling2D([2, 2]));
  model.add(new Flatten());
  model.add(new Dense(1024, { activation: "relu" }));
  model.add(new Dense(10, { activation: "softmax" }));
  // compile
  model.compile({ optimizer: "sgd", loss: "categorical_crossentropy", metrics: ["accuracy"] });
  // training
  await model.fit(xTrain, yTrain, { validationSplit: 0.3, epochs, callbacks: [report] });
  // #endregion
  recorder.check();
  return model.countParams();
}
