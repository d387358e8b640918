/** Crops, pads, flips and nearest-neighbour resizes are all this: each output row and column names the input row and column it comes from. */
import type { TensorData } from "../graph/dtype.ts";
import { Image } from "./image.ts";

/** Where elements lie: `outer` planes of `height` x `width` cells of `inner` elements. An image is [1, h, w, channels], a tensor [n, h, w, 1]. */
export interface RasterLayout {
  readonly outer: number;
  readonly height: number;
  readonly width: number;
  readonly inner: number;
}

/** Consecutive positions `from` … `from + count - 1`; those outside 0 … `extent - 1` become -1 (nothing there). */
export function positionsFrom(from: number, count: number, extent: number): Int32Array {
  const positions = new Int32Array(count);
  for (let at = 0, position = from; at < count; at++, position++) {
    positions[at] = position >= 0 && position < extent ? position : -1;
  }
  return positions;
}

/** All positions backwards. */
export function positionsReversed(extent: number): Int32Array {
  const positions = new Int32Array(extent);
  for (let at = 0; at < extent; at++) positions[at] = extent - 1 - at;
  return positions;
}

/** The first part of `columns` that is consecutive from a position on: [start, end). */
function consecutiveRun(columns: Int32Array): readonly [start: number, end: number] {
  let start = 0;
  while (start < columns.length && columns[start]! < 0) start++;
  let end = start + 1;
  while (end < columns.length && columns[end] === columns[start]! + end - start) end++;
  return [start, Math.min(end, columns.length)];
}

/** Fills `target` from `source` by the row and column that each cell comes from; -1 leaves `target` as it is. */
export function remap(
  source: TensorData,
  { outer, height, width, inner }: RasterLayout,
  target: TensorData,
  rows: Int32Array,
  columns: Int32Array,
): void {
  const [start, end] = consecutiveRun(columns);
  const copiesRuns = end - start > 8;
  let to = 0;
  for (let plane = 0; plane < outer; plane++) {
    for (let y = 0; y < rows.length; y++, to += columns.length * inner) {
      const row = rows[y]!;
      if (row < 0) continue;
      const from = (plane * height + row) * width * inner;
      if (copiesRuns) {
        const first = from + columns[start]! * inner;
        target.set(source.subarray(first, first + (end - start) * inner), to + start * inner);
      }
      for (let x = 0; x < columns.length; x++) {
        if (copiesRuns && x === start) {
          x = end - 1;
          continue;
        }
        const column = columns[x]!;
        if (column < 0) continue;
        for (let element = 0; element < inner; element++) {
          target[to + x * inner + element] = source[from + column * inner + element]!;
        }
      }
    }
  }
}

/** Bytes that fill `count` pixels of `channels`: a number stands for all channels. */
export function fillPixels(count: number, channels: number, fill: number | readonly number[]): Uint8Array {
  const target = new Uint8Array(count * channels);
  if (typeof fill === "number") return fill === 0 ? target : target.fill(fill);
  for (let at = 0; at < target.length; at++) target[at] = fill[(at % channels) % fill.length]!;
  return target;
}

/** A new image, each cell of which comes from a row and column of `image`, or is `fill` (0 by default). */
export function remapImage(
  image: Image,
  rows: Int32Array,
  columns: Int32Array,
  fill: number | readonly number[] = 0,
): Image {
  const { width, height, channels, data } = image;
  const target = fillPixels(rows.length * columns.length, channels, fill);
  remap(data, { outer: 1, height, width, inner: channels }, target, rows, columns);
  return new Image(columns.length, rows.length, channels, target);
}
