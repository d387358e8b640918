/** What one door made in the hands of another. */
import { beforeAll, describe, expect, test } from "vitest";
import { copyWeights, engine, type Tensor, type Variable } from "../../src/index.ts";
import { Input, layers, optimizers, Sequential } from "../../src/keras/index.ts";
import * as tf from "../../src/tf/index.ts";
import { nn, optim, utils } from "../../src/torch/index.ts";
import { availableTargets } from "../targets.ts";
import { batchFor, convolutional, perceptron } from "./networks.ts";

const bits = (weights: readonly Tensor[]): number[][] => weights.map((weight) => [...weight.dataSync()]);

/** dense, normalisation, dense: in Keras and in PyTorch, with the same settings. */
function normalised(): { keras: Sequential; torch: nn.Sequential } {
  const keras = new Sequential([
    Input([12]),
    new layers.Dense(16, { activation: "relu" }),
    new layers.BatchNormalization({ momentum: 0.9, epsilon: 1e-5 }),
    new layers.Dense(4),
  ]);
  const torch = new nn.Sequential(
    new nn.Linear(12, 16),
    new nn.ReLU(),
    new nn.BatchNorm1d(16, { momentum: 0.1, eps: 1e-5 }),
    new nn.Linear(16, 4),
  );
  return { keras, torch };
}

/** PyTorch's usual loop over any network, with a DataLoader. */
function torchLoop(network: (x: Tensor) => Tensor, parameters: readonly Variable[], epochs: number): number[] {
  const [x, y] = batchFor(perceptron(), 0, 24);
  const loader = new utils.data.DataLoader(new utils.data.TensorDataset(x, y), { batchSize: 8 });
  const optimizer = new optim.SGD(parameters, { lr: 0.1, momentum: 0.9 });
  const criterion = new nn.CrossEntropyLoss();
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const [inputs, targets] of loader) {
      optimizer.zeroGrad();
      const output = network(inputs);
      const loss = criterion(output, targets);
      loss.backward();
      optimizer.step();
      expect(output.argmax(1).shape).toEqual([8]);
      losses.push(loss.item());
    }
  }
  return losses;
}

describe.each(availableTargets())("exchange between doors on %s", (target) => {
  beforeAll(() => engine.setTarget(target));

  test("weights move from PyTorch to Keras to TensorFlow and back: the same outputs, the same bits", () => {
    const network = convolutional();
    const [x] = batchFor(network, 3);
    const { keras, torch: net, tf: own } = network;
    const first = bits(net.parameters());
    copyWeights(net.parameters(), keras.weights, { to: "channelsLast" });
    copyWeights(keras.weights, own.weights);
    const expected = net(x).softmax(1).detach().toArray();
    expect(keras(x).toArray()).toEqual(expected);
    expect(tf.softmax(own.call(x)).toArray()).toEqual(expected);
    const other = convolutional().torch;
    copyWeights(own.weights, other.parameters(), { to: "channelsFirst" });
    expect(bits(other.parameters())).toEqual(first);
  });

  test("a Keras model with BatchNormalization under a PyTorch loop trains as the PyTorch module does", () => {
    const { keras, torch: net } = normalised();
    copyWeights(keras.trainableVariables, net.parameters(), { to: "channelsFirst" });
    const inKeras = torchLoop((x) => keras(x, { training: true }), keras.trainableVariables, 3);
    const { compilations } = engine.stats();
    const inTorch = torchLoop((x) => net(x), net.parameters(), 3);
    inTorch.forEach((loss, step) => expect(Math.abs(loss - inKeras[step])).toBeLessThan(2e-5));
    expect(inKeras[8]).toBeLessThan(inKeras[0]);
    // what compiles again is how the gradients are kept: PyTorch's weights show their axes in another order
    expect(engine.stats().compilations - compilations).toBeLessThanOrEqual(3);
    const norm = net.at(2) as nn.BatchNorm1d;
    const [mean, variance] = keras.nonTrainableWeights;
    const [torchMean, torchVariance] = [norm.running_mean, norm.running_var].map((each) => [
      ...(each as Variable).dataSync(),
    ]);
    // PyTorch's running variance is that of a sample, n / (n - 1) larger
    mean.dataSync().forEach((value, i) => expect(torchMean[i]).toBeCloseTo(value, 4));
    variance.dataSync().forEach((value, i) => {
      const share = 1 - 0.9 ** 9;
      expect(torchVariance[i]).toBeCloseTo(0.9 ** 9 + (value - 0.9 ** 9) * (8 / 7), 4 * share);
    });
  });

  test("a Keras model under a PyTorch loop goes on in fit, with the weights of the loop", async () => {
    const { keras: model } = normalised();
    torchLoop((x) => model(x, { training: true }), model.trainableVariables, 1);
    const weights = bits(model.trainableWeights);
    const statistics = bits(model.nonTrainableWeights);
    model.compile({ optimizer: new optimizers.SGD(0), loss: "mse" });
    const [x, y] = batchFor(perceptron(), 0, 24);
    const { history } = await model.fit(x, y, { verbose: 0, epochs: 2, shuffle: false });
    // with a rate of 0 the loss of the first epoch is that of the loop's weights, and only the statistics move
    expect(history.loss[0]).toBe(history.loss[1]);
    expect(bits(model.trainableWeights)).toEqual(weights);
    expect(bits(model.nonTrainableWeights)).not.toEqual(statistics);
  });

  test("a PyTorch module under Keras' fit learns, saves its state there and works in PyTorch afterwards", async () => {
    const { torch: net } = normalised();
    const model = new Sequential([Input([12]), new layers.TorchModuleWrapper(net), new layers.Activation("softmax")]);
    model.compile({ optimizer: new optimizers.Adam(0.02), loss: "categorical_crossentropy", metrics: ["accuracy"] });
    const [x, y] = batchFor(perceptron(), 0, 24);
    const statistics = bits([(net.at(2) as nn.BatchNorm1d).running_mean as Variable]);
    const { history } = await model.fit(x, y, { verbose: 0, epochs: 12, batchSize: 8, shuffle: false });
    expect(history.loss[11]).toBeLessThan(history.loss[0] * 0.8);
    const { compilations } = engine.stats();
    await model.fit(x, y, { verbose: 0, epochs: 2, batchSize: 8, shuffle: false });
    expect(engine.stats().compilations).toBe(compilations);
    expect(bits([(net.at(2) as nn.BatchNorm1d).running_mean as Variable])).not.toEqual(statistics);
    expect(net.training).toBe(true);
    net.eval();
    const own = net(x).softmax(1).dataSync();
    (await model.predict(x, { verbose: 0 })).dataSync().forEach((value, i) => expect(own[i]).toBeCloseTo(value, 5));
  });
});
