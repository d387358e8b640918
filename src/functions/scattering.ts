/** Writing to positions that tensors name. Where positions repeat, the last write holds (PyTorch leaves that open). */
import { ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, normalizeAxis, type Shape, sameShape } from "../graph/shape.ts";
import { argsort } from "../ops/argsort.ts";
import { add } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { ne } from "../ops/compare.ts";
import { gather, scatterAdd as scatterAddRows } from "../ops/gather.ts";
import { constant } from "../ops/generate.ts";
import { indexNode } from "../ops/index-inputs.ts";
import { concat, expand, slice } from "../ops/movement.ts";
import { constantLike } from "../ops/prepare.ts";
import { reshape } from "../ops/reshape.ts";
import { scatterAddAlongAxis, takeAlongAxis } from "../ops/take-along-axis.ts";
import { where } from "../ops/where.ts";
import { sliceAxis } from "./rearranging.ts";

/** Sums are taken in f32 or i32: u8 and bool pass through i32. */
const summable = (x: Node): Node => (x.dtype === "f32" || x.dtype === "i32" ? x : cast(x, "i32"));

/** True for the last of equal elements that stand side by side along an axis. */
function lastOfEquals(sorted: Node, axis: number): Node {
  const extent = sorted.shape[axis];
  if (extent === 0) return cast(sorted, "bool");
  const changes = ne(sliceAxis(sorted, axis, 1), sliceAxis(sorted, axis, 0, extent - 1));
  const end = constant(
    1,
    sorted.shape.map((size, i) => (i === axis ? 1 : size)),
    "bool",
  );
  return concat([changes, end], axis);
}

/**
 * x with rows along `axis` replaced by (or, with `accumulate`, increased by) the content at the positions of a vector of indices. The content is a
 * scalar or has the shape of x with as many rows as there are indices.
 */
export function writeRows(x: Node, indices: Node, content: Node, axis: number, accumulate = false): Node {
  const count = indices.shape[0];
  const extent = x.shape[axis];
  const given = cast(content, x.dtype);
  if (accumulate) {
    const total = add(summable(x), scatterAddRows(summable(given), indices, axis, extent));
    return cast(total, x.dtype);
  }
  const along = x.shape.map((_, i) => (i === axis ? extent : 1));
  const written = scatterAddRows(constant(1, [count], "i32"), indices, 0, extent);
  const mask = expand(reshape(ne(written, constantLike(written, 0)), along), x.shape);
  if (given.shape.length === 0) return where(mask, given, x);
  const order = argsort(indices);
  const sorted = takeAlongAxis(indices, order, 0);
  const rows = gather(summable(given), order, axis);
  const last = reshape(
    lastOfEquals(sorted, 0),
    x.shape.map((_, i) => (i === axis ? count : 1)),
  );
  const chosen = where(expand(last, rows.shape), rows, constantLike(rows, 0));
  return where(mask, cast(scatterAddRows(chosen, sorted, axis, extent), x.dtype), x);
}

function checkScatter(name: string, x: Node, indices: Node, source: Shape, axis: number): void {
  const fits =
    indices.shape.length === x.shape.length &&
    (source.length === 0 || source.length === x.shape.length) &&
    indices.shape.every(
      (extent, i) => (i === axis || extent <= x.shape[i]) && (source.length === 0 || extent <= source[i]),
    );
  if (fits) return;
  throw new ShapeError(
    `${name}: an index of shape ${formatShape(indices.shape)} does not fit a tensor of shape ${formatShape(x.shape)} and a source of shape ` +
      `${formatShape(source)}: ranks must be equal, and no size of the index larger (except along axis ${axis} of the tensor).`,
  );
}

/** The part of the source that an index of this shape reads. */
function sourcePart(source: Node, shape: Shape): Node {
  if (sameShape(source.shape, shape)) return source;
  return slice(
    source,
    shape.map((stop) => ({ stop })),
  );
}

/** y = x, then y[…, index[…, i, …], …] = source[…, i, …] along one axis (a scalar source fills). After torch.scatter. */
export function scatter(x: Node, axis: number, indices: Node, source: Node): Node {
  const normal = normalizeAxis("scatter", axis, x.shape.length);
  const index = indexNode("scatter", indices);
  checkScatter("scatter", x, index, source.shape, normal);
  const ones = constant(1, index.shape, "i32");
  const counts = scatterAddAlongAxis(ones, index, normal, x.shape);
  const mask = ne(counts, constantLike(counts, 0));
  if (source.shape.length === 0) return where(mask, cast(source, x.dtype), x);
  const order = argsort(index, { axis: normal });
  const sorted = takeAlongAxis(index, order, normal);
  const values = takeAlongAxis(summable(cast(sourcePart(source, index.shape), x.dtype)), order, normal);
  const chosen = where(lastOfEquals(sorted, normal), values, constantLike(values, 0));
  return where(mask, cast(scatterAddAlongAxis(chosen, sorted, normal, x.shape), x.dtype), x);
}

/** y = x, then y[…, index[…, i, …], …] += source[…, i, …] along one axis. After torch.scatter_add. */
export function addScattered(x: Node, axis: number, indices: Node, source: Node): Node {
  const normal = normalizeAxis("scatterAdd", axis, x.shape.length);
  const index = indexNode("scatterAdd", indices);
  checkScatter("scatterAdd", x, index, source.shape, normal);
  const updates = source.shape.length === 0 ? expand(source, index.shape) : sourcePart(source, index.shape);
  const sums = scatterAddAlongAxis(summable(cast(updates, x.dtype)), index, normal, x.shape);
  return cast(add(summable(x), sums), x.dtype);
}
