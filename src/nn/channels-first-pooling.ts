/** Pooling of channels-first images. */
import { averagePool2d, concat, maxPool2d, type Tensor } from "../tensor/index.ts";
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
