/** Modules that change the shape, and the one that changes nothing. */
import { ArgumentError, ShapeError } from "../../errors.ts";
import { formatShape, normalizeAxis, sizeOf } from "../../graph/shape.ts";
import type { Tensor } from "../../tensor/index.ts";
import { layerName, Module } from "./module.ts";
import { pythonText } from "./module-text.ts";

/** The input itself; takes and ignores any arguments. After torch.nn.Identity. */
export class Identity extends Module {
  constructor(..._ignored: readonly unknown[]) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** Joins the axes from startDim (default 1) to endDim (default the last). After torch.nn.Flatten. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;
  constructor(startDim: number | { readonly startDim?: number; readonly endDim?: number } = 1, endDim = -1) {
    super();
    const given = typeof startDim === "number" ? { startDim, endDim } : startDim;
    this.startDim = given.startDim ?? 1;
    this.endDim = given.endDim ?? -1;
  }
  override forward(x: Tensor): Tensor {
    const name = layerName(this);
    const start = normalizeAxis(name, this.startDim, x.rank);
    const end = normalizeAxis(name, this.endDim, x.rank);
    if (start > end) {
      throw new ArgumentError(
        `${name}: startDim ${this.startDim} lies behind endDim ${this.endDim} in ${formatShape(x.shape)}.`,
      );
    }
    return x.reshape([...x.shape.slice(0, start), sizeOf(x.shape.slice(start, end + 1)), ...x.shape.slice(end + 1)]);
  }
  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/** Splits an axis into several. After torch.nn.Unflatten. */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattenedSize: readonly number[];
  constructor(dim: number, unflattenedSize: readonly number[]) {
    super();
    this.dim = dim;
    this.unflattenedSize = [...unflattenedSize];
  }
  override forward(x: Tensor): Tensor {
    const name = layerName(this);
    const axis = normalizeAxis(name, this.dim, x.rank);
    const known = sizeOf(this.unflattenedSize.filter((extent) => extent !== -1));
    const sizes = this.unflattenedSize.map((extent) => (extent === -1 ? x.shape[axis] / known : extent));
    if (sizeOf(sizes) !== x.shape[axis] || !sizes.every(Number.isInteger)) {
      throw new ShapeError(
        `${name}: axis ${this.dim} of an input of shape ${formatShape(x.shape)} cannot become ${formatShape(this.unflattenedSize)}.`,
      );
    }
    return x.reshape([...x.shape.slice(0, axis), ...sizes, ...x.shape.slice(axis + 1)]);
  }
  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${pythonText(this.unflattenedSize)}`;
  }
}
