/** Products of vectors and matrices under the names that check their ranks, and sums of products. */
import { ArgumentError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, normalizeAxis, sizeOf } from "../graph/shape.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { matmul } from "../ops/matmul.ts";
import { permute } from "../ops/movement.ts";
import { sum } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";

function requireRanks(name: string, left: Node, right: Node, ranks: readonly [number, number]): void {
  if (left.shape.length === ranks[0] && right.shape.length === ranks[1]) return;
  throw new ShapeError(
    `${name}: expected tensors of rank ${ranks[0]} and ${ranks[1]}, received shapes ${formatShape(left.shape)} and ${formatShape(right.shape)}.`,
  );
}

/** Σ aᵢ bᵢ of two vectors of one length. */
export function dot(a: Node, b: Node): Node {
  requireRanks("dot", a, b, [1, 1]);
  if (a.shape[0] !== b.shape[0]) {
    throw new ShapeError(
      `dot: expected vectors of one length, received shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}.`,
    );
  }
  return sum(mul(a, b));
}
/** aᵢ bⱼ of two vectors. */
export function outer(a: Node, b: Node): Node {
  requireRanks("outer", a, b, [1, 1]);
  return mul(reshape(a, [a.shape[0], 1]), reshape(b, [1, b.shape[0]]));
}
/** Matrix product with batches and vectors; of integers as sums of i32 products, which wrap. */
export function multiply(a: Node, b: Node): Node {
  if (a.dtype === "f32" || b.dtype === "f32" || a.shape.length === 0 || b.shape.length === 0) return matmul(a, b);
  const rows = a.shape.length === 1 ? reshape(a, [1, a.shape[0]]) : a;
  const columns = b.shape.length === 1 ? reshape(b, [b.shape[0], 1]) : b;
  const [m, inner] = rows.shape.slice(-2);
  const [length, n] = columns.shape.slice(-2);
  if (inner !== length) return matmul(a, b);
  const left = reshape(cast(rows, "i32"), [...rows.shape.slice(0, -2), m, inner, 1]);
  const right = reshape(cast(columns, "i32"), [...columns.shape.slice(0, -2), 1, length, n]);
  const product = sum(mul(left, right), -2);
  const batch = product.shape.slice(0, -2);
  return reshape(product, [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])]);
}

/** Product of two matrices. */
export function matrixProduct(a: Node, b: Node): Node {
  requireRanks("mm", a, b, [2, 2]);
  return multiply(a, b);
}
/** Products of the matrices of two batches of one size. */
export function batchProduct(a: Node, b: Node): Node {
  requireRanks("bmm", a, b, [3, 3]);
  if (a.shape[0] !== b.shape[0]) {
    throw new ShapeError(
      `bmm: the batches have sizes ${a.shape[0]} and ${b.shape[0]}, shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}.`,
    );
  }
  return matmul(a, b);
}
/** A matrix times a vector. */
export function matrixVectorProduct(matrix: Node, vector: Node): Node {
  requireRanks("mv", matrix, vector, [2, 1]);
  return matmul(matrix, vector);
}

/** β · x + α · product; a factor that is left out is 1, and β = 0 ignores x. */
export function addProduct(x: Node, product: Node, beta?: Node, alpha?: Node): Node {
  return add(beta ? mul(x, beta) : x, alpha ? mul(product, alpha) : product);
}

/** Sum over products along several axes: the last `count` of a with the first of b, or those named. */
export function tensorDot(a: Node, b: Node, axes: number | readonly [readonly number[], readonly number[]] = 2): Node {
  const [rankA, rankB] = [a.shape.length, b.shape.length];
  const [left, right] =
    typeof axes === "number"
      ? [Array.from({ length: axes }, (_, i) => rankA - axes + i), Array.from({ length: axes }, (_, i) => i)]
      : [
          axes[0].map((axis) => normalizeAxis("tensordot", axis, rankA)),
          axes[1].map((axis) => normalizeAxis("tensordot", axis, rankB)),
        ];
  if (left.length !== right.length || left.some((axis, i) => a.shape[axis] !== b.shape[right[i]])) {
    throw new ArgumentError(
      `tensordot: axes [${left.join(", ")}] of ${formatShape(a.shape)} and [${right.join(", ")}] of ${formatShape(b.shape)} do not match.`,
    );
  }
  const keptA = a.shape.map((_, axis) => axis).filter((axis) => !left.includes(axis));
  const keptB = b.shape.map((_, axis) => axis).filter((axis) => !right.includes(axis));
  const inner = sizeOf(left.map((axis) => a.shape[axis]));
  const [outerA, outerB] = [keptA.map((axis) => a.shape[axis]), keptB.map((axis) => b.shape[axis])];
  const rows = reshape(permute(a, [...keptA, ...left]), [sizeOf(outerA), inner]);
  const columns = reshape(permute(b, [...right, ...keptB]), [inner, sizeOf(outerB)]);
  return reshape(matmul(rows, columns), [...outerA, ...outerB]);
}
