/** Elements by position, and order, as free functions. */
import type { UniqueValues } from "../../tensor/dynamic.ts";
import type { UniqueOptions } from "../../tensor/methods/indexing.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { free } from "./free.ts";

/** y[…, i, …] = x[…, index[…, i, …], …] along one axis. */
export const gather = free("gather");
/** As `gather`, with the axis last. */
export const takeAlongDim = free("takeAlongDim");
/** Elements at positions of the flattened tensor. */
export const take = free("take");
/** Rows along an axis at positions. */
export const indexSelect = free("indexSelect");
/** Elements written at positions along an axis. */
export const scatter = free("scatter");
/** Elements added at positions along an axis. */
export const scatterAdd = free("scatterAdd");
/** Rows added at positions. */
export const indexAdd = free("indexAdd");
/** Rows written at positions. */
export const indexCopy = free("indexCopy");
/** Rows filled at positions. */
export const indexFill = free("indexFill");
/** The elements where a mask holds; reads the mask. */
export const maskedSelect = free("maskedSelect");
/** Coordinates of what is not 0; reads the tensor. */
export const argwhere = free("argwhere");
/** Elements in order with their positions. */
export const sort = free("sort");
/** Positions that put elements in order. */
export const argsort = free("argsort");
/** The k largest elements with their positions. */
export const topk = free("topk");
/** A tensor of its own with the same value. */
export const clone = free("clone");
/** Coordinates of what is not 0, as rows or with `asTuple` as one vector for each axis; reads the tensor. */
export function nonzero(input: Tensor): Tensor;
export function nonzero(input: Tensor, options: { readonly asTuple: true }): Tensor[];
export function nonzero(input: Tensor, options?: { readonly asTuple: true }): Tensor | Tensor[] {
  return options ? input.nonzero(options) : input.nonzero();
}
/** The different values in ascending order, or with options their places and counts too; reads the tensor. */
export function unique(input: Tensor): Tensor;
export function unique(input: Tensor, options: UniqueOptions): UniqueValues;
export function unique(input: Tensor, options?: UniqueOptions): Tensor | UniqueValues {
  return options ? input.unique(options) : input.unique();
}
/** As `unique`, of runs of equal elements; reads the tensor. */
export function uniqueConsecutive(input: Tensor): Tensor;
export function uniqueConsecutive(input: Tensor, options: UniqueOptions): UniqueValues;
export function uniqueConsecutive(input: Tensor, options?: UniqueOptions): Tensor | UniqueValues {
  return options ? input.uniqueConsecutive(options) : input.uniqueConsecutive();
}
