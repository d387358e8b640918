/** One network through three doors: the same loss and gradients to the bit, the same weights after training, one compiled program. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  copyWeights,
  engine,
  evaluate,
  gradients,
  type Tensor,
  tensor,
  toChannelsLastWeight,
  type Variable,
} from "../../src/index.ts";
import { losses as kerasLosses, optimizers, type Sequential } from "../../src/keras/index.ts";
import { assertClose } from "../../src/testing/allclose.ts";
import * as tf from "../../src/tf/index.ts";
import * as torch from "../../src/torch/index.ts";
import { nn, optim } from "../../src/torch/index.ts";
import { availableTargets } from "../targets.ts";
import { batchFor, convolutional, type InThreeStyles, type KerasOutputs, perceptron } from "./networks.ts";

/** Values that are computed together. */
function numbers(values: readonly (Tensor | undefined)[]): number[][] {
  evaluate(...(values as readonly Tensor[]));
  return values.map((value) => [...(value as Tensor).dataSync()]);
}

/** All three get the weights of the TensorFlow style. */
function shareWeights({ keras, torch: net, tf: { weights } }: InThreeStyles): void {
  copyWeights(weights, keras.weights);
  copyWeights(weights, net.parameters(), { to: "channelsFirst" });
}

/** Loss and gradients in each style; PyTorch's gradients in the form of the others. */
function kerasGradients(model: Sequential, x: Tensor, y: Tensor): number[][] {
  const loss = new kerasLosses.CategoricalCrossentropy()(y, model(x, { training: true }));
  return numbers([loss, ...gradients(loss, model.trainableVariables)]);
}
function torchGradients(net: nn.Module, x: Tensor, y: Tensor): number[][] {
  net.zeroGrad();
  const loss = new nn.CrossEntropyLoss()(net(x), y);
  loss.backward();
  return numbers([loss, ...net.parameters().map(({ grad }) => toChannelsLastWeight(grad as Tensor))]);
}
function tfGradients({ weights, call }: InThreeStyles["tf"], x: Tensor, y: Tensor): number[][] {
  const tape = new tf.GradientTape();
  const loss = tape.run(() => tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: y, logits: call(x) })));
  return numbers([loss, ...tape.gradient(loss, weights)]);
}

/** Training steps that return the loss, compiled as each style compiles them. */
function kerasStep(model: Sequential, rate: number): (x: Tensor, y: Tensor) => Promise<number> {
  model.compile({ optimizer: new optimizers.SGD(rate), loss: "categorical_crossentropy" });
  return async (x, y) => {
    const { history } = await model.fit(x, y, { verbose: 0, shuffle: false, batchSize: x.shape[0] });
    return history.loss[0];
  };
}
function torchStep(net: nn.Module, rate: number): (x: Tensor, y: Tensor) => number {
  const optimizer = new optim.SGD(net.parameters(), { lr: rate });
  const criterion = new nn.CrossEntropyLoss();
  const step = torch.compile((x: Tensor, y: Tensor) => {
    optimizer.zeroGrad();
    const loss = criterion(net(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  });
  return (x, y) => step(x, y).item();
}
function tfStep({ weights, call }: InThreeStyles["tf"], rate: number): (x: Tensor, y: Tensor) => number {
  const optimizer = new tf.optimizers.SGD(rate);
  const step = tf.function((x: tf.Tensor, y: tf.Tensor) => {
    const tape = new tf.GradientTape();
    const loss = tape.run(() => tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: y, logits: call(x) })));
    const slopes = tape.gradient(loss, weights);
    optimizer.applyGradients(weights.map((weight, i) => [slopes[i], weight]));
    return loss;
  });
  return (x, y) => step(x, y).item();
}

/** The programs that were compiled meanwhile. */
function compilationsOf(work: () => void): number {
  const before = engine.stats().compilations;
  work();
  return engine.stats().compilations - before;
}

/** How a door's users ask for the loss and its gradients. */
const askers: Record<string, (network: InThreeStyles, x: Tensor, y: Tensor) => [loss: Tensor, gradients: Tensor[]]> = {
  "a tape over Keras' layers": ({ keras }, x, y) => {
    const tape = new tf.GradientTape();
    const loss = tape.run(() => new kerasLosses.CategoricalCrossentropy()(y, keras(x, { training: true })));
    return [loss, tape.gradient(loss, keras.trainableVariables, { unconnectedGradients: "zero" }) as Tensor[]];
  },
  "loss.backward()": ({ torch: net }, x, y) => {
    net.zeroGrad();
    const loss = new nn.CrossEntropyLoss()(net(x), y);
    loss.backward();
    return [loss, net.parameters().map(({ grad }) => grad as Tensor)];
  },
  "autograd.grad": ({ torch: net }, x, y) => {
    const loss = new nn.CrossEntropyLoss()(net(x), y);
    return [loss, torch.autograd.grad(loss, net.parameters())];
  },
  "a tape over TensorFlow functions": ({ tf: { weights, call } }, x, y) => {
    const tape = new tf.GradientTape();
    const loss = tape.run(() => tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: y, logits: call(x) })));
    return [loss, tape.gradient(loss, weights, { unconnectedGradients: "zero" }) as Tensor[]];
  },
  variableGrads: ({ tf: { weights, call } }, x, y) => {
    const { value, grads } = tf.variableGrads(
      () => tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: y, logits: call(x) })),
      weights,
    );
    return [value, Object.values(grads)];
  },
};

