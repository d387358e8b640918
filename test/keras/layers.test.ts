import { beforeAll, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { collectUpdates } from "../../src/nn/updates.ts";
import { assignAll, gradients, tensor } from "../../src/tensor/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import {
  type Arguments,
  expectClose,
  type GeneratedTensor,
  generated,
  label,
  readGolden,
  type StoredTensor,
  split,
  stored,
  useFastTarget,
} from "./golden.ts";

interface LayerCase {
  readonly layer: string;
  readonly arguments: Arguments;
  readonly training: boolean;
  readonly x: GeneratedTensor;
  readonly weights: readonly (GeneratedTensor & { name: string; trainable: boolean })[];
  readonly outputSeed: GeneratedTensor;
  readonly y: StoredTensor;
  readonly gradients: readonly StoredTensor[];
  readonly weightsAfter: readonly StoredTensor[];
}
interface ActivationCase {
  readonly activation: keras.activations.ActivationName;
  readonly x: StoredTensor;
  readonly outputSeedStream: number;
  readonly y: StoredTensor;
  readonly gradient: StoredTensor;
}

const positional: Readonly<Record<string, readonly string[]>> = {
  Conv2D: ["filters", "kernelSize"],
  DepthwiseConv2D: ["kernelSize"],
  Dense: ["units"],
  Reshape: ["targetShape"],
  Activation: ["activation"],
  Dropout: ["rate"],
};
const golden = readGolden<{ layers: LayerCase[]; activations: ActivationCase[] }>("layers");
const classes = keras.layers as unknown as Record<string, new (...args: unknown[]) => keras.layers.Layer>;

beforeAll(useFastTarget);

describe("layers give Keras' outputs, gradients and running statistics", () => {
  test.each(
    golden.layers.map(
      (entry) => [label(entry.layer, entry.arguments, entry.training ? " training" : ""), entry] as const,
    ),
  )("%s", (_, entry) => {
    const layer = new classes[entry.layer](...split(positional[entry.layer] ?? [], entry.arguments));
    const x = generated(entry.x);
    x.requiresGrad = true;
    layer.buildFor([null, ...x.shape.slice(1)]);
    expect(layer.weights.map(({ name, trainable }) => [name.split("/")[1], trainable])).toEqual(
      entry.weights.map(({ name, trainable }) => [name, trainable]),
    );
    layer.setWeights(entry.weights.map(generated));
    const { result: y, updates } = collectUpdates(() => layer(x, { training: entry.training }));
    expect(y.shape).toEqual(entry.y.shape);
    expect(layer.computeOutputShape(x.shape)).toEqual(entry.y.shape);
    const objective = y.mul(generated(entry.outputSeed)).sum();
    const slopes = gradients(objective, [x, ...layer.trainableWeights]);
    assignAll(updates, { compute: [y, ...slopes.map((slope) => slope as NonNullable<typeof slope>)] });
    expectClose(y, entry.y.data, "output");
    slopes.forEach((slope, index) => {
      expectClose(slope as NonNullable<typeof slope>, entry.gradients[index].data, `gradient ${index}`, {
        relative: 2e-5,
        absolute: 5e-6,
      });
    });
    layer.nonTrainableWeights.forEach((weight, index) => {
      expectClose(weight, entry.weightsAfter[index].data, weight.name);
    });
  });
});

describe("activations give Keras' values and slopes", () => {
  test.each(golden.activations.map((entry) => [entry.activation, entry] as const))("%s", (name, entry) => {
    const x = stored(entry.x);
    x.requiresGrad = true;
    const y = keras.activations.get(name)(x);
    const seed = tensor(hashUniform(entry.outputSeedStream, x.size), { shape: x.shape });
    const [slope] = gradients(y.mul(seed).sum(), [x]);
    expectClose(y, entry.y.data, "output");
    expectClose(slope as NonNullable<typeof slope>, entry.gradient.data, "gradient");
  });
});
