/**
 * Decompositions: every scalar function in terms of the primitives that all machines have (one or two instructions of the kernel IR each).
 *
 * The result is again a scalar expression. It means what it says under machine semantics: f32 arithmetic rounds each operation once, `fma` once in all,
 * `min`/`max` of f32 give their second input where either is NaN, `cast` from f32 to i32 gives −2³¹ where it does not fit. Only the
 * primitives below occur in it. The same bits on every machine: no approximate instruction is used. Coefficients: `tools/fit-polynomials.py`.
 */
import { type ScalarExpression, type ScalarFunction, scalarCall } from "../scalar.ts";
import { linearize } from "../scalar-linear.ts";
import { cos, sin } from "./circular.ts";
import { floorDiv, remainder } from "./division.ts";
import { erf, exp, expm1, expOfNonPositive, sigmoid, tanh } from "./exponential.ts";
import { log, log1p } from "./logarithm.ts";
import { normalCdf } from "./normal.ts";
import { pow } from "./power.ts";
import { castTo, fusedMultiplyAdd, maximum, minimum, rsqrt, sign } from "./selection.ts";

/** Builds the decomposition of one call from its inputs, or "primitive" where there is nothing to do. */
type Decomposition =
  | "primitive"
  | ((call: ScalarExpression & { kind: "call" }, inputs: ScalarExpression[]) => ScalarExpression);

const unary =
  (build: (x: ScalarExpression) => ScalarExpression): Decomposition =>
  (_call, [x]) =>
    build(x);
const binary =
  (build: (a: ScalarExpression, b: ScalarExpression) => ScalarExpression): Decomposition =>
  (_call, [a, b]) =>
    build(a, b);

const decompositions: Readonly<Record<ScalarFunction, Decomposition>> = {
  add: "primitive",
  sub: "primitive",
  mul: "primitive",
  div: "primitive",
  fma: (call, [a, b, c]) => (call.dtype === "f32" ? scalarCall("fma", a, b, c) : fusedMultiplyAdd(a, b, c)),
  neg: "primitive",
  abs: "primitive",
  min: binary(minimum),
  max: binary(maximum),
  floorDiv: binary(floorDiv),
  remainder: binary(remainder),
  sqrt: "primitive",
  rsqrt: unary(rsqrt),
  floor: "primitive",
  ceil: "primitive",
  round: "primitive",
  trunc: "primitive",
  sign: unary(sign),
  exp: unary(exp),
  expOfNonPositive: unary(expOfNonPositive),
  expm1: unary(expm1),
  log: unary(log),
  log1p: unary(log1p),
  tanh: unary(tanh),
  sigmoid: unary(sigmoid),
  erf: unary(erf),
  normalCdf: unary(normalCdf),
  sin: unary(sin),
  cos: unary(cos),
  pow: binary(pow),
  lt: "primitive",
  le: "primitive",
  gt: "primitive",
  ge: "primitive",
  eq: "primitive",
  ne: "primitive",
  and: "primitive",
  or: "primitive",
  not: "primitive",
  xor: "primitive",
  bitAnd: "primitive",
  bitOr: "primitive",
  bitXor: "primitive",
  shiftLeft: "primitive",
  shiftRightLogical: "primitive",
  shiftRightArithmetic: "primitive",
  select: "primitive",
  cast: (call, [x]) => castTo(x, call.dtype),
  bitcast: "primitive",
};

/** Lowers every scalar function of an expression to primitives. Shared parts stay shared. */
export function decompose(expression: ScalarExpression): ScalarExpression {
  const results: ScalarExpression[] = [];
  for (const { expression: current, inputs } of linearize(expression)) {
    if (current.kind !== "call") {
      results.push(current);
      continue;
    }
    const parts = inputs.map((position) => results[position]);
    const decomposition = decompositions[current.function];
    if (decomposition !== "primitive") results.push(decomposition(current, parts));
    else if (parts.every((part, i) => part === current.inputs[i])) results.push(current);
    else results.push({ ...current, inputs: parts });
  }
  return results[results.length - 1];
}
