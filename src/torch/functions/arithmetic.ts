/** Elementwise arithmetic and functions, as free functions. */
import * as F from "../../tensor/functions.ts";
import { free } from "./free.ts";

/** input + alpha · other, broadcast. */
export const add = free("add");
/** input − alpha · other, broadcast. */
export const sub = free("sub");
/** input · other; either may be a number. */
export const mul = F.mul;
/** input / other in f32, or rounded with `roundingMode`. */
export const div = free("div");
/** Power; base or exponent may be a number. */
export const pow = F.pow;
/** ⌊input / other⌋. */
export const floorDivide = F.floorDivide;
/** Remainder with the sign of the divisor. */
export const remainder = F.remainder;
/** Remainder with the sign of the dividend. */
export const fmod = F.fmod;
/** PyTorch's other name of `mul`. */
export const multiply = free("multiply");
/** PyTorch's other name of `sub`. */
export const subtract = free("subtract");
/** PyTorch's other name of `div`. */
export const divide = free("divide");
/** PyTorch's other name of `div`. */
export const trueDivide = free("trueDivide");
/** −x. */
export const neg = free("neg");
/** −x. */
export const negative = free("negative");
/** |x|. */
export const abs = free("abs");
/** |x|. */
export const absolute = free("absolute");
/** −1, 0 or 1. */
export const sign = free("sign");
/** ⌊x⌋. */
export const floor = free("floor");
/** ⌈x⌉. */
export const ceil = free("ceil");
/** The nearest integer, of two the even one. */
export const round = free("round");
/** x without what is behind the point. */
export const trunc = free("trunc");
/** What is behind the point. */
export const frac = free("frac");
/** √x. */
export const sqrt = free("sqrt");
/** 1 / √x. */
export const rsqrt = free("rsqrt");
/** x². */
export const square = free("square");
/** 1 / x. */
export const reciprocal = free("reciprocal");
/** eˣ. */
export const exp = free("exp");
/** 2ˣ. */
export const exp2 = free("exp2");
/** eˣ − 1. */
export const expm1 = free("expm1");
/** ln x. */
export const log = free("log");
/** log₂ x. */
export const log2 = free("log2");
/** log₁₀ x. */
export const log10 = free("log10");
/** ln(1 + x). */
export const log1p = free("log1p");
/** Sine. */
export const sin = free("sin");
/** Cosine. */
export const cos = free("cos");
/** Tangent. */
export const tan = free("tan");
/** Inverse sine. */
export const asin = free("asin");
/** Inverse cosine. */
export const acos = free("acos");
/** Inverse tangent. */
export const atan = free("atan");
/** Hyperbolic sine. */
export const sinh = free("sinh");
/** Hyperbolic cosine. */
export const cosh = free("cosh");
/** Hyperbolic tangent. */
export const tanh = free("tanh");
/** Inverse hyperbolic sine. */
export const asinh = free("asinh");
/** Inverse hyperbolic cosine. */
export const acosh = free("acosh");
/** Inverse hyperbolic tangent. */
export const atanh = free("atanh");
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = free("sigmoid");
/** max(x, 0). */
export const relu = free("relu");
/** Error function. */
export const erf = free("erf");
/** 1 − erf x. */
export const erfc = free("erfc");
/** ln(x / (1 − x)). */
export const logit = free("logit");
/** The angle of the point (second, first). */
export const atan2 = F.atan2;
/** √(a² + b²). */
export const hypot = F.hypot;
/** ln(eᵃ + eᵇ). */
export const logaddexp = F.logAddExp;
/** a · ln b, 0 where a is 0. */
export const xlogy = F.xlogy;
/** Limits values to bounds. */
export const clamp = free("clamp");
/** Limits values to bounds. */
export const clip = free("clamp");
/** start + weight · (end − start). */
export const lerp = free("lerp");
/** input + value · a · b. */
export const addcmul = free("addcmul");
/** input + value · a / b. */
export const addcdiv = free("addcdiv");
/** 0 below 0, 1 above, `values` at 0. */
export const heaviside = free("heaviside");
/** Numbers in place of NaN and infinities. */
export const nanToNum = free("nanToNum");
/** The value where the mask holds. */
export const maskedFill = free("maskedFill");
/** The larger of each pair. */
export const maximum = F.maximum;
/** The smaller of each pair. */
export const minimum = F.minimum;