/** Ways to read them: which comes first, together or one by one. */
const readers: Record<string, (loss: Tensor, gradients: readonly Tensor[]) => void> = {
  "the loss first": (loss, slopes) => {
    loss.item();
    for (const slope of slopes) slope.dataSync();
  },
  "a gradient first": (loss, slopes) => {
    for (const slope of [...slopes].reverse()) slope.toArray();
    loss.item();
  },
  together: (loss, slopes) => evaluate(loss, ...slopes),
};

describe.each(availableTargets())("one network in three styles on %s", (target) => {
  beforeAll(() => engine.setTarget(target));

  for (const [name, make, known] of [
    ["perceptron", perceptron],
    ["convolutional network with global pooling", () => convolutional()],
    // the same program as before: not even the first style compiles anything
    ["convolutional network with adaptive pooling to one position", () => convolutional("adaptivePooling"), true],
  ] as const) {
    test(`${name}: the same loss and gradients to the bit`, () => {
      const network = make();
      shareWeights(network);
      const [x, y] = batchFor(network, 0);
      const keras = kerasGradients(network.keras, x, y);
      expect(keras[0][0]).toBeGreaterThan(0.5);
      expect(torchGradients(network.torch, x, y)).toEqual(keras);
      expect(tfGradients(network.tf, x, y)).toEqual(keras);
    });

    test(`${name}: training steps are one compiled program, and end with the same weights`, async () => {
      const network = make();
      shareWeights(network);
      const steps = {
        keras: kerasStep(network.keras, 0.1),
        torch: torchStep(network.torch, 0.1),
        tf: tfStep(network.tf, 0.1),
      };
      const losses: Record<string, number[]> = {};
      const compilations: Record<string, number> = {};
      for (const [style, step] of Object.entries(steps)) {
        const before = engine.stats().compilations;
        losses[style] = [];
        for (let i = 0; i < 4; i++) losses[style].push(await step(...batchFor(network, i)));
        compilations[style] = engine.stats().compilations - before;
      }
      expect(losses.torch).toEqual(losses.keras);
      expect(losses.tf).toEqual(losses.keras);
      expect(compilations.keras === 0).toBe(known === true);
      expect({ torch: compilations.torch, tf: compilations.tf }).toEqual({ torch: 0, tf: 0 });
      const weights = numbers(network.keras.weights);
      expect(numbers(network.torch.parameters().map(toChannelsLastWeight))).toEqual(weights);
      expect(numbers(network.tf.weights)).toEqual(weights);
    });
  }

  for (const [name, make] of [
    ["perceptron", perceptron],
    ["convolutional network", (outputs: KerasOutputs = "softmax") => convolutional("mean", outputs)],
  ] as const) {
    test(`${name}: loss and gradients are one program, whoever asks for them and in whatever order they are read`, () => {
      const network = make();
      shareWeights(network);
      const [x, y] = batchFor(network, 0);
      engine.setTarget(target);
      let compilations = 0;
      let expected: number[][] | undefined;
      for (const [asker, ask] of Object.entries(askers)) {
        for (const [reader, read] of Object.entries(readers)) {
          const where = `${asker}, ${reader}`;
          compilations += compilationsOf(() => {
            const [loss, slopes] = ask(network, x, y);
            read(loss, slopes);
            const inOneLayout = network.torch
              .parameters()
              .some(({ shape }, i) => shape.join() !== slopes[i].shape.join())
              ? slopes
              : slopes.map(toChannelsLastWeight);
            const values = [loss, ...inOneLayout].map((each) => [...each.dataSync()]);
            expected ??= values;
            expect(values, where).toEqual(expected);
          });
          expect(compilations, where).toBe(1);
        }
      }
    });

    test(`${name}: loops that take steps without compile are one program`, () => {
      const network = make("linear");
      shareWeights(network);
      const { keras: model, torch: net, tf: own } = network;
      const ofTorch = new optim.SGD(net.parameters(), { lr: 0.1 });
      const ofKeras = new optimizers.SGD(0.1);
      const ofTensorFlow = new tf.optimizers.SGD(0.1);
      const criterion = new kerasLosses.CategoricalCrossentropy({ fromLogits: true });
      const tapeStep = (optimizer: optimizers.SGD, weights: readonly Variable[], forward: () => Tensor): Tensor => {
        const tape = new tf.GradientTape();
        const loss = tape.run(forward);
        const slopes = tape.gradient(loss, weights) as Tensor[];
        optimizer.applyGradients(weights.map((weight, i) => [slopes[i], weight]));
        return loss;
      };
      const loops: Record<string, (x: Tensor, y: Tensor) => Tensor> = {
        torch: (x, y) => {
          ofTorch.zeroGrad();
          const loss = new nn.CrossEntropyLoss()(net(x), y);
          loss.backward();
          ofTorch.step();
          return loss;
        },
        keras: (x, y) => tapeStep(ofKeras, model.trainableVariables, () => criterion(y, model(x, { training: true }))),
        tf: (x, y) =>
          tapeStep(ofTensorFlow, own.weights, () =>
            tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: y, logits: own.call(x) })),
          ),
      };
      engine.setTarget(target);
      const compilations: Record<string, number> = {};
      const losses: Record<string, number[]> = {};
      for (const [style, step] of Object.entries(loops)) {
        losses[style] = [];
        compilations[style] = compilationsOf(() => {
          for (let i = 0; i < 3; i++) losses[style].push(step(...batchFor(network, i)).item());
        });
      }
      expect(losses.torch[2]).not.toBe(losses.torch[0]);
      expect(losses).toEqual({ torch: losses.torch, keras: losses.torch, tf: losses.torch });
      expect(compilations).toEqual({ torch: compilations.torch, keras: 0, tf: 0 });
      expect(compilations.torch).toBeLessThanOrEqual(2);
    });
  }

  test("class numbers as targets: the same loss and gradients to the bit", () => {
    const network = convolutional();
    shareWeights(network);
    const { keras: model, torch: net, tf: own } = network;
    const [x, oneHot] = batchFor(network, 2);
    const labels = oneHot.argmax(1);
    const kerasLoss = new kerasLosses.SparseCategoricalCrossentropy()(labels, model(x, { training: true }));
    const expected = numbers([kerasLoss, ...gradients(kerasLoss, model.trainableVariables)]);
    expect(torchGradients(net, x, labels)).toEqual(expected);
    const tape = new tf.GradientTape();
    const loss = tape.run(() =>
      tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits: own.call(x) })),
    );
    expect(numbers([loss, ...tape.gradient(loss, own.weights)])).toEqual(expected);
  });

  test("flattened feature maps lie in another order: the same loss and gradients within rounding", () => {
    const network = convolutional();
    const [x, y] = batchFor(network, 1);
    const [w1, b1, , , , b3] = network.tf.weights;
    const dense = tensor(
      Float32Array.from({ length: 800 }, (_, i) => 0.1 * Math.sin(i)),
      { shape: [200, 4] },
    );
    // rows of the dense kernel: (height, width, channel) in Keras, (channel, height, width) in PyTorch
    const firstRows = dense.reshape([5, 5, 8, 4]).permute([2, 0, 1, 3]).reshape([200, 4]);

    class TorchNet extends nn.Module {
      conv = new nn.Conv2d(2, 8, 3);
      output = new nn.Linear(200, 4);
      override forward(input: Tensor): Tensor {
        const maps = nn.functional.maxPool2d(this.conv(input.permute(0, 3, 1, 2)).relu(), 2);
        return this.output(maps.flatten(1));
      }
    }
    const net = new TorchNet();
    copyWeights([w1, b1, firstRows, b3], net.parameters(), { to: "channelsFirst" });
    const weights = [w1, b1, new tf.Variable(dense), b3];
    const call = (input: Tensor): Tensor => {
      const maps = tf.nn.relu(
        tf.nn.biasAdd(tf.nn.conv2d(input, weights[0], { strides: 1, padding: "VALID" }), weights[1]),
      );
      const pooled = tf.nn.maxPool2d(maps, { ksize: 2, strides: 2, padding: "VALID" });
      return tf.add(tf.matmul(tf.reshape(pooled, [-1, 200]), weights[2]), weights[3]);
    };
    const [loss, ...slopes] = tfGradients({ weights, call }, x, y);
    const [torchLoss, ...torchSlopes] = torchGradients(net, x, y);
    slopes[2] = [...tensor(slopes[2]).reshape([5, 5, 8, 4]).permute([2, 0, 1, 3]).dataSync()];
    const tolerance = { relative: 1e-5, absolute: 1e-6 };
    assertClose(torchLoss, loss, tolerance);
    slopes.forEach((slope, index) => assertClose(torchSlopes[index], slope, tolerance));
  });
});
