/** Composites that only move elements: parts, joins, rolls, diagonals, triangles. */
import { ArgumentError, IndexRangeError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { broadcastShapes, checkShape, formatShape, normalizeAxis, type Shape, sizeOf } from "../graph/shape.ts";
import { concat, expand, permute, slice } from "../ops/movement.ts";
import { reshape } from "../ops/reshape.ts";

/** Elements [start, stop) along one axis. */
export function sliceAxis(x: Node, axis: number, start: number, stop?: number): Node {
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? { start, stop } : undefined)),
  );
}

/** `length` elements from `start` along an axis. */
export function narrow(x: Node, axis: number, start: number, length: number): Node {
  const normal = normalizeAxis("narrow", axis, x.shape.length);
  const extent = x.shape[normal];
  const first = start < 0 ? start + extent : start;
  if (!(first >= 0 && length >= 0 && first + length <= extent)) {
    throw new IndexRangeError(
      `narrow: start ${start} and length ${length} exceed axis ${axis}, which has size ${extent}.`,
    );
  }
  return sliceAxis(x, normal, first, first + length);
}

/** The slice at one position of an axis, which disappears. */
export function select(x: Node, axis: number, index: number): Node {
  const normal = normalizeAxis("select", axis, x.shape.length);
  const extent = x.shape[normal];
  const position = index < 0 ? index + extent : index;
  if (!Number.isInteger(index) || position < 0 || position >= extent) {
    throw new IndexRangeError(`select: index ${index} is out of range for axis ${axis}, which has size ${extent}.`);
  }
  return reshape(
    sliceAxis(x, normal, position, position + 1),
    x.shape.filter((_, i) => i !== normal),
  );
}

/** Consecutive parts along an axis: of one size (the last may be smaller), or of the sizes listed. */
export function split(x: Node, sizes: number | readonly number[], axis = 0): Node[] {
  const normal = normalizeAxis("split", axis, x.shape.length);
  const extent = x.shape[normal];
  if (typeof sizes === "number") {
    if (!Number.isInteger(sizes) || sizes < (extent === 0 ? 0 : 1))
      throw new ArgumentError(`split: the size of a part must be a positive integer, received ${sizes}.`);
    const count = Math.max(1, Math.ceil(extent / Math.max(1, sizes)));
    return Array.from({ length: count }, (_, i) => sliceAxis(x, normal, i * sizes, Math.min(extent, (i + 1) * sizes)));
  }
  checkShape("split", sizes);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== extent) {
    throw new ShapeError(
      `split: sizes [${sizes.join(", ")}] add up to ${total}, axis ${axis} of ${formatShape(x.shape)} has size ${extent}.`,
    );
  }
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return sliceAxis(x, normal, start - size, start);
  });
}

/** At most `count` parts of equal size ⌈n / count⌉ along an axis; the last may be smaller. */
export function chunk(x: Node, count: number, axis = 0): Node[] {
  if (!Number.isInteger(count) || count < 1)
    throw new ArgumentError(`chunk: the number of parts must be a positive integer, received ${count}.`);
  const extent = x.shape[normalizeAxis("chunk", axis, x.shape.length)];
  if (extent === 0) return Array.from({ length: count }, () => x);
  return split(x, Math.ceil(extent / count), axis);
}

/** The slices along an axis, which disappears. */
export function unbind(x: Node, axis = 0): Node[] {
  const normal = normalizeAxis("unbind", axis, x.shape.length);
  return Array.from({ length: x.shape[normal] }, (_, i) => select(x, normal, i));
}

/** Elements shifted along axes; what leaves at one end comes in at the other. Without axes the flattened tensor is shifted. */
export function roll(x: Node, shifts: number | readonly number[], axes?: number | readonly number[]): Node {
  const amounts = typeof shifts === "number" ? [shifts] : shifts;
  if (axes === undefined)
    return reshape(
      roll(
        reshape(x, [sizeOf(x.shape)]),
        amounts,
        amounts.map(() => 0),
      ),
      x.shape,
    );
  const list = typeof axes === "number" ? [axes] : axes;
  if (list.length !== amounts.length) {
    throw new ArgumentError(
      `roll: received ${amounts.length} shifts for ${list.length} axes; their numbers must be equal.`,
    );
  }
  let result = x;
  list.forEach((axis, i) => {
    const normal = normalizeAxis("roll", axis, x.shape.length);
    const extent = x.shape[normal];
    if (extent === 0) return;
    const cut = extent - (((amounts[i] % extent) + extent) % extent);
    if (cut === extent) return;
    result = concat([sliceAxis(result, normal, cut), sliceAxis(result, normal, 0, cut)], normal);
  });
  return result;
}

