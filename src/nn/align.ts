import { ShapeError } from "../errors.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import type { Tensor } from "../tensor/index.ts";

/**
 * Makes two tensors agree in rank when they differ by one axis of size 1 at the end: `[n, 1]` beside `[n]` becomes `[n, 1]` both,
 * `[n, m, 1]` beside `[n, m]` becomes `[n, m]` both. Other ranks are left for broadcasting.
 */
export function alignRanks(left: Tensor, right: Tensor, expandRankOne = true): readonly [Tensor, Tensor] {
  if (left.rank === right.rank + 1 && left.shape[left.rank - 1] === 1) {
    return right.rank === 1 && expandRankOne ? [left, right.unsqueeze(-1)] : [left.squeeze(-1), right];
  }
  if (right.rank === left.rank + 1 && right.shape[right.rank - 1] === 1) {
    return left.rank === 1 && expandRankOne ? [left.unsqueeze(-1), right] : [left, right.squeeze(-1)];
  }
  return [left, right];
}

/** Targets and predictions must agree exactly: silent broadcasting of a loss is a wrong number. */
export function checkSameShape(operation: string, target: Tensor, prediction: Tensor, hint = ""): void {
  if (sameShape(target.shape, prediction.shape)) return;
  throw new ShapeError(
    `${operation}: targets have shape ${formatShape(target.shape)}, predictions ${formatShape(prediction.shape)}; they must be equal.${hint && ` ${hint}`}`,
  );
}

/** Axes `from` to the last. */
export function axesFrom(from: number, rank: number): number[] {
  return Array.from({ length: Math.max(0, rank - from) }, (_, index) => from + index);
}

/** The tensor as f32. */
export function asFloat(value: Tensor): Tensor {
  return value.dtype === "f32" ? value : value.cast("f32");
}
