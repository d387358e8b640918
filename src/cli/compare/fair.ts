/** One network in three styles, which examples/fair-mnist.ts has line for line. */
import { callbacks, layers, models, optimizers, type StepData } from "../../keras/index.ts";
import { gradients, type Tensor, type Variable } from "../../tensor/index.ts";
import * as tf from "../../tf/index.ts";
import * as torch from "../../torch/index.ts";
import { nn, optim } from "../../torch/index.ts";

/** What all three get. */
export interface Experiment {
  /** Images [count, 28, 28, 1] from 0 to 1, and classes as one-hot rows. */
  readonly x: Tensor;
  readonly y: Tensor;
  readonly xTest: Tensor;
  readonly yTest: Tensor;
  readonly batchSize: number;
  readonly learningRate: number;
}

/** The network in one style. */
export interface Style {
  readonly weights: readonly Variable[];
  /** One pass over the training images; `onStep` gets the loss of every batch. */
  train(onStep: (loss: number) => void | Promise<void>): Promise<void>;
  test(): Promise<{ loss: number; accuracy: number }>;
}

// #region fairKeras
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

// #region fairTorch
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

// #region fairTensorFlow
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

export { inKeras, inTensorFlow, inTorch };
