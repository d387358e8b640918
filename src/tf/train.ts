/** `tf.train`: TensorFlow.js' optimizers, made by functions; each trains the variables that a function of the loss uses. */
import * as keras from "../keras/optimizers.ts";
import type { Tensor, Variable } from "../tensor/index.ts";
import { gradientsOfVariables } from "./gradients.ts";

/** An optimizer that takes a step on a function of the loss. */
export interface TrainOptimizer {
  /** Computes the loss and its gradients and takes a step; gives the loss if asked. */
  minimize(f: () => Tensor, returnCost?: false, varList?: readonly Variable[]): undefined;
  minimize(f: () => Tensor, returnCost: true, varList?: readonly Variable[]): Tensor;
  applyGradients(pairs: readonly (readonly [gradient: Tensor | undefined, variable: Variable])[]): void;
}

function trained(optimizer: keras.Optimizer): TrainOptimizer {
  const minimize = (f: () => Tensor, returnCost = false, varList?: readonly Variable[]): Tensor | undefined => {
    const { value, pairs } = gradientsOfVariables(f, varList);
    optimizer.applyGradients(pairs);
    return returnCost ? value : undefined;
  };
  return {
    minimize: minimize as TrainOptimizer["minimize"],
    applyGradients: (pairs) => optimizer.applyGradients(pairs),
  };
}

export const sgd = (learningRate: number): TrainOptimizer => trained(new keras.SGD(learningRate));
export const momentum = (learningRate: number, momentum: number, useNesterov = false): TrainOptimizer =>
  trained(new keras.SGD(learningRate, { momentum, nesterov: useNesterov }));
export const adam = (learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7): TrainOptimizer =>
  trained(new keras.Adam(learningRate, { beta1, beta2, epsilon }));
export const adagrad = (learningRate: number, initialAccumulatorValue = 0.1): TrainOptimizer =>
  trained(new keras.Adagrad(learningRate, { initialAccumulatorValue }));
export const adadelta = (learningRate = 0.001, rho = 0.95, epsilon = 1e-7): TrainOptimizer =>
  trained(new keras.Adadelta(learningRate, { rho, epsilon }));
export const rmsprop = (
  learningRate: number,
  decay = 0.9,
  momentum = 0,
  epsilon = 1e-7,
  centered = false,
): TrainOptimizer => trained(new keras.RMSprop(learningRate, { rho: decay, momentum, epsilon, centered }));
