/**
 * Masks: boolean tensors that say which time steps count. A mask travels with the tensor that it belongs to, as a property of the handle, so that
 * it is freed with it; layers read it before and set it after `call`.
 */
import { Tensor } from "../tensor/index.ts";
import { leavesOf, mapStructure, type Structure, type TensorStructure } from "./structure.ts";

const maskKey = Symbol("keras.mask");
type Masked = Tensor & { [maskKey]?: Tensor };

/** The mask of a tensor, if it has one. */
export function maskOf(tensor: Tensor): Tensor | undefined {
  return (tensor as Masked)[maskKey];
}

/** Gives a tensor its mask; undefined takes it away. */
export function setMask(tensor: Tensor, mask: Tensor | undefined): void {
  if (mask === undefined && maskOf(tensor) === undefined) return;
  (tensor as Masked)[maskKey] = mask;
}

/** The masks of tensors in the same structure; undefined when no tensor has one. */
export function masksOf(inputs: TensorStructure): Structure<Tensor | undefined> | undefined {
  if (inputs instanceof Tensor) return maskOf(inputs);
  const masks = mapStructure(inputs, maskOf);
  return leavesOf<Tensor | undefined>(masks).some((mask) => mask !== undefined) ? masks : undefined;
}

/** Sets masks on outputs that have none yet. */
export function attachMasks(outputs: TensorStructure, masks: Structure<Tensor | undefined>): void {
  const list = leavesOf<Tensor | undefined>(masks);
  leavesOf<Tensor>(outputs).forEach((output, index) => {
    if (maskOf(output) === undefined) setMask(output, list[index]);
  });
}
