/** Indexing with Python's rules: integers, slices, new axes, an ellipsis and index tensors, for reading and for writing. */
import { ArgumentError, DTypeError, IndexRangeError, ShapeError } from "../errors.ts";
import { Node } from "../graph/node.ts";
import { broadcastShapes, formatShape, type Shape, sameShape, sizeOf, stridesOf } from "../graph/shape.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { checkIndices } from "../ops/check-indices.ts";
import { lt } from "../ops/compare.ts";
import { gather } from "../ops/gather.ts";
import { iota } from "../ops/generate.ts";
import { indexNode } from "../ops/index-inputs.ts";
import { expand, pad, permute, slice } from "../ops/movement.ts";
import { constantLike } from "../ops/prepare.ts";
import { reshape } from "../ops/reshape.ts";
import type { SliceRange } from "../ops/slice-range.ts";
import { where } from "../ops/where.ts";
import { writeRows } from "./scattering.ts";

/** Bounds of a slice as an array: `[start, stop, step]`, each of which may be left out or null. */
export type SliceBounds = readonly (number | null | undefined)[];
/** What stands at one place between the brackets of Python's `x[…]`; a tensor is an index tensor. */
export type IndexItem<T> = number | null | undefined | string | boolean | SliceBounds | SliceRange | T;

type Entry =
  | { readonly kind: "integer"; readonly position: number }
  | { readonly kind: "range"; readonly range: SliceRange }
  | { readonly kind: "newAxis" }
  | { readonly kind: "tensor"; readonly index: Node };

const everything: Entry = { kind: "range", range: {} };

function rangeOfText(text: string): SliceRange | undefined {
  if (!/^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(:\s*(-?\d+)?\s*)?$/.test(text)) return undefined;
  return rangeOfBounds(text.split(":").map((bound) => (bound.trim() === "" ? undefined : Number(bound))));
}

function rangeOfBounds(bounds: SliceBounds): SliceRange {
  const [start, stop, step] = bounds.map((bound) => bound ?? undefined);
  return { start, stop, step };
}

function entryOf(item: IndexItem<Node>): Entry {
  if (item === null) return { kind: "newAxis" };
  if (item === undefined) return everything;
  if (typeof item === "number") return { kind: "integer", position: item };
  if (item instanceof Node) return { kind: "tensor", index: item };
  if (typeof item === "string") {
    const range = rangeOfText(item);
    if (range) return { kind: "range", range };
  } else if (Array.isArray(item)) {
    if (item.length <= 3) return { kind: "range", range: rangeOfBounds(item as SliceBounds) };
  } else if (typeof item === "object") return { kind: "range", range: item as SliceRange };
  throw new ArgumentError(
    `at: ${JSON.stringify(item)} is no index: expected an integer, a slice ([start, stop, step] or "start:stop:step"), ` +
      'null for a new axis, "...", or an index tensor (tensor([...], { dtype: "i32" }) for a list of positions).',
  );
}

/** One entry for each axis and new axis: the ellipsis written out, axes that are left out taken whole. */
function entriesOf(shape: Shape, items: readonly IndexItem<Node>[]): Entry[] {
  const dots = items.filter((item) => item === "...").length;
  if (dots > 1) throw new ArgumentError('at: an index can hold "..." only once.');
  const named = items.filter((item) => item !== null && item !== "...").length;
  if (named > shape.length) {
    throw new IndexRangeError(`at: ${named} indices for a tensor of shape ${formatShape(shape)}.`);
  }
  const rest = new Array<Entry>(shape.length - named).fill(everything);
  const entries = items.flatMap((item) => (item === "..." ? rest : [entryOf(item)]));
  return dots === 1 ? entries : [...entries, ...rest];
}

interface Placed {
  readonly axis: number;
  readonly index: Node;
}

interface BasicIndex {
  /** What integers, slices and new axes leave of the tensor. */
  readonly part: Node;
  readonly ranges: readonly SliceRange[];
  /** Index tensors with the axes of the part that they index. */
  readonly placed: readonly Placed[];
  /** Whether integers, slices and new axes are all there is. */
  readonly only: boolean;
}

/** The part of an index that only moves elements. Scalar index tensors are integers that are not known yet: they select before the others. */
function basicIndex(x: Node, items: readonly IndexItem<Node>[]): BasicIndex {
  const entries = entriesOf(x.shape, items);
  const ranges: SliceRange[] = [];
  const kept: (number | "new")[] = [];
  const placed: Placed[] = [];
  const selected: Placed[] = [];
  for (const entry of entries) {
    const axis = ranges.length;
    if (entry.kind === "newAxis") {
      kept.push("new");
      continue;
    }
    const extent = x.shape[axis];
    if (entry.kind === "integer") {
      const position = entry.position < 0 ? entry.position + extent : entry.position;
      if (!Number.isInteger(position) || position < 0 || position >= extent) {
        throw new IndexRangeError(
          `at: index ${entry.position} is out of bounds for axis ${axis} with size ${extent}, shape ${formatShape(x.shape)}.`,
        );
      }
      ranges.push({ start: position, stop: position + 1 });
      continue;
    }
    if (entry.kind === "tensor") {
      const list = entry.index.shape.length === 0 ? selected : placed;
      list.push({ axis: kept.length, index: wrapped(entry.index, extent) });
    }
    ranges.push(entry.kind === "range" ? entry.range : {});
    kept.push(axis);
  }
  const sliced = slice(x, ranges);
  const all = reshape(
    sliced,
    kept.map((axis) => (axis === "new" ? 1 : sliced.shape[axis])),
  );
  const part = selected.reduceRight((rest, { axis, index }) => gather(rest, index, axis), all);
  const moved = placed.map(({ axis, index }) => ({
    axis: axis - selected.filter((scalar) => scalar.axis < axis).length,
    index,
  }));
  return { part, ranges, placed: moved, only: placed.length + selected.length === 0 };
}

