/** Reductions (over all axes by default), softmax and products of matrices. */
import * as F from "../functions.ts";
import type { Tensor } from "../tensor.ts";
import { ArithmeticMethods } from "./arithmetic.ts";

type Axes = number | readonly number[];

/** Methods that combine elements. */
export abstract class ReductionMethods extends ArithmeticMethods {
  sum(this: Tensor, axes?: Axes, keepDims?: boolean): Tensor {
    return F.sum(this, axes, keepDims);
  }
  mean(this: Tensor, axes?: Axes, keepDims?: boolean): Tensor {
    return F.mean(this, axes, keepDims);
  }
  prod(this: Tensor, axes?: Axes, keepDims?: boolean): Tensor {
    return F.prod(this, axes, keepDims);
  }
  amax(this: Tensor, axes?: Axes, keepDims?: boolean): Tensor {
    return F.amax(this, axes, keepDims);
  }
  amin(this: Tensor, axes?: Axes, keepDims?: boolean): Tensor {
    return F.amin(this, axes, keepDims);
  }
  any(this: Tensor, axes?: Axes, keepDims?: boolean): Tensor {
    return F.any(this, axes, keepDims);
  }
  all(this: Tensor, axes?: Axes, keepDims?: boolean): Tensor {
    return F.all(this, axes, keepDims);
  }
  /** Position of the first maximum along an axis, or in the flattened tensor. */
  argmax(this: Tensor, axis?: number, keepDims?: boolean): Tensor {
    return F.argmax(this, axis, keepDims);
  }
  argmin(this: Tensor, axis?: number, keepDims?: boolean): Tensor {
    return F.argmin(this, axis, keepDims);
  }
  /** Euclidean norm of all elements. */
  norm(this: Tensor): Tensor {
    return F.sqrt(F.sum(F.square(this)));
  }
  softmax(this: Tensor, axis = -1): Tensor {
    return F.softmax(this, axis);
  }
  logSoftmax(this: Tensor, axis = -1): Tensor {
    return F.logSoftmax(this, axis);
  }

  // ---- linear algebra ----
  matmul(this: Tensor, other: Tensor): Tensor {
    return F.matmul(this, other);
  }
}
