/**
 * What TensorFlow.js programs call to free memory. Nothing has to be freed by hand here: values are ordinary JavaScript memory. These functions
 * exist so that such programs run unchanged.
 */
import { engine, type Tensor } from "../tensor/index.ts";

/** Calls the function and gives its result. */
export function tidy<Result>(nameOrFunction: string | (() => Result), callback?: () => Result): Result {
  return typeof nameOrFunction === "function" ? nameOrFunction() : (callback as () => Result)();
}
/** Does nothing. */
export function dispose(_tensors: unknown): void {}
/** Gives the tensor. (`tensor.keep()` is something else: it makes a training step compute the tensor.) */
export function keep(tensor: Tensor): Tensor {
  return tensor;
}
/** Bytes that the engine holds: its arena, compiled programs and waiting operations. */
export function memory(): { readonly numBytes: number } {
  return { numBytes: engine.stats().trackedBytes };
}