/** Axes moved to other places; the others keep their order. */
export function moveAxes(x: Node, source: number | readonly number[], destination: number | readonly number[]): Node {
  const rank = x.shape.length;
  const from = (typeof source === "number" ? [source] : source).map((axis) => normalizeAxis("movedim", axis, rank));
  const to = (typeof destination === "number" ? [destination] : destination).map((axis) =>
    normalizeAxis("movedim", axis, rank),
  );
  if (from.length !== to.length || new Set(from).size !== from.length || new Set(to).size !== to.length) {
    throw new ArgumentError(
      `movedim: received source [${from.join(", ")}] and destination [${to.join(", ")}]; expected as many different axes in both.`,
    );
  }
  const order = new Array<number>(rank).fill(-1);
  from.forEach((axis, i) => {
    order[to[i]] = axis;
  });
  const others = x.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis));
  return permute(
    x,
    order.map((axis) => (axis >= 0 ? axis : (others.shift() as number))),
  );
}

/** Copies side by side along each axis; axes that are only in `counts` come in front. */
export function repeat(x: Node, counts: readonly number[]): Node {
  checkShape("repeat", counts);
  const lead = counts.length - x.shape.length;
  if (lead < 0) {
    throw new ArgumentError(
      `repeat: received ${counts.length} counts for shape ${formatShape(x.shape)}, expected at least ${x.shape.length}.`,
    );
  }
  const shape = [...new Array<number>(lead).fill(1), ...x.shape];
  const apart = reshape(
    x,
    shape.flatMap((extent) => [1, extent]),
  );
  const copied = expand(
    apart,
    shape.flatMap((extent, axis) => [counts[axis], extent]),
  );
  return reshape(
    copied,
    shape.map((extent, axis) => extent * counts[axis]),
  );
}

/** As `repeat`, with 1 in front of too few counts. */
export function tile(x: Node, counts: readonly number[]): Node {
  const missing = x.shape.length - counts.length;
  return repeat(x, [...new Array<number>(Math.max(0, missing)).fill(1), ...counts]);
}

/** Each element several times in a row along an axis (of the flattened tensor unless given). */
export function repeatInterleave(x: Node, count: number, axis?: number): Node {
  checkShape("repeatInterleave", [count]);
  if (axis === undefined) return repeatInterleave(reshape(x, [sizeOf(x.shape)]), count, 0);
  const normal = normalizeAxis("repeatInterleave", axis, x.shape.length);
  const [before, after] = [x.shape.slice(0, normal + 1), x.shape.slice(normal + 1)];
  const copied = expand(reshape(x, [...before, 1, ...after]), [...before, count, ...after]);
  return reshape(copied, [...before.slice(0, -1), x.shape[normal] * count, ...after]);
}

/** Several axes from `start` to `end` (included) made one. */
export function flattenAxes(x: Node, start = 0, end = -1): Node {
  const rank = x.shape.length;
  if (rank === 0) return reshape(x, [1]);
  const [first, last] = [normalizeAxis("flatten", start, rank), normalizeAxis("flatten", end, rank)];
  if (first > last)
    throw new ArgumentError(
      `flatten: the first axis, ${start}, comes after the last, ${end}, of ${formatShape(x.shape)}.`,
    );
  return reshape(x, [...x.shape.slice(0, first), sizeOf(x.shape.slice(first, last + 1)), ...x.shape.slice(last + 1)]);
}

/** One axis made several; one size may be -1. */
export function unflatten(x: Node, axis: number, sizes: Shape): Node {
  const normal = normalizeAxis("unflatten", axis, x.shape.length);
  const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const full = sizes.map((size) => (size === -1 ? x.shape[normal] / known : size));
  if (sizeOf(full) !== x.shape[normal] || !full.every(Number.isInteger)) {
    throw new ShapeError(
      `unflatten: sizes ${formatShape(sizes)} do not multiply to ${x.shape[normal]}, the size of axis ${axis}.`,
    );
  }
  return reshape(x, [...x.shape.slice(0, normal), ...full, ...x.shape.slice(normal + 1)]);
}

/** Tensors expanded to their common shape. */
export function broadcastTensors(inputs: readonly Node[]): Node[] {
  const shape = broadcastShapes("broadcastTensors", ...inputs.map((x) => x.shape));
  return inputs.map((x) => expand(x, shape));
}

/** Coordinates of a grid: result i varies along axis i ("ij"), or with the first two axes swapped ("xy"). */
export function meshgrid(inputs: readonly Node[], indexing: "ij" | "xy" = "ij"): Node[] {
  const odd = inputs.find((x) => x.shape.length > 1);
  if (odd) throw new ShapeError(`meshgrid: expected tensors of rank 0 or 1, received shape ${formatShape(odd.shape)}.`);
  const swap = indexing === "xy" && inputs.length > 1;
  const place = (i: number) => (swap && i < 2 ? 1 - i : i);
  const shape = new Array<number>(inputs.length);
  inputs.forEach((x, i) => {
    shape[place(i)] = sizeOf(x.shape);
  });
  return inputs.map((x, i) =>
    expand(
      reshape(
        x,
        shape.map((extent, axis) => (axis === place(i) ? extent : 1)),
      ),
      shape,
    ),
  );
}
