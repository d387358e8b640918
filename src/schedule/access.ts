/**
 * Accesses: which element of a value each point of an iteration space reads. An access is affine in the row-major element number,
 *
 *     element = offset + Σ strides[axis] · position[axis],
 *
 * so a reshape does not change it, and over a contiguous buffer it is the address itself.
 */
import { type Shape, stridesOf } from "../graph/shape.ts";
import type { AffineIndex } from "../ops/define.ts";

export interface Access {
  readonly offset: number;
  /** One per axis of the iteration space. */
  readonly strides: readonly number[];
}

/** Position along one axis of a value: `constant + Σ coefficients[axis] · position[axis]` over the iteration space. */
export interface AffinePosition {
  readonly constant: number;
  readonly coefficients: readonly number[];
}

/** Every point reads its own element. */
export function identityAccess(extents: Shape): Access {
  return { offset: 0, strides: stridesOf(extents) };
}

/** Whether an access over `extents` reads element number i at the i-th point (axes of extent 1 do not matter). */
export function isIdentity(access: Access, extents: Shape): boolean {
  if (access.offset !== 0) return false;
  let stride = 1;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    if (extents[axis] === 1) continue;
    if (access.strides[axis] !== stride) return false;
    stride *= extents[axis];
  }
  return true;
}

/**
 * Splits an access into one affine position per axis of a value of `shape`. Axes that an iteration axis runs across (a merged axis) have
 * no affine position of their own: they are `undefined`. The whole result is `undefined` when the access does not split at all.
 */
export function unravel(access: Access, extents: Shape, shape: Shape): (AffinePosition | undefined)[] | undefined {
  const rank = shape.length;
  const strides = stridesOf(shape);
  const constants = new Array<number>(rank);
  let rest = access.offset;
  for (let axis = 0; axis < rank; axis++) {
    constants[axis] = shape[axis] === 1 ? 0 : Math.floor(rest / strides[axis]);
    rest -= constants[axis] * strides[axis];
  }
  if (rest !== 0) return undefined;
  const coefficients = Array.from({ length: rank }, () => new Array<number>(extents.length).fill(0));
  // `joined[axis]`: some iteration axis runs on from this axis into the one before it.
  const joined = new Uint8Array(rank);
  for (let source = 0; source < extents.length; source++) {
    const stride = access.strides[source];
    if (stride === 0 || extents[source] === 1) continue;
    const size = Math.abs(stride);
    let axis = rank - 1;
    while (axis >= 0 && (shape[axis] === 1 || size >= strides[axis] * shape[axis])) axis--;
    if (axis < 0 || size % strides[axis] !== 0) return undefined;
    coefficients[axis][source] = stride / strides[axis];
    // The axis is left when a position passes its extent; the positions of the axes it crosses are then not affine.
    let reach = size * (extents[source] - 1);
    for (let inner = axis; inner > 0 && reach >= strides[inner] * shape[inner]; inner--) joined[inner] = 1;
    reach = 0;
  }
  const result = new Array<AffinePosition | undefined>(rank);
  for (let axis = rank - 1; axis >= 0; ) {
    let first = axis;
    while (first > 0 && joined[first]) first--;
    // Range of the joined axes [first, axis], in units of the innermost one's stride.
    let low = 0;
    let high = 0;
    let extent = 1;
    for (let member = axis; member >= first; member--) {
      const unit = strides[member] / strides[axis];
      low += constants[member] * unit;
      high += constants[member] * unit;
      coefficients[member].forEach((coefficient, source) => {
        const span = coefficient * unit * (extents[source] - 1);
        if (span < 0) low += span;
        else high += span;
      });
      extent *= shape[member];
    }
    if (low < 0 || high >= extent) return undefined;
    for (let member = axis; member >= first; member--) {
      result[member] =
        first === axis || shape[member] === 1
          ? { constant: constants[member], coefficients: coefficients[member] }
          : undefined;
    }
    axis = first - 1;
  }
  return result;
}

/** An affine index over the axes of a value, seen from the iteration space; `undefined` where it needs an axis without a position. */
export function composeIndex(
  index: AffineIndex,
  positions: readonly (AffinePosition | undefined)[],
  axes: number,
): AffinePosition | undefined {
  let constant = index.constant;
  const coefficients = new Array<number>(axes).fill(0);
  for (const { axis, coefficient } of index.terms) {
    const position = positions[axis];
    if (coefficient === 0) continue;
    if (!position) return undefined;
    constant += coefficient * position.constant;
    for (let source = 0; source < axes; source++) coefficients[source] += coefficient * position.coefficients[source];
  }
  return { constant, coefficients };
}

/** The access to a row-major value of `shape` at an affine position per axis. */
export function accessAt(positions: readonly AffinePosition[], shape: Shape, axes: number): Access {
  const strides = stridesOf(shape);
  const result = new Array<number>(axes).fill(0);
  let offset = 0;
  positions.forEach(({ constant, coefficients }, axis) => {
    offset += constant * strides[axis];
    for (let source = 0; source < axes; source++) result[source] += coefficients[source] * strides[axis];
  });
  return { offset, strides: result };
}

/** Smallest and largest value of an affine position over an iteration space without empty axes. */
export function rangeOf(position: AffinePosition, extents: Shape): readonly [number, number] {
  let low = position.constant;
  let high = position.constant;
  position.coefficients.forEach((coefficient, axis) => {
    const span = coefficient * (extents[axis] - 1);
    if (span < 0) low += span;
    else high += span;
  });
  return [low, high];
}
