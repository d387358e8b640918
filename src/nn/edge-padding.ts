/** Padding with what the data holds: mirrored, repeated at the edge, or going round. */
import { ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import { gather, type Tensor, tensor } from "../tensor/index.ts";

export type EdgeMode = "reflect" | "replicate" | "circular";

/** Where position `index` of data of a length comes from; it may lie before 0 or beyond the end. */
function source(index: number, length: number, mode: EdgeMode): number {
  if (mode === "replicate") return Math.min(Math.max(index, 0), length - 1);
  if (mode === "circular") return ((index % length) + length) % length;
  const mirrored = Math.abs(index);
  return mirrored < length ? mirrored : 2 * (length - 1) - mirrored;
}

/** Pads axes by numbers of positions before and after; negative numbers cut. */
export function padEdges(
  owner: string,
  x: Tensor,
  paddings: readonly (readonly [axis: number, before: number, after: number])[],
  mode: EdgeMode,
): Tensor {
  let result = x;
  for (const [axis, before, after] of paddings) {
    if (before === 0 && after === 0) continue;
    const length = x.shape[axis];
    const most = mode === "reflect" ? length - 1 : mode === "circular" ? length : Number.POSITIVE_INFINITY;
    if (Math.max(before, after) > most || length + before + after < 1 || length === 0) {
      throw new ShapeError(
        `${owner}: padding of ${before} and ${after} with mode "${mode}" does not fit axis ${axis} of data of shape ${formatShape(x.shape)}` +
          `${Number.isFinite(most) ? `: at most ${most} on a side` : ""}.`,
      );
    }
    const positions = Int32Array.from({ length: length + before + after }, (_, index) =>
      source(index - before, length, mode),
    );
    result = gather(result, tensor(positions), axis);
  }
  return result;
}
