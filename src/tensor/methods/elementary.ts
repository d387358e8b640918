/** Elementary functions beside those of arithmetic.ts. */
import * as F from "../functions.ts";
import type { Operand } from "../lift.ts";
import type { Tensor } from "../tensor.ts";
import { ArithmeticMethods } from "./arithmetic.ts";

/** More elementwise methods. */
export abstract class ElementaryMethods extends ArithmeticMethods {
  /** 2ˣ. */
  exp2(this: Tensor): Tensor {
    return F.exp2(this);
  }
  /** log₂ x. */
  log2(this: Tensor): Tensor {
    return F.log2(this);
  }
  /** log₁₀ x. */
  log10(this: Tensor): Tensor {
    return F.log10(this);
  }
  tan(this: Tensor): Tensor {
    return F.tan(this);
  }
  asin(this: Tensor): Tensor {
    return F.asin(this);
  }
  acos(this: Tensor): Tensor {
    return F.acos(this);
  }
  atan(this: Tensor): Tensor {
    return F.atan(this);
  }
  sinh(this: Tensor): Tensor {
    return F.sinh(this);
  }
  cosh(this: Tensor): Tensor {
    return F.cosh(this);
  }
  asinh(this: Tensor): Tensor {
    return F.asinh(this);
  }
  acosh(this: Tensor): Tensor {
    return F.acosh(this);
  }
  atanh(this: Tensor): Tensor {
    return F.atanh(this);
  }
  /** 1 − erf x. */
  erfc(this: Tensor): Tensor {
    return F.erfc(this);
  }
  /** ln(x / (1 − x)). */
  logit(this: Tensor): Tensor {
    return F.logit(this);
  }
  /** x − trunc x. */
  frac(this: Tensor): Tensor {
    return F.frac(this);
  }
  /** The angle of the point (other, this), in (−π, π]. */
  atan2(this: Tensor, other: Operand): Tensor {
    return F.atan2(this, other);
  }
  /** √(this² + other²). */
  hypot(this: Tensor, other: Operand): Tensor {
    return F.hypot(this, other);
  }
  /** Remainder with the sign of this (`remainder` has that of the divisor). */
  fmod(this: Tensor, other: Operand): Tensor {
    return F.fmod(this, other);
  }
  /** ln(eᵃ + eᵇ). */
  logaddexp(this: Tensor, other: Operand): Tensor {
    return F.logAddExp(this, other);
  }
  /** this · ln other, 0 where this is 0. */
  xlogy(this: Tensor, other: Operand): Tensor {
    return F.xlogy(this, other);
  }
  /** Subtraction with the operands exchanged: alpha is the factor of this. */
  rsub(this: Tensor, other: Operand): Tensor {
    return F.sub(other, this);
  }
  multiply(this: Tensor, other: Operand): Tensor {
    return F.mul(this, other);
  }
  subtract(this: Tensor, other: Operand): Tensor {
    return F.sub(this, other);
  }
  divide(this: Tensor, other: Operand): Tensor {
    return F.div(this, other);
  }
  trueDivide(this: Tensor, other: Operand): Tensor {
    return F.div(this, other);
  }
  negative(this: Tensor): Tensor {
    return F.neg(this);
  }
  absolute(this: Tensor): Tensor {
    return F.abs(this);
  }
  /** this + weight · (end − this). */
  lerp(this: Tensor, end: Tensor, weight: Operand): Tensor {
    return F.lerp(this, end, weight);
  }
  /** this + value · first · second. */
  addcmul(this: Tensor, first: Tensor, second: Tensor, options: { readonly value?: number } = {}): Tensor {
    const product = F.mul(first, second);
    return F.add(this, options.value === undefined ? product : F.mul(product, options.value));
  }
  /** this + value · first / second. */
  addcdiv(this: Tensor, first: Tensor, second: Tensor, options: { readonly value?: number } = {}): Tensor {
    const quotient = F.div(first, second);
    return F.add(this, options.value === undefined ? quotient : F.mul(quotient, options.value));
  }
  /** 1 where the value is above 0, 0 below; `values` at 0 itself. */
  heaviside(this: Tensor, values: Operand): Tensor {
    return F.where(F.eq(this, 0), values, F.cast(F.gt(this, 0), this.dtype));
  }
  isnan(this: Tensor): Tensor {
    return F.isNotANumber(this);
  }
  isinf(this: Tensor): Tensor {
    return F.isInfinite(this);
  }
  isfinite(this: Tensor): Tensor {
    return F.isFiniteNumber(this);
  }
  /** True where |this − other| ≤ atol + rtol · |other|. */
  isclose(this: Tensor, other: Tensor, options: CloseOptions = {}): Tensor {
    return F.isClose(this, other, options.rtol, options.atol, options.equalNan);
  }
  /** Numbers in place of NaN, ∞ and −∞: 0 and the largest finite ones unless given. */
  nanToNum(this: Tensor, nan?: number, posinf?: number, neginf?: number): Tensor {
    return F.nanToNumber(this, nan, posinf, neginf);
  }
  /** The value where the mask holds, else this. */
  maskedFill(this: Tensor, mask: Tensor, value: Operand): Tensor {
    return F.maskedFill(this, mask, value);
  }
  /** This where the condition holds, else other. */
  where(this: Tensor, condition: Tensor, other: Operand): Tensor {
    return F.where(condition, this, other);
  }
  /** ln(1 + eˣ). */
  softplus(this: Tensor): Tensor {
    return F.softplus(this);
  }

