/**
 * The TensorFlow network of "Comparison of tensorflow, Keras and pytorch" as a static graph of TensorFlow 1: placeholders, a session and an optimizer's
 * `minimize`. Run it with `npm run example tf-session -- [--epochs N] [--examples N]`.
 */
import { parseArgs } from "node:util";
import type { Tensor } from "trivium";
import { engine } from "trivium";
import { compat, data, keras, random } from "trivium/tf";

const tf = compat.v1;

const { values } = parseArgs({
  options: { epochs: { type: "string", default: "1" }, examples: { type: "string", default: "60000" } },
});

random.setSeed(0);
const x = tf.placeholder("float32", [null, 28, 28, 1], { name: "x" });
const y = tf.placeholder("float32", [null, 10], { name: "y" });
const weights = [
  new tf.Variable(tf.truncatedNormal([3, 3, 1, 32], 0, 0.1), { name: "wc1" }),
  new tf.Variable(tf.truncatedNormal([3, 3, 32, 64], 0, 0.06), { name: "wc2" }),
  new tf.Variable(tf.truncatedNormal([7 * 7 * 64, 128], 0, 0.025), { name: "wd1" }),
  new tf.Variable(tf.truncatedNormal([128, 10], 0, 0.1), { name: "out" }),
];
const biases = [32, 64, 128, 10].map((size) => new tf.Variable(tf.zeros([size]), { name: "bias" }));

// #region listing
function conv2d(x: Tensor, W: Tensor, b: Tensor, strides = 1) {
  x = tf.nn.conv2d(x, W, { strides: [1, strides, strides, 1], padding: "SAME" });
  x = tf.nn.biasAdd(x, b);
  return tf.nn.relu(x);
}

function maxpool2d(x: Tensor, k = 2) {
  return tf.nn.maxPool(x, { ksize: [1, k, k, 1], strides: [1, k, k, 1], padding: "SAME" });
}

function convNet(x: Tensor, weights: Tensor[], biases: Tensor[]) {
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
const optimizer = new tf.train.AdamOptimizer(0.001).minimize(cost);
const correct = tf.equal(tf.argmax(pred, 1), tf.argmax(y, 1));
const accuracy = tf.reduceMean(tf.cast(correct, "float32"));
const init = tf.globalVariablesInitializer();

const examples = Number(values.examples);
const [[xTrain, yTrain], [xTest, yTest]] = await keras.datasets.mnist.loadData();
const scaled = (images: Tensor) => tf.div(tf.cast(tf.expandDims(images, -1), "float32"), 255);
const batches = data.Dataset.fromTensorSlices([
  scaled(tf.slice(xTrain, [0], [examples])),
  tf.oneHot(tf.slice(yTrain, [0], [examples]), 10),
])
  .shuffle(examples)
  .batch(128);
const test = data.Dataset.fromTensorSlices([scaled(xTest), tf.oneHot(yTest, 10)]).batch(500);

using session = new tf.Session();
session.run(init);
for (let epoch = 1; epoch <= Number(values.epochs); epoch++) {
  let total = 0;
  for (const [images, labels] of batches) {
    const [, loss] = session.run([optimizer, cost], {
      feedDict: [
        [x, images],
        [y, labels],
      ],
    });
    total += loss.item() * labels.shape[0];
  }
  const scores = test.take(Math.ceil(examples / 3000));
  const accuracies = scores.toArray().map(([images, labels]) =>
    session
      .run(accuracy, {
        feedDict: [
          [x, images],
          [y, labels],
        ],
      })
      .item(),
  );
  const mean = accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length;
  console.log(`epoch ${epoch}: cost ${(total / examples).toFixed(4)}, test accuracy ${mean.toFixed(4)}`);
}
console.log(`programs compiled: ${engine.stats().compilations}`);
