/**
 * The TensorFlow network of "Comparison of tensorflow, Keras and pytorch", trained on MNIST with a gradient tape.
 * Run it with `npm run example tf-conv-net -- [--epochs N] [--examples N]`.
 */
import { parseArgs } from "node:util";
import * as tf from "trivium/tf";

const { values } = parseArgs({
  options: { epochs: { type: "string", default: "1" }, examples: { type: "string", default: "60000" } },
});

tf.random.setSeed(0);
const examples = Number(values.examples);
const [[xTrain, yTrain], [xTest, yTest]] = await tf.keras.datasets.mnist.loadData();
const scaled = (images: tf.Tensor) => tf.div(tf.cast(tf.expandDims(images, -1), "float32"), 255);
const dataset = tf.data.Dataset.fromTensorSlices([
  scaled(tf.slice(xTrain, [0], [examples])),
  tf.oneHot(tf.slice(yTrain, [0], [examples]), 10),
]);
const batches = dataset.shuffle(examples).batch(128, { dropRemainder: true });
const [[x, y]] = batches.take(1);

const weights = [
  new tf.Variable(tf.truncatedNormal([3, 3, 1, 32], 0, 0.1)),
  new tf.Variable(tf.truncatedNormal([3, 3, 32, 64], 0, 0.06)),
  new tf.Variable(tf.truncatedNormal([7 * 7 * 64, 128], 0, 0.025)),
  new tf.Variable(tf.truncatedNormal([128, 10], 0, 0.1)),
];
const biases = [32, 64, 128, 10].map((size) => new tf.Variable(tf.zeros([size])));

// #region listing
function conv2d(x: tf.Tensor, W: tf.Tensor, b: tf.Tensor, strides = 1) {
  x = tf.nn.conv2d(x, W, { strides: [1, strides, strides, 1], padding: "SAME" });
  x = tf.nn.biasAdd(x, b);
  return tf.nn.relu(x);
}

function maxpool2d(x: tf.Tensor, k = 2) {
  return tf.nn.maxPool(x, { ksize: [1, k, k, 1], strides: [1, k, k, 1], padding: "SAME" });
}

function convNet(x: tf.Tensor, weights: tf.Tensor[], biases: tf.Tensor[]) {
  let conv1 = conv2d(x, weights[0], biases[0]);
  conv1 = maxpool2d(conv1, 2);
  let conv2 = conv2d(conv1, weights[1], biases[1]);
  conv2 = maxpool2d(conv2, 2);
  let fc1 = tf.reshape(conv2, [-1, weights[2].getShape().asList()[0]]);
  fc1 = tf.add(tf.matmul(fc1, weights[2]), biases[2]);
  fc1 = tf.nn.relu(fc1);
  const out = tf.add(tf.matmul(fc1, weights[3]), biases[3]);
  return out;
}

const pred = convNet(x, weights, biases);

const cost = tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ logits: pred, labels: y }));
// #endregion
console.log(`before training: cost ${cost.item().toFixed(4)}`);

const variables = [...weights, ...biases];
const optimizer = new tf.optimizers.Adam(0.001);
const trainStep = tf.function((x: tf.Tensor, y: tf.Tensor) => {
  const tape = new tf.GradientTape();
  const cost = tape.run(() => {
    const pred = convNet(x, weights, biases);
    return tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ logits: pred, labels: y }));
  });
  const gradients = tape.gradient(cost, variables);
  optimizer.applyGradients(variables.map((variable, i) => [gradients[i], variable]));
  return cost;
});
const correct = tf.function((x: tf.Tensor, labels: tf.Tensor) =>
  tf.reduceSum(tf.cast(tf.equal(tf.argmax(convNet(x, weights, biases), 1), labels), "float32")),
);

for (let epoch = 1; epoch <= Number(values.epochs); epoch++) {
  const costs: number[] = [];
  for (const [x, y] of batches) costs.push(trainStep(x, y).item());
  let hits = 0;
  const test = tf.data.Dataset.fromTensorSlices([scaled(xTest), tf.cast(yTest, "int32")]).batch(500);
  for (const [x, labels] of test.take(Math.ceil(examples / 3000))) hits += correct(x, labels).item();
  const seen = Math.min(yTest.size, 500 * Math.ceil(examples / 3000));
  const mean = costs.reduce((sum, value) => sum + value, 0) / costs.length;
  console.log(`epoch ${epoch}: cost ${mean.toFixed(4)}, test accuracy ${(hits / seen).toFixed(4)}`);
}
console.log(`traces of the training step: ${trainStep.experimentalGetTracingCount()}`);
