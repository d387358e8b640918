/** Accuracies: 1 or 0 for each example. */
import { ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import { type Tensor, takeAlongAxis } from "../tensor/index.ts";
import { alignRanks, asFloat, checkSameShape } from "./align.ts";

/** Whether target and prediction are equal. */
export function accuracy(target: Tensor, prediction: Tensor): Tensor {
  const [goal, output] = alignRanks(asFloat(target), asFloat(prediction));
  checkSameShape("accuracy", goal, output);
  return goal.eq(output).cast("f32");
}

/** Whether (prediction > threshold) equals the target. */
export function binaryAccuracy(target: Tensor, prediction: Tensor, threshold = 0.5): Tensor {
  const [goal, output] = alignRanks(asFloat(target), prediction);
  checkSameShape("binary_accuracy", goal, output);
  return goal.eq(output.gt(threshold).cast("f32")).cast("f32");
}

/** Whether the largest prediction stands where the largest target stands. */
export function categoricalAccuracy(target: Tensor, prediction: Tensor): Tensor {
  checkSameShape("categorical_accuracy", target, prediction);
  return target.argmax(-1).eq(prediction.argmax(-1)).cast("f32");
}

/** Class numbers of the predictions' shape without the last axis. */
function classNumbers(operation: string, target: Tensor, prediction: Tensor): Tensor {
  const squeezes = target.rank === prediction.rank && target.shape[target.rank - 1] === 1;
  const classes = (squeezes ? target.squeeze(-1) : target).cast("i32");
  if (formatShape(classes.shape) !== formatShape(prediction.shape.slice(0, -1))) {
    throw new ShapeError(
      `${operation}: targets have shape ${formatShape(target.shape)}, predictions ${formatShape(prediction.shape)}; ` +
        `expected class numbers of shape ${formatShape(prediction.shape.slice(0, -1))}.`,
    );
  }
  return classes;
}

/** Whether the largest prediction stands at the target class. */
export function sparseCategoricalAccuracy(target: Tensor, prediction: Tensor): Tensor {
  return classNumbers("sparse_categorical_accuracy", target, prediction).eq(prediction.argmax(-1)).cast("f32");
}

/** Whether fewer than k classes have a larger prediction than the target class (ties count as hits, as TensorFlow's `in_top_k`). */
function inTopK(classes: Tensor, prediction: Tensor, k: number): Tensor {
  const score = takeAlongAxis(prediction, classes.unsqueeze(-1), -1);
  return prediction.gt(score).cast("f32").sum(-1).lt(k).cast("f32");
}

export function topKCategoricalAccuracy(target: Tensor, prediction: Tensor, k = 5): Tensor {
  checkSameShape("top_k_categorical_accuracy", target, prediction);
  return inTopK(target.argmax(-1), prediction, k);
}

export function sparseTopKCategoricalAccuracy(target: Tensor, prediction: Tensor, k = 5): Tensor {
  return inTopK(classNumbers("sparse_top_k_categorical_accuracy", target, prediction), prediction, k);
}
