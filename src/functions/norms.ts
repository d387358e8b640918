/** Norms. Their gradient at 0 is 0, the subgradient that PyTorch chooses. */
import { ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape } from "../graph/shape.ts";
import { add, div, mul, pow, sub } from "../ops/arithmetic.ts";
import { eq, gt, ne } from "../ops/compare.ts";
import { constantLike, promoted, toFloat } from "../ops/prepare.ts";
import { amax, amin, sum } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { abs, sqrt } from "../ops/unary.ts";
import { where } from "../ops/where.ts";

type Axes = number | readonly number[];

/** √x with the gradient 0 at 0. */
export function rootOrZero(x: Node): Node {
  const zero = constantLike(x, 0);
  const nothing = eq(x, zero);
  return where(nothing, zero, sqrt(where(nothing, constantLike(x, 1), x)));
}

/** xᵖ of x ≥ 0, 0 with the gradient 0 where x is 0. */
function powerOrZero(x: Node, exponent: number): Node {
  const positive = gt(x, constantLike(x, 0));
  const base = where(positive, x, constantLike(x, 1));
  // NaN is not positive, and must stay
  return where(ne(x, x), x, where(positive, pow(base, constantLike(x, exponent)), constantLike(x, 0)));
}

/** (Σ |x|ᵖ)^(1/p) over axes (all of them unless given); the largest |x| for p = ∞, the smallest for −∞, the number of elements other than 0 for p = 0. */
export function norm(x: Node, p = 2, axes?: Axes, keepDims = false): Node {
  const value = toFloat(x);
  if (p === 2) return rootOrZero(sum(mul(value, value), axes, keepDims));
  const size = abs(value);
  if (p === 1) return sum(size, axes, keepDims);
  if (p === Number.POSITIVE_INFINITY) return amax(size, axes, keepDims);
  if (p === Number.NEGATIVE_INFINITY) return amin(size, axes, keepDims);
  if (p === 0) return toFloat(sum(ne(value, constantLike(value, 0)), axes, keepDims));
  if (p < 0) {
    const total = sum(pow(size, constantLike(size, p)), axes, keepDims);
    return pow(total, constantLike(total, 1 / p));
  }
  return powerOrZero(sum(powerOrZero(size, p), axes, keepDims), 1 / p);
}

/** The norm of a − b. */
export function distance(a: Node, b: Node, p = 2): Node {
  const [x, y] = promoted("dist", a, b, "f32");
  return norm(sub(x, y), p);
}

/** The norm of each difference of a row of a […, n, d] and a row of b […, m, d]: […, n, m]. */
export function distances(a: Node, b: Node, p = 2): Node {
  const [rowsA, rowsB] = [a.shape, b.shape];
  if (rowsA.length < 2 || rowsB.length < 2 || rowsA[rowsA.length - 1] !== rowsB[rowsB.length - 1]) {
    throw new ShapeError(
      `cdist: expected rows of one length, received shapes ${formatShape(rowsA)} and ${formatShape(rowsB)}.`,
    );
  }
  const left = reshape(toFloat(a), [...rowsA.slice(0, -1), 1, ...rowsA.slice(-1)]);
  const right = reshape(toFloat(b), [...rowsB.slice(0, -2), 1, ...rowsB.slice(-2)]);
  return norm(sub(left, right), p, -1);
}

/** Σ a·b / max(‖a‖·‖b‖, ε) along an axis. */
export function cosineSimilarity(a: Node, b: Node, axis = 1, epsilon = 1e-8): Node {
  const [x, y] = promoted("cosineSimilarity", a, b, "f32");
  const least = (length: Node): Node => {
    const bound = constantLike(length, epsilon);
    return where(gt(length, bound), length, bound);
  };
  return div(sum(mul(x, y), axis), mul(least(norm(x, 2, axis)), least(norm(y, 2, axis))));
}

/** x scaled to the norm 1 along axes: x / max(‖x‖, ε). */
export function normalize(x: Node, p = 2, axes: Axes = 1, epsilon = 1e-12): Node {
  const value = toFloat(x);
  const length = norm(value, p, axes, true);
  const bound = constantLike(length, epsilon);
  return div(value, where(gt(length, bound), length, bound));
}

/** x with each slice along an axis scaled down to a norm of at most `most`. After torch.renorm. */
export function renorm(x: Node, p: number, axis: number, most: number): Node {
  const value = toFloat(x);
  const others = value.shape.map((_, i) => i).filter((i) => i !== (axis < 0 ? axis + value.shape.length : axis));
  const length = norm(value, p, others, true);
  const bound = constantLike(length, most);
  const scale = div(bound, add(length, constantLike(length, 1e-7)));
  return mul(value, where(gt(length, bound), scale, constantLike(scale, 1)));
}
