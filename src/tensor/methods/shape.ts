/** Methods that move elements without computing anything, and conversion of the dtype. */
import { type DType, parseDType } from "../../graph/dtype.ts";
import { type Shape, sizeOf } from "../../graph/shape.ts";
import * as F from "../functions.ts";
import { atEntry } from "../lift.ts";
import type { Tensor } from "../tensor.ts";
import { ReductionMethods } from "./reductions.ts";

type Axes = number | readonly number[];

/** Methods that give the same elements another shape, order or dtype. */
export abstract class ShapeMethods extends ReductionMethods {
  /** Same elements in another shape; one size may be -1. */
  reshape(this: Tensor, ...shape: readonly number[] | [Shape]): Tensor {
    return F.reshape(this, sizes(shape));
  }
  /** Flattens the axes from `start` to the last. */
  flatten(this: Tensor, start = 0): Tensor {
    return F.reshape(this, [...this.shape.slice(0, start), sizeOf(this.shape.slice(start))]);
  }
  permute(this: Tensor, ...axes: readonly number[] | [readonly number[]]): Tensor {
    return F.permute(this, sizes(axes));
  }
  /** Swaps two axes (the last two by default). */
  transpose(this: Tensor, first = -2, second = -1): Tensor {
    return F.transpose(this, first, second);
  }
  expand(this: Tensor, ...shape: readonly number[] | [Shape]): Tensor {
    return F.expand(this, sizes(shape));
  }
  /** Removes axes of size 1 (all of them, or the one named). */
  squeeze(this: Tensor, axis?: number): Tensor {
    return F.squeeze(this, axis);
  }
  /** Inserts an axis of size 1. */
  unsqueeze(this: Tensor, axis: number): Tensor {
    return F.unsqueeze(this, axis);
  }
  pad(this: Tensor, paddings: readonly (readonly [number, number])[], value?: number): Tensor {
    return F.pad(this, paddings, value);
  }
  flip(this: Tensor, axes?: Axes): Tensor {
    return F.flip(this, axes);
  }
  /** Converts; a dtype that does not exist is an error that names the nearest. */
  cast(this: Tensor, dtype: DType | (string & {})): Tensor {
    return atEntry(this.cast, () => F.cast(this, parseDType(dtype)));
  }
  /** NumPy's name for `cast`. */
  astype(this: Tensor, dtype: DType | (string & {})): Tensor {
    return atEntry(this.astype, () => F.cast(this, parseDType(dtype)));
  }
}

function sizes(list: readonly number[] | readonly [Shape]): Shape {
  return typeof list[0] === "object" ? (list[0] as Shape) : (list as readonly number[]);
}
