/** Questions about tensors, as free functions. */
import { free } from "./free.ts";

/** Whether a value is a tensor. */
export { isTensor } from "../../tensor/handle.ts";
/** A slice by Python's arguments, for `x.at(torch.slice(1, null, 2))`. */
export { sliceOf as slice } from "../../tensor/indexing.ts";
/** Number of elements. */
export const numel = free("numel");
/** Whether the dtype is a floating-point one. */
export const isFloatingPoint = free("isFloatingPoint");
