/** Several tensors made into one: elementwise with broadcasting, joined, or multiplied along an axis. */
import { concat, logicalOr, matmul, type Tensor, where } from "../tensor/index.ts";

/** Combines tensors one after another, left to right. */
export type Combine = (left: Tensor, right: Tensor) => Tensor;

export const combineSum: Combine = (left, right) => left.add(right);
export const combineDifference: Combine = (left, right) => left.sub(right);
export const combineProduct: Combine = (left, right) => left.mul(right);
export const combineMaximum: Combine = (left, right) => left.maximum(right);
export const combineMinimum: Combine = (left, right) => left.minimum(right);

/** Tensors of one rank: those with fewer axes get axes of size 1 after the batch axis. */
export function alignMergeRanks(inputs: readonly Tensor[]): readonly Tensor[] {
  const rank = Math.max(...inputs.map((input) => input.rank));
  return inputs.map((input) => {
    if (input.rank === rank) return input;
    const [batch, ...sizes] = input.shape;
    return input.reshape([batch, ...new Array<number>(rank - input.rank).fill(1), ...sizes]);
  });
}

/** The mean of tensors. */
export function meanOfTensors(inputs: readonly Tensor[]): Tensor {
  return inputs.reduce(combineSum).div(inputs.length);
}

const overFeatures = (mask: Tensor, like: Tensor): Tensor => mask.reshape([...mask.shape, 1]).expand(like.shape);

/**
 * Combines tensors where masked steps do not count: a masked value of one is replaced by what the others give. Masks are per step, without the last
 * axis; undefined counts everywhere.
 */
export function combineMasked(
  inputs: readonly Tensor[],
  masks: readonly (Tensor | undefined)[],
  combine: Combine,
): Tensor {
  let result = inputs[0];
  let counted = masks[0] && overFeatures(masks[0], result);
  inputs.slice(1).forEach((input, index) => {
    const mask = masks[index + 1];
    const counts = mask && overFeatures(mask, input);
    const right = counts ? where(counts, input, result) : input;
    const left = counted ? where(counted, result, right) : result;
    counted = counts && counted ? logicalOr(counted, counts) : undefined;
    result = combine(left, right);
  });
  return result;
}

/** Masks joined by 'or'; undefined when a tensor has none. */
export function mergedMask(masks: readonly (Tensor | undefined)[]): Tensor | undefined {
  if (!masks.every((mask) => mask !== undefined)) return undefined;
  return (masks as readonly Tensor[]).reduce((left, right) => logicalOr(left, right));
}

/** The mask of joined tensors: a step counts when any of its entries does. */
export function concatenatedMask(
  inputs: readonly Tensor[],
  masks: readonly (Tensor | undefined)[],
  axis: number,
): Tensor | undefined {
  if (masks.every((mask) => mask === undefined)) return undefined;
  const full = inputs.map((input, index) => {
    const mask = masks[index];
    if (!mask) return input.eq(input).logicalOr(input.ne(input));
    return mask.rank < input.rank ? overFeatures(mask, input) : mask;
  });
  return concat(full, axis).any(-1);
}

/** Vectors of length 1 along an axis. */
export function normalized(x: Tensor, axis: number): Tensor {
  return x.mul(x.square().sum(axis, true).maximum(1e-12).rsqrt());
}

/**
 * The product of two tensors over one axis of each, example by example: [batch, …left, …right]; a scalar for each example has shape [batch, 1].
 *
 * Source: Keras 3.15, `keras/src/layers/merging/dot.py`.
 */
export function batchDot(left: Tensor, right: Tensor, axes: readonly [number, number]): Tensor {
  const toEnd = (x: Tensor, axis: number): Tensor => {
    const others = x.shape.map((_, index) => index).filter((index) => index !== 0 && index !== axis);
    return x.permute([0, ...others, axis]);
  };
  const [a, b] = [toEnd(left, axes[0]), toEnd(right, axes[1])];
  const [batch, reduced] = [a.shape[0], a.shape[a.rank - 1]];
  const rows = a.shape.slice(1, -1);
  const columns = b.shape.slice(1, -1);
  const size = (sizes: readonly number[]): number => sizes.reduce((product, extent) => product * extent, 1);
  const product = matmul(
    a.reshape([batch, size(rows), reduced]),
    b.reshape([batch, size(columns), reduced]).permute([0, 2, 1]),
  );
  const shape = [batch, ...rows, ...columns];
  return product.reshape(shape.length === 1 ? [batch, 1] : shape);
}
