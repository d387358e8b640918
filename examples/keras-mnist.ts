// The Keras program of the seeds: two convolutions, a pooling layer and a dense classifier on MNIST.
//   npm run example keras-mnist
import { Conv2D, Dense, datasets, Flatten, MaxPooling2D, Sequential, toCategorical } from "trivium/keras";

const [[trainImages, trainLabels], [testImages, testLabels]] = datasets.mnist.loadData();

// reshaping, scaling and one hot encoding
const xTrain = trainImages.reshape([60000, 28, 28, 1]).cast("f32").div(255);
const xTest = testImages.reshape([10000, 28, 28, 1]).cast("f32").div(255);
const yTrain = toCategorical(trainLabels);
const yTest = toCategorical(testLabels);

const model = new Sequential();
model.add(new Conv2D(32, [3, 3], { inputShape: [28, 28, 1], activation: "relu" }));
model.add(new Conv2D(64, [3, 3], { activation: "relu" }));
model.add(new MaxPooling2D([2, 2]));
model.add(new Flatten());
model.add(new Dense(1024, { activation: "relu" }));
model.add(new Dense(10, { activation: "softmax" }));
model.summary();

// compile and train
model.compile({ optimizer: "sgd", loss: "categorical_crossentropy", metrics: ["accuracy"] });
const history = await model.fit(xTrain, yTrain, { validationSplit: 0.3, epochs: 5 });
console.log(history.history);

const [loss, accuracy] = (await model.evaluate(xTest, yTest)) as number[];
console.log(`test loss ${loss!.toFixed(4)}, test accuracy ${accuracy!.toFixed(4)}`);
