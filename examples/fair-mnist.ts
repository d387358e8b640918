/**
 * One network in three styles: the same first weights, images and batches. The losses agree to the bit, and the three training steps are one compiled program.
 * Run it with `npm run example fair-mnist -- [--epochs N] [--examples N]`.
 */
import { parseArgs } from "node:util";
import { copyWeights, engine, gradients, type Tensor, type Variable } from "trivium";
import { callbacks, datasets, layers, models, optimizers, type StepData, utils } from "trivium/keras";
import * as tf from "trivium/tf";
import * as torch from "trivium/torch";
import { nn, optim } from "trivium/torch";

const { values } = parseArgs({
  options: { epochs: { type: "string", default: "3" }, examples: { type: "string", default: "12000" } },
});

/** What all three get. */
interface Experiment {
  /** Images [count, 28, 28, 1] from 0 to 1, and classes as one-hot rows. */
  readonly x: Tensor;
  readonly y: Tensor;
  readonly xTest: Tensor;
  readonly yTest: Tensor;
  readonly batchSize: number;
  readonly learningRate: number;
}

/** The network in one style. */
interface Style {
  readonly weights: readonly Variable[];
  /** One pass over the training images; `onStep` gets the loss of every batch. */
  train(onStep: (loss: number) => void | Promise<void>): Promise<void>;
  test(): Promise<{ loss: number; accuracy: number }>;
}

// #region keras
const { Conv2D, Dense, GlobalAveragePooling2D, MaxPooling2D } = layers;

class KerasNet extends models.Sequential {
  override trainStep([x, y]: StepData<Tensor>) {
    const loss = this.computeLoss(x, y, this.call(x, { training: true }));
    this.optimizer.apply(gradients(loss, this.trainableVariables), this.trainableVariables);
    return { loss };
  }
}

function inKeras({ x, y, xTest, yTest, batchSize, learningRate }: Experiment): Style {
  const model = new KerasNet();
  model.add(new Conv2D(16, [3, 3], { activation: "relu", inputShape: [28, 28, 1] }));
  model.add(new MaxPooling2D([2, 2]));
  model.add(new Conv2D(32, [3, 3], { activation: "relu" }));
  model.add(new MaxPooling2D([2, 2]));
  model.add(new GlobalAveragePooling2D());
  model.add(new Dense(10, { activation: "softmax" }));
  model.compile({
    optimizer: new optimizers.SGD(learningRate),
    loss: "categorical_crossentropy",
    metrics: ["accuracy"],
  });
  return {
    weights: model.weights,
    async train(onStep) {
      const report = new callbacks.LambdaCallback({ onTrainBatchEnd: (_, logs = {}) => onStep(logs.loss) });
      await model.fit(x, y, { batchSize, shuffle: false, verbose: 0, callbacks: [report] });
    },
    async test() {
      const [loss, accuracy] = await model.evaluate(xTest, yTest, { batchSize: 500, verbose: 0 });
      return { loss, accuracy };
    },
  };
}
// #endregion

// #region torch
const F = nn.functional;
const { DataLoader, TensorDataset } = torch.utils.data;

class TorchNet extends nn.Module {
  conv1 = new nn.Conv2d(1, 16, 3);
  conv2 = new nn.Conv2d(16, 32, 3);
  fc = new nn.Linear(32, 10);
  override forward(x: Tensor): Tensor {
    x = x.permute(0, 3, 1, 2); // the images are kept channels-last, as the other two styles have them
    x = F.maxPool2d(F.relu(this.conv1(x)), 2);
    x = F.maxPool2d(F.relu(this.conv2(x)), 2);
    return this.fc(x.mean([2, 3]));
  }
}

function inTorch({ x, y, xTest, yTest, batchSize, learningRate }: Experiment): Style {
  const net = new TorchNet();
  const optimizer = new optim.SGD(net.parameters(), { lr: learningRate });
  const criterion = new nn.CrossEntropyLoss();
  const step = torch.compile((images: Tensor, target: Tensor) => {
    optimizer.zeroGrad();
    const loss = criterion(net(images), target);
    loss.backward();
    optimizer.step();
    return loss;
  });
  const loader = new DataLoader(new TensorDataset(x, y), { batchSize });
  const testLoader = new DataLoader(new TensorDataset(xTest, yTest), { batchSize: 500 });
  return {
    weights: net.parameters(),
    async train(onStep) {
      for (const [images, target] of loader) await onStep(step(images, target).item());
    },
    async test() {
      let [loss, correct] = [0, 0];
      torch.noGrad(() => {
        for (const [images, target] of testLoader) {
          const output = net(images);
          loss += criterion(output, target).item() * images.shape[0];
          correct += output.argmax(1).eq(target.argmax(1)).sum().item();
        }
      });
      return { loss: loss / xTest.shape[0], accuracy: correct / xTest.shape[0] };
    },
  };
}
// #endregion

