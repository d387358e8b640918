import { provideTensors } from "./handle.ts";
import { InPlaceMethods } from "./methods/in-place.ts";

/**
 * A value of a shape and dtype. Operations build a graph and return at once; values are computed when they are read, when an optimizer
 * steps, or on `evaluate`. Its methods are in `methods/`, one file for each concern, each class extending the one before.
 *
 * @example
 * ```ts
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(x.matmul(x).sum().item()); // 54
 * ```
 */
export class Tensor extends InPlaceMethods {}

provideTensors((node) => new Tensor(node));