/** Indices that may count from the end, as positions. */
export function wrapped(indices: Node, extent: number): Node {
  if (indices.dtype === "u8") return indexNode("at", indices);
  if (indices.dtype !== "i32") {
    throw new DTypeError(
      `at: an index tensor must be i32 or u8 (or a bool mask), received ${indices.dtype}; convert with .cast("i32").`,
    );
  }
  const zero = constantLike(indices, 0);
  return where(lt(indices, zero), add(indices, constantLike(indices, extent)), indices);
}

/** x at index tensors that are broadcast together; the result's axes stand where theirs did, or in front where those were not side by side. */
function tensorIndex(x: Node, placed: readonly Placed[]): Node {
  if (placed.length === 0) return x;
  if (placed.length === 1) return gather(x, placed[0].index, placed[0].axis);
  const axes = placed.map(({ axis }) => axis);
  const adjacent = axes.every((axis, i) => i === 0 || axis === axes[i - 1] + 1);
  const others = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const at = adjacent ? axes[0] : 0;
  const together = permute(x, [...others.slice(0, at), ...axes, ...others.slice(at)]);
  const extents = axes.map((axis) => x.shape[axis]);
  const merged = reshape(together, [
    ...others.slice(0, at).map((axis) => x.shape[axis]),
    sizeOf(extents),
    ...others.slice(at).map((axis) => x.shape[axis]),
  ]);
  const shape = broadcastShapes("at", ...placed.map(({ index }) => index.shape));
  const strides = stridesOf(extents);
  const position = placed
    .map(({ index }, i) => {
      // each index is guarded on its own: a sum of wrong ones may lie inside
      const checked = expand(checkIndices(index, extents[i]), shape);
      return strides[i] === 1 ? checked : mul(checked, constantLike(checked, strides[i]));
    })
    .reduce((sum, term) => add(sum, term));
  return gather(merged, position, at);
}

/** `x[items]`. Index tensors are i32 (u8); masks were turned into index tensors before. */
export function indexed(x: Node, items: readonly IndexItem<Node>[]): Node {
  const { part, placed } = basicIndex(x, items);
  return tensorIndex(part, placed);
}

/** A value for a place of a shape: broadcast, axes of size 1 in front dropped, as in Python's assignment. */
function fitted(value: Node, shape: Shape): Node {
  const extra = Math.max(0, value.shape.length - shape.length);
  const fits = value.shape.slice(0, extra).every((extent) => extent === 1);
  const trimmed = fits ? reshape(value, value.shape.slice(extra)) : value;
  const lead = shape.length - trimmed.shape.length;
  if (lead < 0 || trimmed.shape.some((extent, axis) => extent !== 1 && extent !== shape[lead + axis])) {
    throw new ShapeError(
      `setAt_: a value of shape ${formatShape(value.shape)} does not broadcast to the place of shape ${formatShape(shape)}.`,
    );
  }
  return expand(trimmed, shape);
}

/**
 * A copy of x in which `x[items]` is `value` (or has it added, with `accumulate`). Where positions repeat the last value holds; added ones add
 * up. Gradients flow to x where it is kept and to the value where it is read.
 */
export function withIndexed(x: Node, items: readonly IndexItem<Node>[], value: Node, accumulate = false): Node {
  const { part, ranges, only } = basicIndex(x, items);
  const given = cast(value, x.dtype);
  if (only && ranges.every(({ step }) => step === undefined || step === 1)) {
    const block = slice(x, ranges).shape;
    const content = reshape(fitted(given, part.shape), block);
    if (sameShape(block, x.shape)) return accumulate ? add(x, content) : content;
    const starts = ranges.map((range, axis) => startOf(range, x.shape[axis]));
    const padding = block.map((extent, axis): [number, number] => {
      const start = extent === 0 ? 0 : starts[axis];
      return [start, x.shape[axis] - start - extent];
    });
    if (accumulate) return add(x, pad(content, padding));
    const written = pad(constantLike(cast(content, "bool"), 1), padding);
    return where(written, pad(content, padding), x);
  }
  const size = sizeOf(x.shape);
  const positions = indexed(reshape(iota([size]), x.shape), items);
  const content =
    given.shape.length === 0 && !accumulate
      ? given
      : reshape(fitted(given, positions.shape), [sizeOf(positions.shape)]);
  const rows = writeRows(reshape(x, [size]), reshape(positions, [sizeOf(positions.shape)]), content, 0, accumulate);
  return reshape(rows, x.shape);
}

function startOf(range: SliceRange, extent: number): number {
  const start = range.start ?? 0;
  return Math.min(extent, Math.max(0, start < 0 ? start + extent : start));
}
