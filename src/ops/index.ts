/** Every op, one line each. From this table come the oracle comparison on every target, the gradient checks and the documentation. */

import { argsort } from "./argsort.ts";
import { add, div, floorDivide, maximum, minimum, mul, pow, remainder, sub } from "./arithmetic.ts";
import { bitcast, cast } from "./cast.ts";
import { checkIndices } from "./check-indices.ts";
import { eq, ge, gt, le, lt, ne } from "./compare.ts";
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from "./conv2d.ts";
import { cumulativeProduct, cumulativeSum, linearRecurrence } from "./cumulative.ts";
import type { Op } from "./define.ts";
import { gather, scatterAdd } from "./gather.ts";
import { constant, iota } from "./generate.ts";
import { atan } from "./inverse-circular.ts";
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
import { matmul } from "./matmul.ts";
import { concat, expand, flip, pad, permute, slice } from "./movement.ts";
import { randomBits, randomNormal, randomTruncatedNormal, randomUniform } from "./random.ts";
import { all, amax, amin, any, argmax, argmin, prod, sum } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { scatterAddAlongAxis, takeAlongAxis } from "./take-along-axis.ts";
import { cos, erf, exp, expm1, log, log1p, normalCdf, sigmoid, sin, tanh } from "./transcendental.ts";
import { abs, ceil, floor, neg, relu, round, rsqrt, sign, sqrt, trunc } from "./unary.ts";
import { where } from "./where.ts";
import { windowArgmax, windowMax, windowPick, windowPickTranspose, windowSum, windowSumTranspose } from "./window.ts";
import { windowCount } from "./window-count.ts";

export * from "./argsort.ts";
export * from "./arithmetic.ts";
export * from "./cast.ts";
export * from "./check-indices.ts";
export * from "./compare.ts";
export * from "./conv2d.ts";
export * from "./cumulative.ts";
export * from "./exclusive-product.ts";
export * from "./gather.ts";
export * from "./generate.ts";
export * from "./inverse-circular.ts";
export * from "./logic.ts";
export * from "./matmul.ts";
export * from "./movement.ts";
export * from "./random.ts";
export * from "./reduce.ts";
export * from "./reshape.ts";
export * from "./take-along-axis.ts";
export * from "./transcendental.ts";
export * from "./unary.ts";
export * from "./where.ts";
export * from "./window.ts";
export * from "./window-count.ts";

export const ops = {
  abs,
  add,
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  argsort,
  atan,
  bitcast,
  bitwiseAnd,
  bitwiseOr,
  bitwiseXor,
  cast,
  ceil,
  checkIndices,
  concat,
  constant,
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  cos,
  cumulativeProduct,
  cumulativeSum,
  div,
  eq,
  erf,
  exp,
  expand,
  expm1,
  flip,
  floor,
  floorDivide,
  gather,
  ge,
  gt,
  iota,
  le,
  linearRecurrence,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  lt,
  matmul,
  maximum,
  minimum,
  mul,
  ne,
  neg,
  normalCdf,
  pad,
  permute,
  pow,
  prod,
  randomBits,
  randomNormal,
  randomTruncatedNormal,
  randomUniform,
  relu,
  remainder,
  reshape,
  round,
  rsqrt,
  scatterAdd,
  scatterAddAlongAxis,
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
  takeAlongAxis,
  tanh,
  trunc,
  where,
  windowArgmax,
  windowCount,
  windowMax,
  windowPick,
  windowPickTranspose,
  windowSum,
  windowSumTranspose,
} satisfies Record<string, Op>;
