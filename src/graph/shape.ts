import { ArgumentError, ShapeError } from "../errors.ts";

/** Sizes of each axis; `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

export function sameShape(left: Shape, right: Shape): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  for (let axis = 0; axis < left.length; axis++) if (left[axis] !== right[axis]) return false;
  return true;
}

/** `(2, 3)`, `(4,)`, `()`: as Python prints it. */
export function formatShape(shape: Shape): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

/** NumPy's broadcasting of any number of shapes; `operation` names the caller in the error. */
export function broadcastShapes(operation: string, ...shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let axis = 0; axis < shape.length; axis++) {
      const target = rank - shape.length + axis;
      const extent = shape[axis];
      if (extent === 1) continue;
      if (result[target] !== 1 && result[target] !== extent) {
        throw new ShapeError(
          `${operation}: shapes ${shapes.map(formatShape).join(" and ")} do not broadcast: ` +
            `axis ${target} has sizes ${result[target]} and ${extent} (sizes must be equal, or one of them 1).`,
        );
      }
      result[target] = extent;
    }
  }
  return result;
}

/** A non-negative axis from one that may count from the end. */
export function normalizeAxis(operation: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normal < 0 || normal >= rank) {
    throw new ArgumentError(
      `${operation}: axis ${axis} is out of range for a tensor of rank ${rank} (expected ${rank === 0 ? "no axis" : `${-rank} to ${rank - 1}`}).`,
    );
  }
  return normal;
}

/** Sorted, distinct, non-negative axes; `undefined` means all of them. */
export function normalizeAxes(operation: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  if (typeof axes === "number") return [normalizeAxis(operation, axes, rank)];
  const normal = axes.map((axis) => normalizeAxis(operation, axis, rank));
  if (normal.length > 1 && new Set(normal).size !== normal.length)
    throw new ArgumentError(`${operation}: axes [${axes.join(", ")}] repeat an axis.`);
  return normal.sort((a, b) => a - b);
}

/** Checks extents that came from a user. */
export function checkShape(operation: string, shape: Shape): void {
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 0) {
      throw new ShapeError(
        `${operation}: ${formatShape(shape)} is not a shape: every size must be an integer of 0 or more.`,
      );
    }
  }
}
