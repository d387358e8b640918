import { loadMnist } from "../src/data/index.ts";
import { UnsupportedError } from "../src/errors.ts";
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
} from "../src/tensor/index.ts";
import { hashGlorotUniform } from "../src/testing/hash-uniform.ts";
import { kerasFitStep, torchLoopStep } from "./door-workloads.ts";

/** One training step; gives the loss of its batch before the update. */
export type Step = () => number;

const learningRate = 0.01;
const kernelShapes = [
  [3, 3, 1, 32],
  [3, 3, 32, 64],
  [9216, 1024],
  [1024, 10],
] as const;

/** The seeds' network on the first images of MNIST, SGD, compiled as `fit` does it: the same weights and data as bench/peers/seeds_cnn.py. */
function seedsNetworkStep(batch: number): Step {
  const { train } = loadMnist();
  const pixels = Float32Array.from(train.images.subarray(0, batch * 784), (pixel) => Math.fround(pixel) / 255);
  const x = tensor(pixels, { shape: [batch, 28, 28, 1] });
  const y = oneHot(tensor(Int32Array.from(train.labels.subarray(0, batch))), 10);
  const parameters = kernelShapes.flatMap((shape, stream) => [
    new Variable(tensor(hashGlorotUniform(stream, shape), { shape })),
    new Variable(zeros([shape.at(-1)!])),
  ]);
  const [kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4] = parameters as [
    Variable,
    Variable,
    Variable,
    Variable,
    Variable,
    Variable,
    Variable,
    Variable,
  ];
  const network = (input: Tensor): Tensor => {
    const first = conv2d(input, kernel1).add(bias1).relu();
    const second = conv2d(first, kernel2).add(bias2).relu();
    const pooled = maxPool2d(second, 2).reshape([batch, 9216]);
    const hidden = matmul(pooled, kernel3).add(bias3).relu();
    return softmax(matmul(hidden, kernel4).add(bias4));
  };
  const trainStep = compile((images: Tensor, labels: Tensor) => {
    const loss = categoricalCrossentropy(labels, network(images)).mean();
    const slopes = gradients(loss, parameters) as Tensor[];
    const updates = parameters.map(
      (parameter, index) => [parameter, parameter.sub(slopes[index]!.mul(learningRate))] as const,
    );
    assignAll(updates);
    return loss;
  });
  return () => trainStep(x, y).item();
}

/** Builds a workload with the weights and data that the peers get. */
export function makeWorkload(name: string, batch: number): Step {
  if (name === "seeds-cnn") return seedsNetworkStep(batch);
  if (name === "seeds-cnn-keras") return kerasFitStep(batch);
  if (name === "seeds-cnn-torch") return torchLoopStep(batch, false);
  if (name === "seeds-cnn-torch-compiled") return torchLoopStep(batch, true);
  throw new UnsupportedError(`bench: no workload "${name}".`);
}
