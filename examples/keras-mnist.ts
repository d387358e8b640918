/**
 * A convolutional network on MNIST in Keras style: the TensorFlow half of the program that Trivium is measured by.
 * Run it with `npm run example keras-mnist -- [--limit N]`; `trivium train mnist` runs the same code.
 */
import { parseArgs } from "node:util";
import { datasets, layers, models, utils } from "trivium/keras";

const { mnist } = datasets;
const { toCategorical } = utils;
const { Conv2D, Flatten, Dense, MaxPooling2D } = layers;
const { Sequential } = models;

const { values } = parseArgs({ options: { limit: { type: "string", default: "60000" } } });
let [[xTrain, yTrain], [xTest, yTest]] = await mnist.loadData();
// the first images only, where asked
xTrain = xTrain.at([0, Number(values.limit)]);
yTrain = yTrain.at([0, Number(values.limit)]);

// #region listing
// reshaping and one hot encoding
xTrain = xTrain.reshape(xTrain.shape[0], 28, 28, 1);
xTest = xTest.reshape(xTest.shape[0], 28, 28, 1);
yTrain = toCategorical(yTrain);
yTest = toCategorical(yTest);
// scaling
xTrain = xTrain.astype("float32");
xTest = xTest.astype("float32");
xTrain = xTrain.div(255.0);
xTest = xTest.div(255.0);

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
const history = await model.fit(xTrain, yTrain, { validationSplit: 0.3, epochs: 5 });
// #endregion

const [loss, accuracy] = await model.evaluate(xTest, yTest);
console.log(`test loss ${loss.toFixed(4)}, test accuracy ${accuracy.toFixed(4)}`);
console.log("validation accuracy by epoch:", history.history.val_accuracy.map((value) => value.toFixed(4)).join(" "));
