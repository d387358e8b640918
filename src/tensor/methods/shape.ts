/** Methods that move elements without computing anything. What they give is a view: in-place methods refuse it. */
import { type Axes, type Sizes, sizes } from "../arguments.ts";
import * as F from "../functions.ts";
import { atEntry } from "../lift.ts";
import type { Tensor } from "../tensor.ts";
import { ReductionMethods } from "./reductions.ts";

/** Methods that give the same elements another shape or order. */
export abstract class ShapeMethods extends ReductionMethods {
  /** Same elements in another shape; one size may be -1. */
  reshape(this: Tensor, ...shape: Sizes): Tensor {
    return F.reshape(this, sizes(shape)).asView("reshape");
  }
  reshapeAs(this: Tensor, other: Tensor): Tensor {
    return F.reshape(this, other.shape).asView("reshapeAs");
  }
  /** Same elements in another shape; one size may be -1. As `reshape`: every tensor is laid out in row-major order. */
  view(this: Tensor, ...shape: Sizes): Tensor {
    return F.reshape(this, sizes(shape)).asView("view");
  }
  viewAs(this: Tensor, other: Tensor): Tensor {
    return F.reshape(this, other.shape).asView("viewAs");
  }
  /** One axis in place of those from `startDim` to `endDim` (included). */
  flatten(this: Tensor, startDim = 0, endDim = -1): Tensor {
    return F.flattenAxes(this, startDim, endDim).asView("flatten");
  }
  ravel(this: Tensor): Tensor {
    return F.reshape(this, [this.size]).asView("ravel");
  }
  /** Several axes in place of one; one size may be -1. */
  unflatten(this: Tensor, dim: number, shape: readonly number[]): Tensor {
    return F.unflatten(this, dim, shape).asView("unflatten");
  }
  /** Axis i of the result is axis axes[i] of this tensor. */
  permute(this: Tensor, ...axes: Sizes): Tensor {
    return F.permute(this, sizes(axes)).asView("permute");
  }
  /** Swaps two axes (the last two by default). */
  transpose(this: Tensor, first = -2, second = -1): Tensor {
    return F.transpose(this, first, second).asView("transpose");
  }
  swapaxes(this: Tensor, first: number, second: number): Tensor {
    return F.transpose(this, first, second).asView("swapaxes");
  }
  /** Transpose of a matrix; a vector or a scalar stays. */
  t(this: Tensor): Tensor {
    return atEntry(this.t, () => transposed(this, "t"));
  }
  /** Transpose of a matrix, or of all axes in reverse order. */
  get T(): Tensor {
    const x = this as unknown as Tensor;
    const axes = x.shape.map((_, axis) => x.rank - 1 - axis);
    return F.permute(x, axes).asView("T");
  }
  /** Transpose of the last two axes. */
  get mT(): Tensor {
    return F.transpose(this as unknown as Tensor, -2, -1).asView("mT");
  }
  /** Axes moved to other places; the others keep their order. */
  movedim(this: Tensor, source: Axes, destination: Axes): Tensor {
    return F.moveAxes(this, source, destination).asView("movedim");
  }
  /** Repeats along axes of size 1 and along new axes in front; -1 keeps a size. */
  expand(this: Tensor, ...shape: Sizes): Tensor {
    return F.expand(this, sizes(shape)).asView("expand");
  }
  expandAs(this: Tensor, other: Tensor): Tensor {
    return F.expand(this, other.shape).asView("expandAs");
  }
  broadcastTo(this: Tensor, ...shape: Sizes): Tensor {
    return F.expand(this, sizes(shape)).asView("broadcastTo");
  }
  /** Removes axes of size 1: all of them, or those named that have it. */
  squeeze(this: Tensor, dim?: Axes): Tensor {
    return (dim === undefined ? F.squeeze(this) : F.squeezeIfOne(this, dim)).asView("squeeze");
  }
  /** Inserts an axis of size 1. */
  unsqueeze(this: Tensor, dim: number): Tensor {
    return F.unsqueeze(this, dim).asView("unsqueeze");
  }
  /** `length` elements from `start` along an axis. */
  narrow(this: Tensor, dim: number, start: number, length: number): Tensor {
    return F.narrow(this, dim, start, length).asView("narrow");
  }
  /** The slice at one position of an axis, which disappears. */
  select(this: Tensor, dim: number, index: number): Tensor {
    return F.select(this, dim, index).asView("select");
  }
  /** Parts along an axis: of one size (the last may be smaller), or of the sizes listed. */
  split(this: Tensor, sizes: number | readonly number[], dim?: number): Tensor[] {
    return F.split(this, sizes, dim).map((part) => part.asView("split"));
  }
  /** At most `chunks` parts of equal size along an axis; the last may be smaller. */
  chunk(this: Tensor, chunks: number, dim?: number): Tensor[] {
    return F.chunk(this, chunks, dim).map((part) => part.asView("chunk"));
  }
  /** The slices along an axis, which disappears. */
  unbind(this: Tensor, dim?: number): Tensor[] {
    return F.unbind(this, dim).map((part) => part.asView("unbind"));
  }
  /** The elements (i, i + offset) of matrices; the diagonal becomes the last axis. */
  diagonal(this: Tensor, offset?: number, dim1?: number, dim2?: number): Tensor {
    return F.diagonal(this, offset, dim1, dim2).asView("diagonal");
  }

  // ---- copies ----
  /** Copies side by side, as many along each axis. */
  repeat(this: Tensor, ...counts: Sizes): Tensor {
    return F.repeat(this, sizes(counts));
  }
  /** Copies side by side; too few counts are filled with 1 in front. */
  tile(this: Tensor, ...counts: Sizes): Tensor {
    return F.tile(this, sizes(counts));
  }
  /** Each element several times in a row along an axis (of the flattened tensor unless given). */
  repeatInterleave(this: Tensor, repeats: number, dim?: number): Tensor {
    return F.repeatInterleave(this, repeats, dim);
  }
  /** Elements shifted along axes; what leaves at one end comes in at the other. */
  roll(this: Tensor, shifts: Axes, dims?: Axes): Tensor {
    return F.roll(this, shifts, dims);
  }
  /** Reverses the order along axes: `flip(0)`, `flip(0, 1)` or `flip([0, 1])`; along all without arguments. */
  flip(this: Tensor, ...dims: readonly number[] | readonly [Axes]): Tensor {
    return F.flip(this, dims.length === 0 ? undefined : dims.flat());
  }
  fliplr(this: Tensor): Tensor {
    return F.flip(this, 1);
  }
  flipud(this: Tensor): Tensor {
    return F.flip(this, 0);
  }
  /** Elements [before, after] of one value added along each axis; negative amounts remove elements. */
  pad(this: Tensor, paddings: readonly (readonly [number, number])[], value?: number): Tensor {
    return F.pad(this, paddings, value);
  }
  /** Of a vector the matrix with it on the diagonal, of a matrix its diagonal. */
  diag(this: Tensor, diagonal?: number): Tensor {
    return F.diag(this, diagonal);
  }
  /** The lower triangle of matrices, 0 elsewhere. */
  tril(this: Tensor, diagonal?: number): Tensor {
    return F.tril(this, diagonal);
  }
  /** The upper triangle of matrices, 0 elsewhere. */
  triu(this: Tensor, diagonal?: number): Tensor {
    return F.triu(this, diagonal);
  }
}

function transposed(x: Tensor, operation: string): Tensor {
  return (x.rank < 2 ? F.reshape(x, x.shape) : F.matrixTranspose(x)).asView(operation);
}
