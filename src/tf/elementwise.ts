/** Arithmetic, elementary functions, comparison and logic. Operands broadcast; numbers are arguments of the compiled program. */
import * as magnitudes from "../nn/magnitudes.ts";

import type { Operand, Tensor, TensorLike } from "../tensor/index.ts";
import * as T from "../tensor/index.ts";
import { asOperand, asTensor, type DTypeName } from "./convert.ts";
import { define } from "./define.ts";

type Binary = (a: TensorLike, b: TensorLike) => Tensor;
type Unary = (x: TensorLike) => Tensor;

function named<Body extends (...args: never[]) => unknown>(name: string, body: Body): Body {
  return Object.defineProperty(body, "name", { value: name });
}
const binary = (name: string, operation: (a: Operand, b: Operand) => Tensor): Binary =>
  define(named(name, (a: TensorLike, b: TensorLike) => operation(asOperand(a), asOperand(b))));
const unary = (name: string, operation: (x: Tensor) => Tensor): Unary =>
  define(named(name, (x: TensorLike) => operation(asTensor(x))));

// ---- arithmetic ----
export const add = binary("add", T.add);
export const sub = binary("sub", T.sub);
export const subtract = sub;
export const mul = binary("mul", T.mul);
export const multiply = mul;
export const div = binary("div", T.div);
export const divide = div;
/** TensorFlow's name for division that gives fractions. */
export const truediv = div;
export const pow = binary("pow", T.pow);
export const maximum = binary("maximum", T.maximum);
export const minimum = binary("minimum", T.minimum);
/** ⌊a / b⌋. */
export const floorDiv = binary("floorDiv", T.floorDivide);
/** The remainder of `floorDiv`: of the sign of the divisor. */
export const mod = binary("mod", T.remainder);
export const floorMod = mod;
export const atan2 = binary("atan2", T.atan2);
/** (a − b)². */
export const squaredDifference = define(function squaredDifference(a: TensorLike, b: TensorLike): Tensor {
  return magnitudes.squaredDifference(asOperand(a), asOperand(b));
});
/** a / b, and 0 where b is 0. */
export const divNoNan = define(function divNoNan(a: TensorLike, b: TensorLike): Tensor {
  return magnitudes.quotientOrZero(asOperand(a), asTensor(b));
});
/** The sum of tensors of one shape. */
export const addN = define(function addN(tensors: readonly Tensor[]): Tensor {
  return magnitudes.sumOfTensors(tensors);
});

// ---- elementary functions ----
export const neg = unary("neg", T.neg);
export const negative = neg;
export const abs = unary("abs", T.abs);
export const sign = unary("sign", T.sign);
export const floor = unary("floor", T.floor);
export const ceil = unary("ceil", T.ceil);
/** To the nearest whole number, halves to the even one. */
export const round = unary("round", T.round);
export const exp = unary("exp", T.exp);
export const expm1 = unary("expm1", T.expm1);
export const log = unary("log", T.log);
export const log1p = unary("log1p", T.log1p);
export const sqrt = unary("sqrt", T.sqrt);
export const rsqrt = unary("rsqrt", T.rsqrt);
export const square = unary("square", T.square);
export const reciprocal = unary("reciprocal", T.reciprocal);
export const sin = unary("sin", T.sin);
export const cos = unary("cos", T.cos);
export const tan = unary("tan", T.tan);
export const asin = unary("asin", T.asin);
export const acos = unary("acos", T.acos);
export const sinh = unary("sinh", T.sinh);
export const cosh = unary("cosh", T.cosh);
export const asinh = unary("asinh", T.asinh);
export const acosh = unary("acosh", T.acosh);
export const atanh = unary("atanh", T.atanh);
export const tanh = unary("tanh", T.tanh);
export const sigmoid = unary("sigmoid", T.sigmoid);
export const relu = unary("relu", T.relu);
export const relu6 = unary("relu6", T.relu6);
export const elu = unary("elu", T.elu);
export const selu = unary("selu", T.selu);
export const softplus = unary("softplus", T.softplus);
export const logSigmoid = unary("logSigmoid", T.logSigmoid);
export const erf = unary("erf", T.erf);
export const erfc = unary("erfc", T.erfc);
const isNotANumber = unary("isNaN", T.isNotANumber);
export const isInf = unary("isInf", T.isInfinite);
const isFiniteNumber = unary("isFinite", T.isFiniteNumber);

export { isFiniteNumber as isFinite, isNotANumber as isNaN };

/** x for x > 0, alpha · x otherwise. */
export const leakyRelu = define(function leakyRelu(x: TensorLike, alpha = 0.2): Tensor {
  return T.leakyRelu(asTensor(x), alpha);
});
/** x · Φ(x); with `approximate` by a hyperbolic tangent. */
export const gelu = define(function gelu(x: TensorLike, approximate = false): Tensor {
  return T.gelu(asTensor(x), approximate);
});
/** x · σ(x). */
export const swish = unary("swish", T.silu);
export const silu = swish;
/** Values limited to [least, most]; the gradient passes on the bounds themselves. */
export const clipByValue = define(function clipByValue(x: TensorLike, least: number, most: number): Tensor {
  return T.clip(asTensor(x), least, most);
});

// ---- comparison and logic ----
export const equal = binary("equal", T.eq);
export const notEqual = binary("notEqual", T.ne);
export const less = binary("less", T.lt);
export const lessEqual = binary("lessEqual", T.le);
export const greater = binary("greater", T.gt);
export const greaterEqual = binary("greaterEqual", T.ge);
export const logicalAnd = binary("logicalAnd", T.logicalAnd);
export const logicalOr = binary("logicalOr", T.logicalOr);
export const logicalXor = binary("logicalXor", T.logicalXor);
export const logicalNot = unary("logicalNot", T.logicalNot);

/** Elements of `a` where the condition holds, of `b` elsewhere; everything broadcasts. */
export const where = define(function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  return T.where(asTensor(condition), asOperand(a), asOperand(b));
});

/** Converts to a dtype: `tf.cast(x, "int32")`. */
export const cast = define(function cast(x: TensorLike, dtype: DTypeName): Tensor {
  return asTensor(x).cast(dtype);
});
/** The same value without a gradient path. */
export const stopGradient = define(function stopGradient(x: TensorLike): Tensor {
  return T.detach(asTensor(x));
});
/** The same value; of a variable the one that it has now. */
export const identity = define(function identity(x: TensorLike): Tensor {
  return x instanceof T.Variable ? T.valueNow(x) : asTensor(x);
});
