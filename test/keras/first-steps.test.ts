/** The seeds' network against Keras: the first ten steps from the same weights on the same batches, and every gradient of the first. */
import { expect, test } from "vitest";
import { loadMnist } from "../../src/data/index.ts";
import { Conv2D, Dense, Flatten, MaxPooling2D, Sequential, SGD, toCategorical } from "../../src/keras/index.ts";
import { CategoricalCrossentropy } from "../../src/keras/losses.ts";
import { gradients, tensor } from "../../src/tensor/index.ts";
import { digestOf, hashGlorotUniform } from "../../src/testing/hash-uniform.ts";
import goldens from "../goldens/keras-mnist-first-steps.json" with { type: "json" };

interface Digest {
  readonly sum: number;
  readonly norm: number;
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/** Elements, sum and norm of a tensor agree, relative to its size: rounding of a long sum is relative to its terms. */
function expectDigest(actual: Float32Array, golden: Digest, tolerance: number, name: string) {
  const { sum, norm, values } = digestOf(actual, golden.indices);
  expect(Math.abs(norm - golden.norm) / golden.norm || 0, `norm of ${name}`).toBeLessThan(tolerance);
  expect(Math.abs(sum - golden.sum), `sum of ${name}`).toBeLessThanOrEqual(
    tolerance * (golden.norm * Math.sqrt(actual.length)),
  );
  const typical = golden.norm / Math.sqrt(actual.length);
  values.forEach((value, index) => {
    const expected = golden.values[index]!;
    expect(Math.abs(value - expected), `${name} at ${golden.indices[index]}`).toBeLessThanOrEqual(
      tolerance * Math.max(typical, Math.abs(expected)) * 4,
    );
  });
}

function network(): Sequential {
  const model = new Sequential();
  model.add(new Conv2D(32, [3, 3], { inputShape: [28, 28, 1], activation: "relu" }));
  model.add(new Conv2D(64, [3, 3], { activation: "relu" }));
  model.add(new MaxPooling2D([2, 2]));
  model.add(new Flatten());
  model.add(new Dense(1024, { activation: "relu" }));
  model.add(new Dense(10, { activation: "softmax" }));
  let stream = 0;
  model.setWeights(
    model.weights.map(({ shape }) =>
      tensor(shape.length === 1 ? new Float32Array(shape[0]!) : hashGlorotUniform(stream++, shape), { shape }),
    ),
  );
  return model;
}

const { batch, learningRate } = goldens;
const { train } = loadMnist();
const batchAt = (step: number) => {
  const pixels = Float32Array.from(train.images.subarray(step * batch * 784, (step + 1) * batch * 784));
  const labels = tensor(Int32Array.from(train.labels.subarray(step * batch, (step + 1) * batch)));
  return { x: tensor(pixels, { shape: [batch, 28, 28, 1] }).div(255), y: toCategorical(labels, 10) };
};
const values = (weights: readonly { dataSync(): unknown }[]) =>
  weights.map((weight) => weight.dataSync() as Float32Array);

test("initial weights come from the formula", () => {
  values(network().getWeights()).forEach((weight, index) => {
    expectDigest(weight, goldens.initialWeights[index]!, 1e-6, goldens.variables[index]!);
  });
});

test("gradients of every layer in the first step", () => {
  const model = network();
  const { x, y } = batchAt(0);
  const output = model(x, { training: true });
  const loss = new CategoricalCrossentropy().call(y, output).mean();
  const slopes = gradients(loss, model.trainableWeights).map((slope) => slope!.dataSync() as Float32Array);
  expectDigest(output.dataSync() as Float32Array, goldens.firstOutput, 1e-5, "output");
  slopes.forEach((slope, index) => {
    expectDigest(slope, goldens.firstGradients[index]!, 1e-4, goldens.variables[index]!);
  });
});

test("losses of the first ten steps, and the weights after them", async () => {
  const model = network();
  model.compile({ optimizer: new SGD({ learningRate }), loss: "categorical_crossentropy", metrics: ["accuracy"] });
  for (const [step, expected] of goldens.losses.entries()) {
    const { x, y } = batchAt(step);
    model.resetMetrics();
    const [loss, accuracy] = await model.trainOnBatch(x, y);
    expect(Math.abs(loss! - expected) / expected, `loss of step ${step}`).toBeLessThan(1e-4);
    expect(accuracy).toBeCloseTo(goldens.accuracies[step]!, 6);
  }
  values(model.getWeights()).forEach((weight, index) => {
    expectDigest(weight, goldens.weightsAfterTenSteps[index]!, 1e-4, goldens.variables[index]!);
  });
});
