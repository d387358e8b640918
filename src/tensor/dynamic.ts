/**
 * Functions whose result's shape depends on values: they read their input at once, on the host. A compiled function cannot hold them, and each
 * other number of elements is another program.
 */
import { ArgumentError, ShapeError } from "../errors.ts";
import type { TensorData } from "../graph/dtype.ts";
import { formatShape, type Shape, sameShape, sizeOf, stridesOf } from "../graph/shape.ts";
import { gather, isClose, reshape } from "./functions.ts";
import { isTensor, tensorOf } from "./handle.ts";
import { atEntry } from "./lift.ts";
import { emptyNode, tensorNode } from "./literal.ts";
import type { Tensor } from "./tensor.ts";

function integers(values: ArrayLike<number>, shape: Shape): Tensor {
  const { node, view } = emptyNode(shape, "i32");
  view.set(values);
  return tensorOf(node);
}

function placesOf(data: TensorData): Int32Array {
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) count++;
  const places = new Int32Array(count);
  for (let i = 0, at = 0; i < data.length; i++) if (data[i] !== 0) places[at++] = i;
  return places;
}

/** Where elements are not 0, as one vector of positions for each axis. Reads x. */
export function nonzeroPositions(x: Tensor): Tensor[] {
  return atEntry(nonzeroPositions, () => {
    const places = placesOf(x.dataSync());
    const strides = stridesOf(x.shape);
    return x.shape.map((extent, axis) =>
      integers(
        places.map((place) => Math.floor(place / strides[axis]) % extent),
        [places.length],
      ),
    );
  });
}

/** The coordinates of elements that are not 0: shape [count, rank]. Reads x. */
export function nonzero(x: Tensor): Tensor {
  return atEntry(nonzero, () => {
    const places = placesOf(x.dataSync());
    const strides = stridesOf(x.shape);
    const rows = new Int32Array(places.length * x.rank);
    places.forEach((place, row) => {
      x.shape.forEach((extent, axis) => {
        rows[row * x.rank + axis] = Math.floor(place / strides[axis]) % extent;
      });
    });
    return integers(rows, [places.length, x.rank]);
  });
}

/** Index tensors in place of masks: one for each axis that a mask covers. */
export function withoutMasks<T>(shape: Shape, items: readonly (T | Tensor)[]): (T | Tensor)[] {
  const consumed = items.reduce<number>(
    (count, item) => count + (isMask(item) ? item.rank : item === null || item === "..." ? 0 : 1),
    0,
  );
  let axis = 0;
  return items.flatMap((item): (T | Tensor)[] => {
    if (item === null) return [item];
    if (item === "...") {
      axis += shape.length - consumed;
      return [item];
    }
    if (!isMask(item)) {
      axis++;
      return [item];
    }
    const covered = shape.slice(axis, axis + item.rank);
    if (!sameShape(item.shape, covered)) {
      throw new ShapeError(
        `at: a mask of shape ${formatShape(item.shape)} does not fit the axes it covers, ${formatShape(covered)} of shape ${formatShape(shape)}.`,
      );
    }
    axis += item.rank;
    return nonzeroPositions(item);
  });
}

const isMask = (item: unknown): item is Tensor => isTensor(item) && item.dtype === "bool";

/** The elements where a mask of the same shape holds, as a vector. Reads the mask. */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  return atEntry(maskedSelect, () => {
    const places = placesOf(mask.expand(x.shape).dataSync());
    return gather(reshape(x, [x.size]), integers(places, [places.length]), 0);
  });
}

/** The different values of a tensor in ascending order, which of them each element is, and how often each occurs. Reads x. */
export interface UniqueValues {
  readonly values: Tensor;
  readonly inverse: Tensor;
  readonly counts: Tensor;
}

/** The different values of x in ascending order (NaN last, each NaN for itself). Reads x. */
export function uniqueValues(x: Tensor): UniqueValues {
  return atEntry(uniqueValues, () => {
    const data = x.dataSync();
    const order = Array.from(data.keys()).sort((i, j) => ascending(data[i], data[j]) || i - j);
    const inverse = new Int32Array(data.length);
    const values: number[] = [];
    const counts: number[] = [];
    order.forEach((place, i) => {
      if (i === 0 || data[place] !== data[order[i - 1]]) {
        values.push(data[place]);
        counts.push(0);
      }
      counts[counts.length - 1]++;
      inverse[place] = values.length - 1;
    });
    const { node, view } = emptyNode([values.length], x.dtype);
    view.set(values);
    return { values: tensorOf(node), inverse: integers(inverse, x.shape), counts: integers(counts, [counts.length]) };
  });
}

function ascending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}

/** Values where neighbours of equal value are one, with the length of each run. Reads x. */
export function uniqueConsecutive(x: Tensor): UniqueValues {
  return atEntry(uniqueConsecutive, () => {
    const data = x.dataSync();
    const values: number[] = [];
    const counts: number[] = [];
    const inverse = Int32Array.from(data, (value, i) => {
      if (i === 0 || value !== data[i - 1]) {
        values.push(value);
        counts.push(0);
      }
      counts[counts.length - 1]++;
      return values.length - 1;
    });
    const { node, view } = emptyNode([values.length], x.dtype);
    view.set(values);
    return { values: tensorOf(node), inverse: integers(inverse, x.shape), counts: integers(counts, [counts.length]) };
  });
}

/** How often each number 0, 1, … occurs (or the sum of its weights), at least `minLength` of them. Reads x. */
export function bincount(x: Tensor, weights?: Tensor, minLength = 0): Tensor {
  return atEntry(bincount, () => {
    if (x.rank !== 1 || x.dtype === "f32") {
      throw new ArgumentError(
        `bincount: expected a vector of integers, received ${x.dtype} of shape ${formatShape(x.shape)}.`,
      );
    }
    const data = x.dataSync();
    let length = minLength;
    for (const value of data) {
      if (value < 0) throw new ArgumentError(`bincount: expected integers of 0 or more, found ${value}.`);
      length = Math.max(length, value + 1);
    }
    const factors = weights?.dataSync();
    const totals = new Float64Array(length);
    data.forEach((value: number, i: number) => {
      totals[value] += factors ? factors[i] : 1;
    });
    return factors ? tensorOf(tensorNode(totals)) : integers(totals, [length]);
  });
}

/** Whether two tensors have one shape and equal elements. Reads both. */
export function equal(a: Tensor, b: Tensor): boolean {
  return atEntry(equal, () => {
    if (!sameShape(a.shape, b.shape)) return false;
    const [left, right] = [a.dataSync(), b.dataSync()];
    return left.every((value: number, i: number) => value === right[i]);
  });
}

/** Whether all elements are close: |a − b| ≤ absolute + relative · |b|. Reads the result. */
export function allClose(a: Tensor, b: Tensor, relative?: number, absolute?: number, equalNaN?: boolean): boolean {
  return atEntry(allClose, () => {
    const near = isClose(a, b, relative, absolute, equalNaN);
    return sizeOf(near.shape) === 0 || near.dataSync().every((value: number) => value !== 0);
  });
}
