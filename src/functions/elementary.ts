/** Elementary functions that are made of others: powers of 2, circular and hyperbolic functions and their inverses, remainders, tests of floats. */
import { promote } from "../graph/dtype.ts";
import type { Node } from "../graph/node.ts";
import { add, div, floorDivide, maximum, minimum, mul, pow, remainder, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { eq, ge, gt, le, lt, ne } from "../ops/compare.ts";
import { constant } from "../ops/generate.ts";
import { atan } from "../ops/inverse-circular.ts";
import { logicalAnd, logicalNot, logicalXor } from "../ops/logic.ts";
import { broadcast, constantLike, promoted, toFloat } from "../ops/prepare.ts";
import { cos, erf, exp, expm1, log, log1p, sin } from "../ops/transcendental.ts";
import { abs, neg, sqrt, trunc } from "../ops/unary.ts";
import { where } from "../ops/where.ts";

const scaled = (x: Node, factor: number): Node => mul(x, constantLike(x, factor));

/** 2ˣ. */
export function exp2(x: Node): Node {
  const value = toFloat(x);
  return pow(constantLike(value, 2), value);
}
/** log₂ x. */
export function log2(x: Node): Node {
  return scaled(log(x), Math.LOG2E);
}
/** log₁₀ x. */
export function log10(x: Node): Node {
  return scaled(log(x), Math.LOG10E);
}

/** sin x / cos x. */
export function tan(x: Node): Node {
  return div(sin(x), cos(x));
}
/** (eˣ − e⁻ˣ) / 2, from eˣ − 1, so that small arguments keep their digits. */
export function sinh(x: Node): Node {
  const value = toFloat(x);
  return scaled(sub(expm1(value), expm1(neg(value))), 0.5);
}
/** (eˣ + e⁻ˣ) / 2. */
export function cosh(x: Node): Node {
  const value = toFloat(x);
  return scaled(add(exp(value), exp(neg(value))), 0.5);
}

/** The angle of the point (x, y), in (−π, π]. Of the two quotients the one of at most 1 is taken, so that neither the value nor a gradient divides by 0. */
export function atan2(y: Node, x: Node): Node {
  const [ordinate, abscissa] = promoted("atan2", y, x, "f32");
  const zero = constantLike(ordinate, 0);
  const steep = gt(abs(ordinate), abs(abscissa));
  const numerator = where(steep, abscissa, ordinate);
  const denominator = where(steep, ordinate, abscissa);
  const atOrigin = eq(denominator, zero);
  const angle = atan(div(numerator, where(atOrigin, constantLike(zero, 1), denominator)));
  const below = lt(ordinate, zero);
  const quarter = where(below, constantLike(zero, -Math.PI / 2), constantLike(zero, Math.PI / 2));
  const half = where(below, constantLike(zero, -Math.PI), constantLike(zero, Math.PI));
  return where(steep, sub(quarter, angle), where(lt(abscissa, zero), add(angle, half), angle));
}
/** Inverse sine: the angle of (√(1 − x²), x); NaN outside [−1, 1]. */
export function asin(x: Node): Node {
  const value = toFloat(x);
  const one = constantLike(value, 1);
  return atan2(value, sqrt(mul(sub(one, value), add(one, value))));
}
/** Inverse cosine: the angle of (x, √(1 − x²)); NaN outside [−1, 1]. */
export function acos(x: Node): Node {
  const value = toFloat(x);
  const one = constantLike(value, 1);
  return atan2(sqrt(mul(sub(one, value), add(one, value))), value);
}
/** Inverse hyperbolic sine: sign(x) · ln(1 + |x| + x² / (1 + √(1 + x²))), beyond 10⁸ sign(x) · ln 2|x|. */
export function asinh(x: Node): Node {
  const value = toFloat(x);
  const negative = lt(value, constantLike(value, 0));
  const size = where(negative, neg(value), value);
  const one = constantLike(value, 1);
  const far = gt(size, constantLike(value, 1e8));
  const near = where(far, one, size);
  const squared = mul(near, near);
  const inner = log1p(add(near, div(squared, add(one, sqrt(add(one, squared))))));
  const outer = add(log(where(far, size, one)), constantLike(value, Math.LN2));
  const result = where(far, outer, inner);
  return where(negative, neg(result), result);
}
/** Inverse hyperbolic cosine: ln(x + √(x² − 1)); NaN below 1. */
export function acosh(x: Node): Node {
  const value = toFloat(x);
  const above = sub(value, constantLike(value, 1));
  return log1p(add(above, sqrt(mul(above, add(value, constantLike(value, 1))))));
}
/** Inverse hyperbolic tangent: ½ ln((1 + x) / (1 − x)). */
export function atanh(x: Node): Node {
  const value = toFloat(x);
  return scaled(sub(log1p(value), log1p(neg(value))), 0.5);
}
/** 1 − erf x. */
export function erfc(x: Node): Node {
  const value = erf(x);
  return sub(constantLike(value, 1), value);
}
/** √(a² + b²). */
export function hypot(a: Node, b: Node): Node {
  const [x, y] = promoted("hypot", a, b, "f32");
  return sqrt(add(mul(x, x), mul(y, y)));
}
/** ln(p / (1 − p)). */
export function logit(p: Node): Node {
  const value = toFloat(p);
  return sub(log(value), log1p(neg(value)));
}
/** a · ln b, 0 where a is 0. */
export function xlogy(a: Node, b: Node): Node {
  const [factor, value] = promoted("xlogy", a, b, "f32");
  const nothing = eq(factor, constantLike(factor, 0));
  return where(nothing, constantLike(factor, 0), mul(factor, log(where(nothing, constantLike(value, 1), value))));
}
/** ln(eᵃ + eᵇ) = max + ln(1 + e^−|a − b|); two equal infinities give that infinity. */
export function logAddExp(a: Node, b: Node): Node {
  const [x, y] = promoted("logAddExp", a, b, "f32");
  const difference = where(eq(x, y), constantLike(x, 0), sub(x, y));
  return add(maximum(x, y), log1p(exp(neg(abs(difference)))));
}

/** The part of x behind the point: x − trunc x. */
export function frac(x: Node): Node {
  return sub(x, trunc(x));
}
/** C's remainder: a − trunc(a / b)·b, with the sign of a. */
export function fmod(a: Node, b: Node): Node {
  const [left, right] = promoted("fmod", a, b);
  const rest = remainder(left, right);
  const zero = constantLike(rest, 0);
  const otherSide = logicalXor(lt(rest, zero), lt(left, zero));
  return where(logicalAnd(otherSide, ne(rest, zero)), sub(rest, right), rest);
}
/** Quotient rounded to 0: trunc(a / b), exact for integers. */
export function truncatedDivide(a: Node, b: Node): Node {
  if (promote(a.dtype, b.dtype) === "f32") return trunc(div(a, b));
  const [left, right] = promoted("truncatedDivide", a, b);
  return floorDivide(sub(left, fmod(left, right)), right);
}
/** xⁿ for an integer n ≥ 0 by repeated squaring: exact for integers, which wrap. */
export function integerPower(x: Node, exponent: number): Node {
  let result: Node | undefined;
  for (let factor = x, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result ? mul(result, factor) : factor;
    if (rest > 1) factor = mul(factor, factor);
  }
  return result ?? constantLike(x, 1);
}

/** True for NaN. */
export function isNotANumber(x: Node): Node {
  return x.dtype === "f32" ? ne(x, x) : constant(0, x.shape, "bool");
}
/** True for ∞ and −∞. */
export function isInfinite(x: Node): Node {
  if (x.dtype !== "f32") return constant(0, x.shape, "bool");
  return eq(abs(x), constantLike(x, Number.POSITIVE_INFINITY));
}
/** True for what is neither infinite nor NaN. */
export function isFiniteNumber(x: Node): Node {
  if (x.dtype !== "f32") return constant(1, x.shape, "bool");
  return lt(abs(x), constantLike(x, Number.POSITIVE_INFINITY));
}
/** |a − b| ≤ atol + rtol · |b|; equal infinities are close, NaN only with `equalNaN`. */
export function isClose(a: Node, b: Node, relative = 1e-5, absolute = 1e-8, equalNaN = false): Node {
  const [x, y] = promoted("isClose", a, b, "f32");
  const bound = add(scaled(abs(y), relative), constantLike(y, absolute));
  const distance = where(eq(x, y), constantLike(x, 0), abs(sub(x, y)));
  const near = logicalAnd(isFiniteNumber(distance), logicalNot(gt(distance, bound)));
  if (!equalNaN) return near;
  return where(logicalAnd(isNotANumber(x), isNotANumber(y)), constant(1, x.shape, "bool"), near);
}
/** Numbers in place of NaN, ∞ and −∞: 0 and the largest finite ones unless given. */
export function nanToNumber(
  x: Node,
  nan = 0,
  positive = 3.4028234663852886e38,
  negative = -3.4028234663852886e38,
): Node {
  if (x.dtype !== "f32") return x;
  const infinity = constantLike(x, Number.POSITIVE_INFINITY);
  const numbers = where(isNotANumber(x), constantLike(x, nan), x);
  const upper = where(eq(numbers, infinity), constantLike(x, positive), numbers);
  return where(eq(upper, neg(infinity)), constantLike(x, negative), upper);
}

/**
 * x between two bounds, either of which may be missing; NaN stays. Where the bounds cross the upper one holds. On a bound itself the gradient passes
 * ("inside", as tf.clip_by_value) or not ("outside").
 */
export function clamp(x: Node, least?: Node, most?: Node, bounds: "inside" | "outside" = "inside"): Node {
  let result = x;
  if (least) {
    const [value, bound] = promoted("clamp", result, least);
    result = where(bounds === "inside" ? lt(value, bound) : le(value, bound), bound, value);
  }
  if (most) {
    const [value, bound] = promoted("clamp", result, most);
    result = where(bounds === "inside" ? gt(value, bound) : ge(value, bound), bound, value);
  }
  return result;
}
/** The smaller of two and the larger of two as bounds, which share the gradient where they are equal to x. */
export function clampBetween(x: Node, least?: Node, most?: Node): Node {
  const above = least ? maximum(x, least) : x;
  return most ? minimum(above, most) : above;
}
/** start + weight · (end − start). */
export function lerp(start: Node, end: Node, weight: Node): Node {
  return add(start, mul(weight, sub(end, start)));
}
/** The value where the mask holds, else x; the result has the dtype of x. */
export function maskedFill(x: Node, mask: Node, value: Node): Node {
  const [condition, kept] = broadcast("maskedFill", cast(mask, "bool"), x);
  return where(condition, cast(value, x.dtype), kept);
}