// #region tensorflow
function inTensorFlow({ x, y, xTest, yTest, batchSize, learningRate }: Experiment): Style {
  const shapes = [[3, 3, 1, 16], [16], [3, 3, 16, 32], [32], [32, 10], [10]];
  const weights = shapes.map((shape) => new tf.Variable(tf.zeros(shape)));
  const [w1, b1, w2, b2, w3, b3] = weights;

  const network = (x: tf.Tensor) => {
    x = tf.nn.relu(tf.nn.biasAdd(tf.nn.conv2d(x, w1, { strides: 1, padding: "VALID" }), b1));
    x = tf.nn.maxPool2d(x, { ksize: 2, strides: 2, padding: "VALID" });
    x = tf.nn.relu(tf.nn.biasAdd(tf.nn.conv2d(x, w2, { strides: 1, padding: "VALID" }), b2));
    x = tf.nn.maxPool2d(x, { ksize: 2, strides: 2, padding: "VALID" });
    return tf.add(tf.matmul(tf.reduceMean(x, [1, 2]), w3), b3);
  };
  const lossOf = (logits: tf.Tensor, labels: tf.Tensor) =>
    tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels, logits }));

  const optimizer = new tf.optimizers.SGD(learningRate);
  const step = tf.function((images: tf.Tensor, labels: tf.Tensor) => {
    const tape = new tf.GradientTape();
    const loss = tape.run(() => lossOf(network(images), labels));
    const slopes = tape.gradient(loss, weights);
    optimizer.applyGradients(weights.map((weight, i) => [slopes[i], weight]));
    return loss;
  });
  const evaluate = tf.function((images: tf.Tensor, labels: tf.Tensor) => {
    const logits = network(images);
    const right = tf.equal(tf.argmax(logits, 1), tf.argmax(labels, 1));
    return [lossOf(logits, labels), tf.reduceSum(tf.cast(right, "float32"))];
  });
  const batches = tf.data.Dataset.fromTensorSlices([x, y]).batch(batchSize);
  const testBatches = tf.data.Dataset.fromTensorSlices([xTest, yTest]).batch(500);
  return {
    weights,
    async train(onStep) {
      for (const [images, labels] of batches) await onStep(step(images, labels).item());
    },
    async test() {
      let [loss, correct] = [0, 0];
      for (const [images, labels] of testBatches) {
        const [batchLoss, right] = evaluate(images, labels);
        loss += batchLoss.item() * images.shape[0];
        correct += right.item();
      }
      return { loss: loss / xTest.shape[0], accuracy: correct / xTest.shape[0] };
    },
  };
}
// #endregion

const [[trainImages, trainLabels], [testImages, testLabels]] = await datasets.mnist.loadData();
const first = (images: Tensor, count: number) =>
  images.slice([0], [count]).reshape(count, 28, 28, 1).astype("float32").div(255);
const examples = Number(values.examples);
const tested = Math.min(10_000, Math.ceil(examples / 5));
const experiment: Experiment = {
  x: first(trainImages, examples),
  y: utils.toCategorical(trainLabels.slice([0], [examples]), 10),
  xTest: first(testImages, tested),
  yTest: utils.toCategorical(testLabels.slice([0], [tested]), 10),
  batchSize: 50,
  learningRate: 0.5,
};

utils.setRandomSeed(0);
const keras = inKeras(experiment);
const styles = { keras, torch: inTorch(experiment), tensorflow: inTensorFlow(experiment) };
copyWeights(keras.weights, styles.torch.weights, { to: "channelsFirst" });
copyWeights(keras.weights, styles.tensorflow.weights);

const losses: Record<string, number[]> = {};
for (const [name, style] of Object.entries(styles)) {
  const steps: number[] = [];
  losses[name] = steps;
  const compiled = engine.stats().compilations;
  const started = performance.now();
  for (let epoch = 1; epoch <= Number(values.epochs); epoch++) {
    const from = steps.length;
    await style.train((loss) => void steps.push(loss));
    const mean = steps.slice(from).reduce((sum, loss) => sum + loss, 0) / (steps.length - from);
    console.log(`${name.padEnd(10)} epoch ${epoch}: loss ${mean}`);
  }
  const training = engine.stats().compilations - compiled;
  const seconds = (performance.now() - started) / 1000;
  const { accuracy } = await style.test();
  console.log(
    `${name.padEnd(10)} test accuracy ${accuracy.toFixed(3)}, ${seconds.toFixed(1)} s, programs compiled in training: ${training}`,
  );
}
const same = losses.keras.every((loss, step) => loss === losses.torch[step] && loss === losses.tensorflow[step]);
console.log(`${losses.keras.length} losses, ${same ? "the same to the bit" : "not the same"} in all three styles`);
