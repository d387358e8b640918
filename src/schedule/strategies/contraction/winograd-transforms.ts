/**
 * The one-dimensional transforms of a Winograd convolution F(4x4, 3x3): a tile of 4 outputs of a 3-tap filter by 6 products instead of 12.
 *
 * A filter g and a patch d of 6 inputs are evaluated as polynomials at the points 0, ±a, ±b and ∞; products are taken point by point, and the
 * outputs are y = Aᵀ[(G g) ∘ (Bᵀ d)]. With a = 5/8 and b = 3/2 the rounding error is about twice that of the direct sum (with the textbook's
 * 1 and 2 it is ten times that), and all constants of Aᵀ and Bᵀ are exact.
 */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { VectorRegister } from "../../../kernel/ir.ts";

/** Outputs of a tile along one axis, inputs of its patch, and points of the transformed patch in two dimensions. */
export const tileSize = 4;
export const patchSize = 6;
export const frequencies = patchSize * patchSize;

const a = 5 / 8;
const b = 3 / 2;
const a2 = a * a;
const b2 = b * b;

/** `sum + factor · value`, rounded once. */
function plus(k: KernelBuilder, sum: VectorRegister, factor: number, value: VectorRegister): VectorRegister {
  const result = k.unary("move", sum);
  k.fma(result, value, k.constant(factor));
  return result;
}

/** `sum − factor · value`, rounded once. */
function minus(k: KernelBuilder, sum: VectorRegister, factor: number, value: VectorRegister): VectorRegister {
  const result = k.unary("move", sum);
  k.fnma(result, value, k.constant(factor));
  return result;
}

const times = (k: KernelBuilder, factor: number, value: VectorRegister): VectorRegister =>
  k.binary("fmul", value, k.constant(factor));

/** Bᵀ d: coefficients of the products of (x − point) over the other points. */
export function transformPatch(k: KernelBuilder, d: readonly VectorRegister[]): VectorRegister[] {
  const evenA = minus(k, d[4], b2, d[2]);
  const oddA = minus(k, d[3], b2, d[1]);
  const evenB = minus(k, d[4], a2, d[2]);
  const oddB = minus(k, d[3], a2, d[1]);
  return [
    plus(k, minus(k, d[4], a2 + b2, d[2]), a2 * b2, d[0]),
    plus(k, evenA, a, oddA),
    minus(k, evenA, a, oddA),
    plus(k, evenB, b, oddB),
    minus(k, evenB, b, oddB),
    plus(k, minus(k, d[5], a2 + b2, d[3]), a2 * b2, d[1]),
  ];
}

/** G g: the filter's values at the points, divided by the products of their distances. */
export function transformFilter(k: KernelBuilder, g: readonly VectorRegister[]): VectorRegister[] {
  const pair = (point: number, distance: number): VectorRegister[] => {
    const even = times(k, 1 / distance, plus(k, g[0], point * point, g[2]));
    return [plus(k, even, point / distance, g[1]), minus(k, even, point / distance, g[1])];
  };
  return [times(k, 1 / (a2 * b2), g[0]), ...pair(a, 2 * a2 * (a2 - b2)), ...pair(b, 2 * b2 * (b2 - a2)), g[2]];
}

/** Aᵀ m: the outputs from the products. */
export function transformProducts(k: KernelBuilder, m: readonly VectorRegister[]): VectorRegister[] {
  const sumA = k.binary("fadd", m[1], m[2]);
  const differenceA = k.binary("fsub", m[1], m[2]);
  const sumB = k.binary("fadd", m[3], m[4]);
  const differenceB = k.binary("fsub", m[3], m[4]);
  return [
    k.binary("fadd", k.binary("fadd", m[0], sumA), sumB),
    plus(k, times(k, a, differenceA), b, differenceB),
    plus(k, times(k, a2, sumA), b2, sumB),
    plus(k, plus(k, m[5], a * a2, differenceA), b * b2, differenceB),
  ];
}

/** A y: the transpose of `transformProducts`, for a tile of the gradient of the outputs. */
export function transformTile(k: KernelBuilder, y: readonly VectorRegister[]): VectorRegister[] {
  const pair = (point: number): VectorRegister[] => {
    const even = plus(k, y[0], point * point, y[2]);
    const odd = plus(k, y[1], point * point, y[3]);
    return [plus(k, even, point, odd), minus(k, even, point, odd)];
  };
  return [y[0], ...pair(a), ...pair(b), y[3]];
}

/** B m: the transpose of `transformPatch`, for the gradient of a patch. */
export function transformPatchGradient(k: KernelBuilder, m: readonly VectorRegister[]): VectorRegister[] {
  const sumA = k.binary("fadd", m[1], m[2]);
  const differenceA = k.binary("fsub", m[1], m[2]);
  const sumB = k.binary("fadd", m[3], m[4]);
  const differenceB = k.binary("fsub", m[3], m[4]);
  return [
    times(k, a2 * b2, m[0]),
    minus(k, minus(k, times(k, a2 * b2, m[5]), a * b2, differenceA), a2 * b, differenceB),
    minus(k, minus(k, times(k, -(a2 + b2), m[0]), b2, sumA), a2, sumB),
    plus(k, plus(k, times(k, -(a2 + b2), m[5]), a, differenceA), b, differenceB),
    k.binary("fadd", k.binary("fadd", m[0], sumA), sumB),
    m[5],
  ];
}

/** Gᵀ s: the transpose of `transformFilter`, for the gradient of the filter. */
export function transformFilterGradient(k: KernelBuilder, s: readonly VectorRegister[]): VectorRegister[] {
  const [distanceA, distanceB] = [2 * a2 * (a2 - b2), 2 * b2 * (b2 - a2)];
  const sumA = k.binary("fadd", s[1], s[2]);
  const differenceA = k.binary("fsub", s[1], s[2]);
  const sumB = k.binary("fadd", s[3], s[4]);
  const differenceB = k.binary("fsub", s[3], s[4]);
  return [
    plus(k, plus(k, times(k, 1 / (a2 * b2), s[0]), 1 / distanceA, sumA), 1 / distanceB, sumB),
    plus(k, times(k, a / distanceA, differenceA), b / distanceB, differenceB),
    plus(k, plus(k, s[5], a2 / distanceA, sumA), b2 / distanceB, sumB),
  ];
}

/** Applies a transform to the columns, then to the rows of a square of registers: `square[row][column]`. */
export function inTwoDimensions(
  transform: (values: readonly VectorRegister[]) => VectorRegister[],
  square: readonly (readonly VectorRegister[])[],
): VectorRegister[][] {
  const columns = square[0].map((_, column) => transform(square.map((row) => row[column])));
  return columns[0].map((_, row) => transform(columns.map((column) => column[row])));
}
