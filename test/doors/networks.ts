/** The same small networks in three styles, over channels-last images. */
import { gradients, type Tensor, tensor } from "../../src/index.ts";
import { layers, Sequential, type StepData } from "../../src/keras/index.ts";
import { hashLabels, hashUniform } from "../../src/testing/hash-uniform.ts";
import * as tf from "../../src/tf/index.ts";
import { nn } from "../../src/torch/index.ts";

const F = nn.functional;
const product = (shape: readonly number[]): number => shape.reduce((all, extent) => all * extent, 1);

/** A model whose step gives nothing but the loss, as the loops of the other styles. */
export class LossOnly extends Sequential {
  override trainStep([x, y]: StepData<Tensor>) {
    const loss = this.computeLoss(x, y, this.call(x, { training: true }));
    this.optimizer.apply(gradients(loss, this.trainableVariables), this.trainableVariables);
    return { loss };
  }
}

/** A network in each style; weights of Keras and TensorFlow have one form, those of PyTorch the other. */
export interface InThreeStyles {
  readonly inputShape: readonly number[];
  readonly classes: number;
  readonly keras: LossOnly;
  readonly torch: nn.Module;
  readonly tf: { readonly weights: tf.Variable[]; readonly call: (x: tf.Tensor) => tf.Tensor };
}

function variables(shapes: readonly (readonly number[])[]): tf.Variable[] {
  return shapes.map((shape, index) => {
    const limit = shape.length === 1 ? 0.1 : Math.sqrt(3 / product(shape.slice(0, -1)));
    return new tf.Variable(tensor(hashUniform(60 + index, product(shape), -limit, limit), { shape }));
  });
}

/** Whether the Keras model gives probabilities, as its users write it, or what the other two give. */
export type KerasOutputs = "softmax" | "linear";

/** 12 -> 16 -> 4. */
export function perceptron(outputs: KerasOutputs = "softmax"): InThreeStyles {
  class TorchNet extends nn.Module {
    hidden = new nn.Linear(12, 16);
    output = new nn.Linear(16, 4);
    override forward(x: Tensor): Tensor {
      return this.output(F.relu(this.hidden(x)));
    }
  }
  const weights = variables([[12, 16], [16], [16, 4], [4]]);
  const [w1, b1, w2, b2] = weights;
  return {
    inputShape: [12],
    classes: 4,
    keras: new LossOnly([
      new layers.Dense(16, { activation: "relu", inputShape: [12] }),
      new layers.Dense(4, { activation: outputs }),
    ]),
    torch: new TorchNet(),
    tf: { weights, call: (x) => tf.add(tf.matmul(tf.nn.relu(tf.add(tf.matmul(x, w1), b1)), w2), b2) },
  };
}

/** How the mean over an image is written in PyTorch. */
const globalMeans = {
  mean: (x: Tensor): Tensor => x.mean([2, 3]),
  adaptivePooling: (x: Tensor): Tensor => F.adaptiveAvgPool2d(x, 1).flatten(1),
} as const;

/** Two convolutions, the first with pooling behind it, and global average pooling. */
export function convolutional(
  globalMean: keyof typeof globalMeans = "mean",
  outputs: KerasOutputs = "softmax",
): InThreeStyles {
  class TorchNet extends nn.Module {
    conv1 = new nn.Conv2d(2, 8, 3);
    conv2 = new nn.Conv2d(8, 16, 3);
    output = new nn.Linear(16, 4);
    override forward(x: Tensor): Tensor {
      x = x.permute(0, 3, 1, 2);
      x = F.maxPool2d(F.relu(this.conv1(x)), 2);
      x = F.relu(this.conv2(x));
      return this.output(globalMeans[globalMean](x));
    }
  }
  const weights = variables([[3, 3, 2, 8], [8], [3, 3, 8, 16], [16], [16, 4], [4]]);
  const [w1, b1, w2, b2, w3, b3] = weights;
  const conv = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor): tf.Tensor =>
    tf.nn.relu(tf.nn.biasAdd(tf.nn.conv2d(x, w, { strides: 1, padding: "VALID" }), b));
  return {
    inputShape: [12, 12, 2],
    classes: 4,
    keras: new LossOnly([
      new layers.Conv2D(8, [3, 3], { activation: "relu", inputShape: [12, 12, 2] }),
      new layers.MaxPooling2D([2, 2]),
      new layers.Conv2D(16, [3, 3], { activation: "relu" }),
      new layers.GlobalAveragePooling2D(),
      new layers.Dense(4, { activation: outputs }),
    ]),
    torch: new TorchNet(),
    tf: {
      weights,
      call: (x) => {
        const pooled = tf.nn.maxPool2d(conv(x, w1, b1), { ksize: 2, strides: 2, padding: "VALID" });
        return tf.add(tf.matmul(tf.reduceMean(conv(pooled, w2, b2), [1, 2]), w3), b3);
      },
    },
  };
}

/** A batch of inputs with one-hot targets. */
export function batchFor({ inputShape, classes }: InThreeStyles, step: number, rows = 6): [x: Tensor, y: Tensor] {
  const shape = [rows, ...inputShape];
  const labels = hashLabels(30 + step, rows, classes);
  const oneHot = new Float32Array(rows * classes);
  labels.forEach((label, row) => {
    oneHot[row * classes + label] = 1;
  });
  return [tensor(hashUniform(10 + step, product(shape)), { shape }), tensor(oneHot, { shape: [rows, classes] })];
}
