/** Every op, one line each. From this table come the oracle comparison on every target, the gradient checks and the documentation. */
import { add, div, floorDivide, maximum, minimum, mul, pow, remainder, sub } from "./arithmetic.ts";
import { bitcast, cast } from "./cast.ts";
import { eq, ge, gt, le, lt, ne } from "./compare.ts";
import type { Op } from "./define.ts";
import { constant, iota } from "./generate.ts";
import {
  bitwiseAnd,
  bitwiseOr,
  bitwiseXor,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  shiftLeft,
  shiftRight,
  shiftRightLogical,
} from "./logic.ts";
import { concat, expand, flip, pad, permute, slice } from "./movement.ts";
import { all, amax, amin, any, argmax, argmin, prod, sum } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { cos, erf, exp, expm1, log, log1p, sigmoid, sin, tanh } from "./transcendental.ts";
import { abs, ceil, floor, neg, relu, round, rsqrt, sign, sqrt, trunc } from "./unary.ts";
import { where } from "./where.ts";

export * from "./arithmetic.ts";
export * from "./cast.ts";
export * from "./compare.ts";
export * from "./exclusive-product.ts";
export * from "./generate.ts";
export * from "./logic.ts";
export * from "./movement.ts";
export * from "./reduce.ts";
export * from "./reshape.ts";
export * from "./transcendental.ts";
export * from "./unary.ts";
export * from "./where.ts";

export const ops = {
  abs,
  add,
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  bitcast,
  bitwiseAnd,
  bitwiseOr,
  bitwiseXor,
  cast,
  ceil,
  concat,
  constant,
  cos,
  div,
  eq,
  erf,
  exp,
  expand,
  expm1,
  flip,
  floor,
  floorDivide,
  ge,
  gt,
  iota,
  le,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  lt,
  maximum,
  minimum,
  mul,
  ne,
  neg,
  pad,
  permute,
  pow,
  prod,
  relu,
  remainder,
  reshape,
  round,
  rsqrt,
  shiftLeft,
  shiftRight,
  shiftRightLogical,
  sigmoid,
  sign,
  sin,
  slice,
  sqrt,
  sub,
  sum,
  tanh,
  trunc,
  where,
} satisfies Record<string, Op>;
