import type { Shape } from "../graph/shape.ts";

/** A shape as TensorFlow programs read it; sizes that are not known yet (in a static graph) are null. */
export class TensorShape {
  readonly dims: readonly (number | null)[];

  constructor(dims: Shape | readonly (number | null)[]) {
    this.dims = dims;
  }
  /** The sizes; an unknown one is null and typed as a number, since programs read sizes that they know. */
  asList(): number[] {
    return [...this.dims] as number[];
  }
  get rank(): number {
    return this.dims.length;
  }
  /** Number of elements, null if a size is unknown. */
  numElements(): number | null {
    return this.dims.reduce<number | null>((count, size) => (count === null || size === null ? null : count * size), 1);
  }
  isFullyDefined(): boolean {
    return this.dims.every((size) => size !== null);
  }
  toString(): string {
    return `(${this.dims.map((size) => size ?? "?").join(", ")})`;
  }
}