  // ---- comparison and logic (bool) ----
  lt(this: Tensor, other: Operand): Tensor {
    return F.lt(this, other);
  }
  le(this: Tensor, other: Operand): Tensor {
    return F.le(this, other);
  }
  gt(this: Tensor, other: Operand): Tensor {
    return F.gt(this, other);
  }
  ge(this: Tensor, other: Operand): Tensor {
    return F.ge(this, other);
  }
  eq(this: Tensor, other: Operand): Tensor {
    return F.eq(this, other);
  }
  ne(this: Tensor, other: Operand): Tensor {
    return F.ne(this, other);
  }
  logicalAnd(this: Tensor, other: Operand): Tensor {
    return F.logicalAnd(this, other);
  }
  logicalOr(this: Tensor, other: Operand): Tensor {
    return F.logicalOr(this, other);
  }
  logicalXor(this: Tensor, other: Operand): Tensor {
    return F.logicalXor(this, other);
  }
  logicalNot(this: Tensor): Tensor {
    return F.logicalNot(this);
  }
  less(this: Tensor, other: Operand): Tensor {
    return F.lt(this, other);
  }
  lessEqual(this: Tensor, other: Operand): Tensor {
    return F.le(this, other);
  }
  greater(this: Tensor, other: Operand): Tensor {
    return F.gt(this, other);
  }
  greaterEqual(this: Tensor, other: Operand): Tensor {
    return F.ge(this, other);
  }
  notEqual(this: Tensor, other: Operand): Tensor {
    return F.ne(this, other);
  }
  bitwiseAnd(this: Tensor, other: Operand): Tensor {
    return F.bitwiseAnd(this, other);
  }
  bitwiseOr(this: Tensor, other: Operand): Tensor {
    return F.bitwiseOr(this, other);
  }
  bitwiseXor(this: Tensor, other: Operand): Tensor {
    return F.bitwiseXor(this, other);
  }
}

/** Keyword arguments of `isclose` and `allclose`. */
export interface CloseOptions {
  /** Allowed distance as a part of the other value; 1e-5 unless given. */
  readonly rtol?: number;
  /** Allowed distance; 1e-8 unless given. */
  readonly atol?: number;
  /** Whether NaN is close to NaN. */
  readonly equalNan?: boolean;
}
