import { loadMnist } from "../../src/data/index.ts";
import {
  assignAll,
  categoricalCrossentropy,
  compile,
  conv2d,
  gradients,
  matmul,
  maxPool2d,
  oneHot,
  softmax,
  type Tensor,
  tensor,
  Variable,
  zeros,
} from "../../src/tensor/index.ts";
import { hashGlorotUniform } from "../../src/testing/hash-uniform.ts";
import type { Step } from "./step.ts";

const learningRate = 0.01;
const kernelShapes = [
  [3, 3, 1, 32],
  [3, 3, 32, 64],
  [9216, 1024],
  [1024, 10],
] as const;

function makeParameters(): Variable[] {
  return kernelShapes.flatMap((shape, stream) => [
    new Variable(tensor(hashGlorotUniform(stream, shape), { shape })),
    new Variable(zeros([shape.at(-1)!])),
  ]);
}

function logits(input: Tensor, parameters: readonly Variable[]): Tensor {
  const [kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4] = parameters;
  const first = conv2d(input, kernel1!).add(bias1!).relu();
  const second = conv2d(first, kernel2!).add(bias2!).relu();
  const pooled = maxPool2d(second, 2).reshape([input.shape[0]!, 9216]);
  const hidden = matmul(pooled, kernel3!).add(bias3!).relu();
  return matmul(hidden, kernel4!).add(bias4!);
}

function firstImages(batch: number): { readonly images: Tensor; readonly labels: Tensor } {
  const { train } = loadMnist();
  const pixels = Float32Array.from(train.images.subarray(0, batch * 784), (pixel) => Math.fround(pixel) / 255);
  const labels = tensor(Int32Array.from(train.labels.subarray(0, batch)));
  return { images: tensor(pixels, { shape: [batch, 28, 28, 1] }), labels: oneHot(labels, 10) };
}

/** The seeds' network on the first images of MNIST, SGD, compiled as `fit` does it. */
export function seedsTrainingStep(batch: number): Step {
  const { images, labels } = firstImages(batch);
  const parameters = makeParameters();
  const trainStep = compile((x: Tensor, y: Tensor) => {
    const loss = categoricalCrossentropy(y, softmax(logits(x, parameters))).mean();
    const slopes = gradients(loss, parameters) as Tensor[];
    const updates = parameters.map(
      (parameter, index) => [parameter, parameter.sub(slopes[index]!.mul(learningRate))] as const,
    );
    assignAll(updates);
    return loss;
  });
  return () => trainStep(images, labels).item();
}

/** The same network's logits. */
export function seedsInferenceStep(batch: number): Step {
  const { images } = firstImages(batch);
  const parameters = makeParameters();
  const forward = compile((x: Tensor) => logits(x, parameters));
  return () => forward(images).dataSync() as Float32Array;
}
