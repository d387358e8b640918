/** Reductions and running sums, as free functions. */
import { bincount as countOccurrences } from "../../tensor/dynamic.ts";
import type { ValuesAndIndices } from "../../tensor/methods/reductions.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { free } from "./free.ts";

/** Sum over all elements or `dim`. */
export const sum = free("sum");
/** Mean over all elements or `dim`. */
export const mean = free("mean");
/** Product over all elements or `dim`. */
export const prod = free("prod");
/** Largest element over all or several axes. */
export const amax = free("amax");
/** Smallest element over all or several axes. */
export const amin = free("amin");
/** Smallest and largest element. */
export const aminmax = free("aminmax");
/** Whether any element is true. */
export const any = free("any");
/** Whether all elements are true. */
export const all = free("all");
/** Position of the largest element. */
export const argmax = free("argmax");
/** Position of the smallest element. */
export const argmin = free("argmin");
/** Standard deviation (correction 1). */
export const std = free("std");
/** Variance and mean. */
export const varMean = free("varMean");
/** Standard deviation and mean. */
export const stdMean = free("stdMean");
/** (Σ |x|ᵖ)^(1/p). */
export const norm = free("norm");
/** The norm of a difference. */
export const dist = free("dist");
/** ln Σ eˣ. */
export const logsumexp = free("logsumexp");
/** How many elements are not 0. */
export const countNonzero = free("countNonzero");
/** Sum of what is not NaN. */
export const nansum = free("nansum");
/** The value below which a part of the elements lies. */
export const quantile = free("quantile");
/** The k-th smallest element and its position. */
export const kthvalue = free("kthvalue");
/** Running sum along an axis. */
export const cumsum = free("cumsum");
/** Running product along an axis. */
export const cumprod = free("cumprod");
/** Differences of neighbours. */
export const diff = free("diff");
/** eˣ / Σ eˣ along an axis. */
export const softmax = free("softmax");
/** x − ln Σ eˣ along an axis. */
export const logSoftmax = free("logSoftmax");
/** Variance (correction 1). */
const variance = free("var");

export { variance as var };
/** The largest element; with an axis values and positions; with a tensor the larger of each pair. */
export function max(input: Tensor): Tensor;
export function max(input: Tensor, other: Tensor): Tensor;
export function max(input: Tensor, dim: number, keepdim?: boolean | { readonly keepdim?: boolean }): ValuesAndIndices;
export function max(input: Tensor, ...rest: unknown[]): Tensor | ValuesAndIndices {
  return (input.max as (...args: unknown[]) => Tensor | ValuesAndIndices)(...rest);
}
/** The smallest element; with an axis values and positions; with a tensor the smaller of each pair. */
export function min(input: Tensor): Tensor;
export function min(input: Tensor, other: Tensor): Tensor;
export function min(input: Tensor, dim: number, keepdim?: boolean | { readonly keepdim?: boolean }): ValuesAndIndices;
export function min(input: Tensor, ...rest: unknown[]): Tensor | ValuesAndIndices {
  return (input.min as (...args: unknown[]) => Tensor | ValuesAndIndices)(...rest);
}
/** The lower median of all elements, or of those along an axis with its position. */
export function median(input: Tensor): Tensor;
export function median(
  input: Tensor,
  dim: number,
  keepdim?: boolean | { readonly keepdim?: boolean },
): ValuesAndIndices;
export function median(input: Tensor, ...rest: unknown[]): Tensor | ValuesAndIndices {
  return (input.median as (...args: unknown[]) => Tensor | ValuesAndIndices)(...rest);
}
/** How often each number 0, 1, … occurs; reads the tensor. */
export function bincount(
  input: Tensor,
  options: { readonly weights?: Tensor; readonly minlength?: number } = {},
): Tensor {
  return countOccurrences(input, options.weights, options.minlength);
}
