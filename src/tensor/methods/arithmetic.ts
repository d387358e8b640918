/** Arithmetic, comparison and logic: broadcasts; numbers are run-time arguments of the compiled program. */
import * as F from "../functions.ts";
import type { Operand } from "../lift.ts";
import type { Tensor } from "../tensor.ts";
import { ReadingMethods } from "./reading.ts";

/** Elementwise methods. */
export abstract class ArithmeticMethods extends ReadingMethods {
  add(this: Tensor, other: Operand): Tensor {
    return F.add(this, other);
  }
  sub(this: Tensor, other: Operand): Tensor {
    return F.sub(this, other);
  }
  mul(this: Tensor, other: Operand): Tensor {
    return F.mul(this, other);
  }
  div(this: Tensor, other: Operand): Tensor {
    return F.div(this, other);
  }
  pow(this: Tensor, exponent: Operand): Tensor {
    return F.pow(this, exponent);
  }
  minimum(this: Tensor, other: Operand): Tensor {
    return F.minimum(this, other);
  }
  maximum(this: Tensor, other: Operand): Tensor {
    return F.maximum(this, other);
  }
  floorDivide(this: Tensor, other: Operand): Tensor {
    return F.floorDivide(this, other);
  }
  remainder(this: Tensor, other: Operand): Tensor {
    return F.remainder(this, other);
  }
  neg(this: Tensor): Tensor {
    return F.neg(this);
  }
  abs(this: Tensor): Tensor {
    return F.abs(this);
  }
  sign(this: Tensor): Tensor {
    return F.sign(this);
  }
  floor(this: Tensor): Tensor {
    return F.floor(this);
  }
  ceil(this: Tensor): Tensor {
    return F.ceil(this);
  }
  round(this: Tensor): Tensor {
    return F.round(this);
  }
  trunc(this: Tensor): Tensor {
    return F.trunc(this);
  }
  sqrt(this: Tensor): Tensor {
    return F.sqrt(this);
  }
  rsqrt(this: Tensor): Tensor {
    return F.rsqrt(this);
  }
  square(this: Tensor): Tensor {
    return F.square(this);
  }
  reciprocal(this: Tensor): Tensor {
    return F.reciprocal(this);
  }
  exp(this: Tensor): Tensor {
    return F.exp(this);
  }
  expm1(this: Tensor): Tensor {
    return F.expm1(this);
  }
  log(this: Tensor): Tensor {
    return F.log(this);
  }
  log1p(this: Tensor): Tensor {
    return F.log1p(this);
  }
  tanh(this: Tensor): Tensor {
    return F.tanh(this);
  }
  sigmoid(this: Tensor): Tensor {
    return F.sigmoid(this);
  }
  erf(this: Tensor): Tensor {
    return F.erf(this);
  }
  sin(this: Tensor): Tensor {
    return F.sin(this);
  }
  cos(this: Tensor): Tensor {
    return F.cos(this);
  }
  relu(this: Tensor): Tensor {
    return F.relu(this);
  }
  clip(this: Tensor, minimum?: number, maximum?: number): Tensor {
    return F.clip(this, minimum, maximum);
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
}
