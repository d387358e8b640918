/** Gradients of functions, as TensorFlow.js takes them. `GradientTape` is TensorFlow's way. */
import { ArgumentError } from "../errors.ts";
import { enableGrad, Recording, Tensor, type Variable, zerosLike } from "../tensor/index.ts";
import { atEntry } from "../tensor/lift.ts";

function recorded<Result>(name: string, watched: readonly Tensor[], callback: () => Result): [Recording, Result] {
  const recording = new Recording();
  recording.start();
  try {
    for (const tensor of watched) recording.watch(tensor);
    const result = enableGrad(callback);
    if (!(result instanceof Tensor)) throw new ArgumentError(`${name}: the function must return a tensor.`);
    return [recording, result];
  } finally {
    recording.pause();
  }
}

/** The value of f and its gradients with respect to each argument; zeros where it does not depend on one. */
export function valueAndGrads(
  f: (...args: Tensor[]) => Tensor,
): (args: readonly Tensor[], dy?: Tensor) => { value: Tensor; grads: Tensor[] } {
  const gradients = (args: readonly Tensor[], dy?: Tensor) =>
    atEntry(gradients, () => {
      const [recording, value] = recorded("valueAndGrads", args, () => f(...args));
      const found = recording.gradients([value], args, dy && [dy]);
      return { value, grads: found.map((gradient, index) => gradient ?? zerosLike(args[index])) };
    });
  return gradients;
}
/** The value of f and its gradient. */
export function valueAndGrad(f: (x: Tensor) => Tensor): (x: Tensor, dy?: Tensor) => { value: Tensor; grad: Tensor } {
  const both = valueAndGrads(f as (...args: Tensor[]) => Tensor);
  return (x, dy) => {
    const { value, grads } = both([x], dy);
    return { value, grad: grads[0] };
  };
}
/** The gradients of f with respect to each argument: `tf.grads((a, b) => …)([a, b])`. */
export function grads(f: (...args: Tensor[]) => Tensor): (args: readonly Tensor[], dy?: Tensor) => Tensor[] {
  const both = valueAndGrads(f);
  return (args, dy) => both(args, dy).grads;
}
/** The gradient of f: `tf.grad((x) => tf.square(x))(x)`. */
export function grad(f: (x: Tensor) => Tensor): (x: Tensor, dy?: Tensor) => Tensor {
  const both = valueAndGrads(f as (...args: Tensor[]) => Tensor);
  return (x, dy) => both([x], dy).grads[0];
}

/** The value of f and its gradients with respect to trainable variables, by name: those given, or all that f uses. */
export function variableGrads(
  f: () => Tensor,
  varList?: readonly Variable[],
): { value: Tensor; grads: Record<string, Tensor> } {
  return atEntry(variableGrads, () => {
    const { value, pairs } = gradientsOfVariables(f, varList);
    return { value, grads: Object.fromEntries(pairs.map(([gradient, variable]) => [variable.name, gradient])) };
  });
}

/** @internal The value of f and each gradient with its variable. */
export function gradientsOfVariables(
  f: () => Tensor,
  varList?: readonly Variable[],
): { value: Tensor; pairs: (readonly [Tensor, Variable])[] } {
  const [recording, value] = recorded("variableGrads", [], f);
  const variables = varList ?? recording.variablesUnder(value);
  if (variables.length === 0) throw new ArgumentError("variableGrads: the function uses no trainable variable.");
  const found = recording.gradients([value], variables);
  return { value, pairs: variables.map((variable, index) => [found[index] ?? zerosLike(variable), variable] as const) };
}
