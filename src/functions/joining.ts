/** Tensors put together with PyTorch's rules: dtypes are promoted. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { promote } from "../graph/dtype.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, normalizeAxis, sameShape, sizeOf } from "../graph/shape.ts";
import { cast } from "../ops/cast.ts";
import { concat } from "../ops/movement.ts";
import { reshape } from "../ops/reshape.ts";

/**
 * Tensors one after the other along an axis, with PyTorch's rules: dtypes are promoted, and vectors without elements fit everything (to start a
 * list of batches with).
 */
export function join(inputs: readonly Node[], axis = 0): Node {
  if (inputs.length === 0) throw new ArgumentError("cat: expected at least one tensor.");
  const dtype = inputs.map((x) => x.dtype).reduce(promote);
  const full = inputs.filter((x) => x.shape.length !== 1 || x.shape[0] !== 0);
  const parts = (full.length > 0 ? full : inputs.slice(0, 1)).map((x) => cast(x, dtype));
  return concat(parts, axis);
}

/** Tensors of one shape along a new axis; dtypes are promoted. */
export function stackPromoted(inputs: readonly Node[], axis = 0): Node {
  if (inputs.length === 0) throw new ArgumentError("stack: expected at least one tensor.");
  const odd = inputs.find((x) => !sameShape(x.shape, inputs[0].shape));
  if (odd)
    throw new ShapeError(
      `stack: expected tensors of one shape, received ${formatShape(inputs[0].shape)} and ${formatShape(odd.shape)}.`,
    );
  const at = normalizeAxis("stack", axis, inputs[0].shape.length + 1);
  return join(
    inputs.map((x) => reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)])),
    at,
  );
}

/** Tensors of rank `least` at least: axes of size 1 are added in front (and one behind, for a third). */
function withRank(x: Node, least: 1 | 2 | 3): Node {
  const { shape } = x;
  if (shape.length >= least) return x;
  if (least === 3) return reshape(withRank(x, 2), shape.length === 2 ? [...shape, 1] : [1, sizeOf(shape), 1]);
  return reshape(x, least === 2 ? [1, sizeOf(shape)] : [1]);
}

/** Side by side along the second axis; vectors one after the other. */
export function stackHorizontally(inputs: readonly Node[]): Node {
  const parts = inputs.map((x) => withRank(x, 1));
  return join(parts, parts.length > 0 && parts[0].shape.length > 1 ? 1 : 0);
}
/** One below the other; vectors are rows. */
export function stackVertically(inputs: readonly Node[]): Node {
  return join(
    inputs.map((x) => withRank(x, 2)),
    0,
  );
}
/** One behind the other along the third axis. */
export function stackInDepth(inputs: readonly Node[]): Node {
  return join(
    inputs.map((x) => withRank(x, 3)),
    2,
  );
}
