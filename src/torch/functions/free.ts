/** Free functions made of methods. */
import { ArgumentError } from "../../errors.ts";
import { isTensor } from "../../tensor/handle.ts";
import { atEntry } from "../../tensor/lift.ts";
import type { Tensor } from "../../tensor/tensor.ts";

type MethodName = {
  [K in keyof Tensor]: Tensor[K] extends (this: Tensor, ...args: never[]) => unknown ? K : never;
}[keyof Tensor];
type Free<K extends MethodName> = Tensor[K] extends (this: Tensor, ...args: infer Args) => infer Result
  ? (input: Tensor, ...args: Args) => Result
  : never;

/** A method as a function of the tensor and the method's arguments. */
export function free<K extends MethodName & string>(method: K): Free<K> {
  const entry = (input: Tensor, ...args: unknown[]): unknown =>
    atEntry(entry, () => {
      if (!isTensor(input))
        throw new ArgumentError(
          `torch.${method}: expected a tensor, received ${JSON.stringify(input) ?? typeof input}.`,
        );
      return (input[method] as (...rest: unknown[]) => unknown)(...args);
    });
  Object.defineProperty(entry, "name", { value: method });
  return entry as Free<K>;
}

/** Tensors as one list or one by one. */
export type TensorList = readonly Tensor[] | readonly [readonly Tensor[]];
/** The list of either form. */
export const listOf = (tensors: TensorList): readonly Tensor[] =>
  Array.isArray(tensors[0]) ? (tensors[0] as readonly Tensor[]) : (tensors as readonly Tensor[]);
