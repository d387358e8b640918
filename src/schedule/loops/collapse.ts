/** Merges neighbouring axes that every operand walks as one, and drops axes of extent 1. */
import type { Shape } from "../../graph/shape.ts";

export interface CollapsedSpace {
  readonly extents: readonly number[];
  /** Kind of each new axis (equal kinds only are merged). */
  readonly kinds: readonly number[];
  /** New axis of each old one; -1 where the old axis had extent 1 or was merged. Only axes named `pinned` are sure to have one. */
  readonly axisOf: readonly number[];
  /** The operands' strides over the new axes. */
  readonly strides: readonly (readonly number[])[];
}

/**
 * `kinds[axis]` separates axes that must not be merged with each other (kept and reduced); `pinned` axes keep their own position.
 * The result has at least one axis.
 */
export function collapse(
  extents: Shape,
  kinds: readonly number[],
  strides: readonly (readonly number[])[],
  pinned: ReadonlySet<number>,
): CollapsedSpace {
  const newExtents: number[] = [];
  const newKinds: number[] = [];
  const members: number[] = [];
  const axisOf = new Array<number>(extents.length).fill(-1);
  let previous = -1;
  for (let axis = 0; axis < extents.length; axis++) {
    if (extents[axis] === 1) continue;
    const last = newExtents.length - 1;
    const merges =
      previous >= 0 &&
      newKinds[last] === kinds[axis] &&
      !pinned.has(axis) &&
      !pinned.has(previous) &&
      strides.every((operand) => operand[previous] === operand[axis] * extents[axis]);
    if (merges) {
      newExtents[last] *= extents[axis];
      axisOf[previous] = -1;
      members[last] = axis;
    } else {
      newExtents.push(extents[axis]);
      newKinds.push(kinds[axis]);
      members.push(axis);
    }
    axisOf[axis] = newExtents.length - 1;
    previous = axis;
  }
  if (newExtents.length === 0) {
    return { extents: [1], kinds: [kinds[0] ?? 0], axisOf, strides: strides.map(() => [0]) };
  }
  return {
    extents: newExtents,
    kinds: newKinds,
    axisOf,
    strides: strides.map((operand) => members.map((axis) => operand[axis])),
  };
}
