/**
 * Weights between the two layouts of the doors. Keras and TensorFlow keep the filters of a layer on the last axis, PyTorch on the first:
 *
 * | layer | channels last (Keras, TensorFlow) | channels first (PyTorch) |
 * | --- | --- | --- |
 * | dense | [in, out] | [out, in] |
 * | convolution of sequences | [length, in, out] | [out, in, length] |
 * | convolution of images | [height, width, in, out] | [out, in, height, width] |
 * | transposed convolution of images | [height, width, out, in] | [in, out, height, width] |
 * | bias, scale, running statistics | [n] | [n] |
 */
import { ShapeError } from "../errors.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { assignAll, type Tensor, type Variable } from "../tensor/index.ts";

/**
 * A weight of the Keras or TensorFlow door as the PyTorch door holds it: the last two axes come first, in reverse. Vectors stay. Tables of embeddings are alike
 * in both and are not to be converted.
 *
 * @example
 * ```ts
 * toChannelsFirstWeight(zeros([3, 3, 16, 32])).shape; // [32, 16, 3, 3]
 * toChannelsFirstWeight(zeros([784, 10])).shape; // [10, 784]
 * ```
 */
export function toChannelsFirstWeight(weight: Tensor): Tensor {
  const { rank } = weight;
  if (rank < 2) return weight;
  const window = Array.from({ length: rank - 2 }, (_, axis) => axis);
  return weight.permute([rank - 1, rank - 2, ...window]);
}

/** The way back: a weight of the PyTorch door as the Keras and TensorFlow doors hold it. */
export function toChannelsLastWeight(weight: Tensor): Tensor {
  const { rank } = weight;
  if (rank < 2) return weight;
  const window = Array.from({ length: rank - 2 }, (_, axis) => axis + 2);
  return weight.permute([...window, 1, 0]);
}

/** From which layout `copyWeights` converts, and to which. Default: none, between models of one kind. */
export interface CopyWeightsOptions {
  readonly to?: "channelsFirst" | "channelsLast";
}

/**
 * Gives variables the values of others, one to one in order: the weights of a Keras model to a PyTorch module (`to: "channelsFirst"`), or the other way round
 * (`to: "channelsLast"`). Both list a layer's kernel before its bias, so the lists fit where the layers do. Everything is checked first; on an error nothing changes.
 * @throws ShapeError that names the first pair that does not fit.
 *
 * @example
 * ```ts
 * import { nn } from "trivium/torch";
 * const model = new Sequential([Input([4]), new Dense(2)]);
 * const net = new nn.Linear(4, 2);
 * copyWeights(model.weights, net.parameters(), { to: "channelsFirst" }); // Keras → PyTorch
 * copyWeights(net.parameters(), model.weights, { to: "channelsLast" }); // PyTorch → Keras
 * ```
 */
export function copyWeights(
  source: readonly Tensor[],
  target: readonly Variable[],
  options: CopyWeightsOptions = {},
): void {
  if (source.length !== target.length) {
    throw new ShapeError(
      `copyWeights: ${source.length} weights for ${target.length} variables; the models must list the same layers.`,
    );
  }
  const convert = { channelsFirst: toChannelsFirstWeight, channelsLast: toChannelsLastWeight };
  const assignments = target.map((variable, index) => {
    const value = options.to ? convert[options.to](source[index]) : source[index];
    if (!sameShape(value.shape, variable.shape)) {
      const converted = options.to ? `, converted ${formatShape(value.shape)}` : "";
      throw new ShapeError(
        `copyWeights: weight ${index} has shape ${formatShape(source[index].shape)}${converted}; ` +
          `${variable.name} needs ${formatShape(variable.shape)}.`,
      );
    }
    return [variable, value] as const;
  });
  assignAll(assignments);
}
