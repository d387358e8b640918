/** Projections that keep weights in a set, applied after every update. Source: Keras 3.15, `keras/src/constraints/constraints.py`. */
import type { Tensor } from "../tensor/index.ts";
import { epsilon } from "./losses.ts";

const norms = (weight: Tensor, axes: readonly number[]): Tensor =>
  weight
    .square()
    .sum([...axes], true)
    .sqrt();

/** Scales vectors along the axes so that their norm lies between two bounds; with a rate below 1 only that far towards it. */
export function minMaxNorm(weight: Tensor, least: number, most: number, rate: number, axes: readonly number[]): Tensor {
  const before = norms(weight, axes);
  const inside = before.clip(least, most);
  const wanted = rate === 1 ? inside : inside.mul(rate).add(before.mul(1 - rate));
  return weight.mul(wanted.div(before.add(epsilon)));
}

/** Scales vectors along the axes to norm 1. */
export function unitNorm(weight: Tensor, axes: readonly number[]): Tensor {
  return weight.div(norms(weight, axes).add(epsilon));
}

/** Negative numbers become 0. */
export function nonNegative(weight: Tensor): Tensor {
  return weight.maximum(0);
}
