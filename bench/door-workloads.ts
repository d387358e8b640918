/** The seeds' network trained through the doors: what `fit` replays, the loop that PyTorch users write, and that loop compiled. */
import { loadMnist } from "../src/data/index.ts";
import * as keras from "../src/keras/index.ts";
import { evaluate, oneHot, type Tensor, tensor } from "../src/tensor/index.ts";
import * as torch from "../src/torch/index.ts";
import type { Loop, Step } from "./workloads.ts";

const { nn, optim } = torch;
const F = nn.functional;

function firstImages(batch: number): { readonly pixels: Float32Array; readonly labels: Int32Array } {
  const { train } = loadMnist();
  return {
    pixels: Float32Array.from(train.images.subarray(0, batch * 784), (pixel) => Math.fround(pixel) / 255),
    labels: Int32Array.from(train.labels.subarray(0, batch)),
  };
}

function kerasModel(): keras.Sequential {
  const model = new keras.Sequential();
  model.add(new keras.Conv2D(32, [3, 3], { inputShape: [28, 28, 1], activation: "relu" }));
  model.add(new keras.Conv2D(64, [3, 3], { activation: "relu" }));
  model.add(new keras.MaxPooling2D([2, 2]));
  model.add(new keras.Flatten());
  model.add(new keras.Dense(1024, { activation: "relu" }));
  model.add(new keras.Dense(10, { activation: "softmax" }));
  model.compile({ optimizer: "sgd", loss: "categorical_crossentropy" });
  return model;
}

/** `trainOnBatch` of the Keras door: the step that `fit` replays. */
export function kerasBatchStep(batch: number): Step {
  const { pixels, labels } = firstImages(batch);
  const model = kerasModel();
  const x = tensor(pixels, { shape: [batch, 28, 28, 1] });
  const y = oneHot(tensor(labels), 10);
  return () => {
    const [loss] = [model.trainOnBatch(x, y)].flat();
    return Number(loss);
  };
}

/** `fit` of the Keras door: batches are shuffled and gathered, losses averaged, epochs recorded. */
export function kerasFitLoop(batch: number): Loop {
  const { train } = loadMnist();
  const available = Math.floor(train.labels.length / batch);
  const model = kerasModel();
  const images = firstImages(available * batch);
  const x = tensor(images.pixels, { shape: [available * batch, 28, 28, 1] });
  const y = oneHot(tensor(images.labels), 10);
  evaluate(y);
  return async (steps) => {
    for (let left = steps; left > 0; left -= available) {
      const count = Math.min(left, available) * batch;
      await model.fit(x.slice([0], [count]), y.slice([0], [count]), { batchSize: batch, epochs: 1, verbose: 0 });
    }
  };
}

class Net extends nn.Module {
  conv1 = new nn.Conv2d(1, 32, 3);
  conv2 = new nn.Conv2d(32, 64, 3);
  fc1 = new nn.Linear(9216, 1024);
  fc2 = new nn.Linear(1024, 10);
  override forward(x: Tensor): Tensor {
    x = F.relu(this.conv1(x));
    x = F.relu(this.conv2(x));
    x = F.maxPool2d(x, 2);
    x = torch.flatten(x, 1);
    x = F.relu(this.fc1(x));
    return this.fc2(x);
  }
}

/** The usual loop; loss and predictions are read after the step. With `compiled` the same step through `torch.compile`. */
export function torchLoopStep(batch: number, compiled: boolean): Step {
  const { pixels, labels } = firstImages(batch);
  const net = new Net();
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.01 });
  const criterion = new nn.CrossEntropyLoss();
  const data = torch.tensor(pixels, { shape: [batch, 1, 28, 28] });
  const target = torch.tensor(labels);
  const train = (images: Tensor, classes: Tensor): { readonly output: Tensor; readonly loss: Tensor } => {
    optimizer.zeroGrad();
    const output = net(images);
    const loss = criterion(output, classes);
    loss.backward();
    optimizer.step();
    return { output, loss };
  };
  const step = compiled ? torch.compile(train) : train;
  return () => {
    const { output, loss } = step(data, target);
    output.argmax(1).dataSync();
    return loss.item();
  };
}
