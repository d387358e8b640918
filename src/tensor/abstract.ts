/** Running functions over tensors that have a type and no value. */
import { defaultEngine } from "../engine/default-engine.ts";
import { withGradMode } from "../graph/grad-mode.ts";
import { Node, type TensorType } from "../graph/node.ts";
import { getRandomState, setRandomState } from "./random.ts";
import { Tensor } from "./tensor.ts";
import type { Variable } from "./variable.ts";

/** A tensor of a type that never has a value. */
export function abstractTensor(type: TensorType): Tensor {
  return new Tensor(new Node(undefined, [], {}, type, { leaf: { kind: "placeholder", index: 0 } }));
}

/** Runs a synchronous callback for the types of what it returns: nothing is computed and no random number is used up. */
export function abstractly<T>(callback: () => T): T {
  const { tracing } = defaultEngine;
  const random = getRandomState();
  defaultEngine.tracing = true;
  try {
    return withGradMode(false, callback);
  } finally {
    defaultEngine.tracing = tracing;
    setRandomState(random);
  }
}

/** The value that a variable has at this moment, as a tensor that later assignments do not change. */
export function valueNow(variable: Variable): Tensor {
  return new Tensor(variable.node);
}
