/** Arithmetic, comparison and logic: broadcasts; numbers are run-time arguments of the compiled program. */

import { oneOf } from "../arguments.ts";
import * as F from "../functions.ts";
import { isTensor } from "../handle.ts";
import { atEntry, type Operand } from "../lift.ts";
import type { Tensor } from "../tensor.ts";
import { ReadingMethods } from "./reading.ts";

/** Keyword arguments of `add` and `sub`. */
export interface ScaleOptions {
  /** Factor of the second operand. */
  readonly alpha?: number;
}
/** Keyword arguments of `div`. */
export interface DivideOptions {
  /** Rounds the quotient down or to 0; integers then stay integers. */
  readonly roundingMode?: "floor" | "trunc";
}

/** Keyword arguments of `clamp`. */
export interface BoundOptions {
  readonly min?: Operand;
  readonly max?: Operand;
}

/** The bounds of `clamp(min, max)` or `clamp({ min, max })`. */
export function boundsOf(
  minimum: Operand | BoundOptions | undefined,
  maximum: Operand | undefined,
): [least: Operand | undefined, most: Operand | undefined] {
  return typeof minimum === "object" && !isTensor(minimum) ? [minimum.min, minimum.max] : [minimum, maximum];
}

function scaledBy(operand: Operand, options: ScaleOptions | undefined): Operand {
  const alpha = options?.alpha;
  return alpha === undefined || alpha === 1 ? operand : F.mul(operand, alpha);
}

/** Elementwise methods. */
export abstract class ArithmeticMethods extends ReadingMethods {
  /** this + alpha · other. */
  add(this: Tensor, other: Operand, options?: ScaleOptions): Tensor {
    return F.add(this, scaledBy(other, options));
  }
  /** this − alpha · other. */
  sub(this: Tensor, other: Operand, options?: ScaleOptions): Tensor {
    return F.sub(this, scaledBy(other, options));
  }
  mul(this: Tensor, other: Operand): Tensor {
    return F.mul(this, other);
  }
  /** True quotient in f32, or rounded: down ("floor") or to 0 ("trunc"). */
  div(this: Tensor, other: Operand, options: DivideOptions = {}): Tensor {
    const { roundingMode } = options;
    if (roundingMode === undefined) return F.div(this, other);
    return atEntry(this.div, () =>
      oneOf("div", "roundingMode", roundingMode, ["floor", "trunc"]) === "floor"
        ? F.floorDivide(this, other)
        : F.truncatedDivide(this, other),
    );
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
  /** Limits values to bounds, which are numbers or tensors; either may be left out. The gradient passes on the bounds. */
  clip(this: Tensor, minimum?: Operand, maximum?: Operand): Tensor {
    return F.clip(this, minimum, maximum);
  }
  /** Limits values to bounds, with PyTorch's gradient on the bounds themselves: with one number it passes, with two it does not, tensors share it. */
  clamp(this: Tensor, minimum?: Operand | BoundOptions, maximum?: Operand): Tensor {
    const [least, most] = boundsOf(minimum, maximum);
    return F.clamp(this, least, most);
  }
  clampMin(this: Tensor, minimum: Operand): Tensor {
    return F.clamp(this, minimum);
  }
  clampMax(this: Tensor, maximum: Operand): Tensor {
    return F.clamp(this, undefined, maximum);
  }
}
