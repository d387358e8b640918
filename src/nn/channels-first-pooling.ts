/** Pooling of channels-first images. */
import { averagePool2d, concat, maxPool2d, noGrad, pad, type Tensor, tensor, where, zeros } from "../tensor/index.ts";
import { toChannelsFirst, toChannelsLast } from "./channels-first.ts";
import { globalPooling } from "./spatial.ts";
import type { Pair } from "./windows.ts";

export interface PoolingGeometry {
  readonly strides: Pair;
  /** On both sides: [height, width]. */
  readonly padding: Pair;
  readonly ceilMode: boolean;
}

/** Largest element of each window; the gradient goes to the first of equals. */
export function channelsFirstMaxPool(x: Tensor, window: Pair, geometry: PoolingGeometry & { dilation: Pair }): Tensor {
  return toChannelsFirst(maxPool2d(toChannelsLast(x), window, geometry));
}

/**
 * Where the largest element of each window stands, as its row-major place in the image: the first of equals, the last NaN where there is one, never
 * in the padding. `pooled` is what `channelsFirstMaxPool` gave.
 */
export function channelsFirstMaxPlaces(
  x: Tensor,
  pooled: Tensor,
  window: Pair,
  { strides, padding, dilation }: PoolingGeometry & { dilation: Pair },
): Tensor {
  const [height, width] = [x.shape[2], x.shape[3]];
  const [rows, columns] = [pooled.shape[2], pooled.shape[3]];
  const reach = (axis: 0 | 1, count: number): number =>
    (count - 1) * strides[axis] + (window[axis] - 1) * dilation[axis] + 1;
  const behind = (axis: 0 | 1, count: number, extent: number): number =>
    Math.max(0, reach(axis, count) - extent - padding[axis]);
  return noGrad(() => {
    const images = pad(x, [
      [0, 0],
      [0, 0],
      [padding[0], behind(0, rows, height)],
      [padding[1], behind(1, columns, width)],
    ]);
    let best: Tensor | undefined;
    let place: Tensor | undefined;
    for (let row = 0; row < window[0]; row++) {
      for (let column = 0; column < window[1]; column++) {
        const from = [row * dilation[0], column * dilation[1]];
        const values = images.slice(
          [0, 0, ...from],
          [...x.shape.slice(0, 2), from[0] + (rows - 1) * strides[0] + 1, from[1] + (columns - 1) * strides[1] + 1],
          [1, 1, ...strides],
        );
        const places = new Int32Array(rows * columns);
        for (let i = 0; i < rows * columns; i++) {
          const y = Math.floor(i / columns) * strides[0] - padding[0] + from[0];
          const z = (i % columns) * strides[1] - padding[1] + from[1];
          places[i] = y >= 0 && y < height && z >= 0 && z < width ? y * width + z : -1;
        }
        const here = tensor(places, { shape: [1, 1, rows, columns] });
        if (best === undefined || place === undefined) {
          best = values;
          place = here.expand(pooled.shape);
        } else {
          const larger = values.gt(best).logicalOr(values.ne(values)).logicalOr(place.lt(0));
          const better = larger.logicalAnd(here.ge(0));
          best = where(better, values, best);
          place = where(better, here, place);
        }
      }
    }
    return place as Tensor;
  });
}

/** The reverse of a maximum over windows: zeros, and each element where its index says. Indices count within an image [rows, columns]. */
export function channelsFirstMaxUnpool(x: Tensor, indices: Tensor, [rows, columns]: Pair): Tensor {
  const [batch, channels] = x.shape;
  const flat = (values: Tensor): Tensor => values.reshape([batch, channels, -1]);
  const spread = zeros([batch, channels, rows * columns]).scatter(2, flat(indices), flat(x));
  return spread.reshape([batch, channels, rows, columns]);
}

/** Mean of each window. */
export function channelsFirstAveragePool(
  x: Tensor,
  window: Pair,
  geometry: PoolingGeometry & { countIncludePad: boolean; divisor?: number },
): Tensor {
  return toChannelsFirst(averagePool2d(toChannelsLast(x), window, geometry));
}

/**
 * Pooling to a fixed number of positions: position i of m covers from ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉ of n. Where m divides n these are equal windows;
 * otherwise each axis is pooled piece by piece, the width first, so that of equal maxima the first in reading order gets the gradient.
 */
export function channelsFirstAdaptivePool(kind: "max" | "average", x: Tensor, size: Pair): Tensor {
  const pool = kind === "max" ? maxPool2d : averagePool2d;
  const along = (images: Tensor, axis: 1 | 2, count: number): Tensor => {
    const length = images.shape[axis];
    const window = (extent: number): Pair => (axis === 1 ? [extent, 1] : [1, extent]);
    if (length % count === 0) return length === count ? images : pool(images, window(length / count));
    const pieces = Array.from({ length: count }, (_, index) => {
      const from = Math.floor((index * length) / count);
      const to = Math.ceil(((index + 1) * length) / count);
      const starts = [0, 0, 0, 0];
      const ends = [...images.shape];
      [starts[axis], ends[axis]] = [from, to];
      return pool(images.slice(starts, ends), window(to - from));
    });
    return concat(pieces, axis);
  };
  const images = toChannelsLast(x);
  const [height, width] = [images.shape[1], images.shape[2]];
  // one position: the sum that global pooling of every door takes, so that the same network has the same bits in all of them
  if (kind === "average" && size[0] === 1 && size[1] === 1) {
    return globalPooling(kind, images, false).unsqueeze(-1).unsqueeze(-1);
  }
  if (height % size[0] === 0 && width % size[1] === 0) {
    return toChannelsFirst(pool(images, [height / size[0], width / size[1]]));
  }
  return toChannelsFirst(along(along(images, 2, size[1]), 1, size[0]));
}
