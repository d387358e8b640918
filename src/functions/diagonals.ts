/** Diagonals and triangles of matrices. */
import { ArgumentError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, normalizeAxis, type Shape } from "../graph/shape.ts";
import { add } from "../ops/arithmetic.ts";
import { ge, le } from "../ops/compare.ts";
import { iota } from "../ops/generate.ts";
import { pad, permute, slice } from "../ops/movement.ts";
import { constantLike } from "../ops/prepare.ts";
import { reshape } from "../ops/reshape.ts";
import { where } from "../ops/where.ts";
import { sliceAxis } from "./rearranging.ts";

/** The elements (i, i + offset) of the matrices that two axes hold; the diagonal becomes the last axis. */
export function diagonal(x: Node, offset = 0, firstAxis = 0, secondAxis = 1): Node {
  const rank = x.shape.length;
  const [a, b] = [normalizeAxis("diagonal", firstAxis, rank), normalizeAxis("diagonal", secondAxis, rank)];
  if (a === b) throw new ArgumentError(`diagonal: expected two different axes, received ${firstAxis} twice.`);
  const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== a && axis !== b);
  const matrices = permute(x, [...others, a, b]);
  const [row, column] = [Math.max(0, -offset), Math.max(0, offset)];
  const length = Math.max(0, Math.min(x.shape[a] - row, x.shape[b] - column));
  const batch = others.map((axis) => x.shape[axis]);
  const lead = batch.map(() => undefined);
  const square = slice(matrices, [
    ...lead,
    { start: row, stop: row + length },
    { start: column, stop: column + length },
  ]);
  // n² elements and n more in rows of n + 1: the diagonal is the first column
  const flat = pad(reshape(square, [...batch, length * length]), [
    ...batch.map((): [number, number] => [0, 0]),
    [0, length],
  ]);
  const rows = reshape(flat, [...batch, length, length + 1]);
  return reshape(slice(rows, [...lead, undefined, { stop: 1 }]), [...batch, length]);
}

/** A matrix with the vector on its diagonal, 0 elsewhere. */
export function diagonalMatrix(x: Node, offset = 0): Node {
  const length = x.shape[0];
  const size = length + Math.abs(offset);
  const [row, column] = [Math.max(0, -offset), Math.max(0, offset)];
  // the inverse of the movements of `diagonal`: a column, zeros behind each element, a square, zeros around it
  const rows = pad(reshape(x, [length, 1]), [
    [0, 0],
    [0, length],
  ]);
  const square = reshape(sliceAxis(reshape(rows, [length * (length + 1)]), 0, 0, length * length), [length, length]);
  return pad(square, [
    [row, size - length - row],
    [column, size - length - column],
  ]);
}

/** Of a vector the matrix with it on the diagonal, of a matrix its diagonal. */
export function diag(x: Node, offset = 0): Node {
  if (x.shape.length === 1) return diagonalMatrix(x, offset);
  if (x.shape.length === 2) return diagonal(x, offset);
  throw new ShapeError(`diag: expected a vector or a matrix, received shape ${formatShape(x.shape)}.`);
}

/** Mask of the positions (i, j) with j − i ≤ offset ("lower") or ≥ offset ("upper"). */
function triangle(shape: Shape, offset: number, side: "lower" | "upper"): Node {
  const rank = shape.length;
  const limit = iota(shape, rank - 2);
  const moved = offset === 0 ? limit : add(limit, constantLike(limit, offset));
  return (side === "lower" ? le : ge)(iota(shape, rank - 1), moved);
}

function keepTriangle(name: string, x: Node, offset: number, side: "lower" | "upper"): Node {
  if (x.shape.length < 2)
    throw new ShapeError(`${name}: expected a tensor of rank 2 or more, received shape ${formatShape(x.shape)}.`);
  return where(triangle(x.shape, offset, side), x, constantLike(x, 0));
}

/** The elements (i, j) of matrices with j − i ≤ offset, 0 elsewhere. */
export function tril(x: Node, offset = 0): Node {
  return keepTriangle("tril", x, offset, "lower");
}
/** The elements (i, j) of matrices with j − i ≥ offset, 0 elsewhere. */
export function triu(x: Node, offset = 0): Node {
  return keepTriangle("triu", x, offset, "upper");
}
