/** Resizing of data along any axes: nearest neighbours and linear interpolation, with PyTorch's coordinates. */
import { gather, type Tensor, tensor } from "../tensor/index.ts";

/** How an axis is resized: the new length, and the distance between neighbouring new positions in old ones. */
export interface AxisResize {
  readonly axis: number;
  readonly length: number;
  /** Default: old length / new length. */
  readonly step?: number;
}

/** Each new position takes the value of the old one at ⌊i·step⌋; with `centred` at ⌊(i + ½)·step⌋, as TensorFlow does. */
export function resizeNearest(x: Tensor, axes: readonly AxisResize[], centred = false): Tensor {
  let result = x;
  for (const { axis, length, step } of axes) {
    const old = x.shape[axis];
    if (length === old && step === undefined) continue;
    const factor = length / old;
    if (step === undefined && Number.isInteger(factor)) {
      result = repeatEach(result, axis, factor);
      continue;
    }
    const scale = Math.fround(step ?? old / length);
    const positions = Int32Array.from({ length }, (_, index) =>
      Math.min(Math.floor(Math.fround((centred ? index + 0.5 : index) * scale)), old - 1),
    );
    result = gather(result, tensor(positions), axis);
  }
  return result;
}

/** Every element `count` times in a row along an axis. */
function repeatEach(x: Tensor, axis: number, count: number): Tensor {
  const wide = [...x.shape.slice(0, axis + 1), count, ...x.shape.slice(axis + 1)];
  const sizes = x.shape.map((extent, index) => (index === axis ? extent * count : extent));
  return x
    .unsqueeze(axis + 1)
    .expand(wide)
    .reshape(sizes);
}

/**
 * Linear interpolation between the two nearest old positions, axis by axis. A new position i lies at (i + ½)·step − ½, not before the first; with
 * `alignCorners` at i·(old − 1)/(new − 1), so that the first and last positions stay.
 */
export function resizeLinear(x: Tensor, axes: readonly AxisResize[], alignCorners: boolean): Tensor {
  let result = x;
  for (const { axis, length, step } of axes) {
    const old = x.shape[axis];
    if (length === old && (step === undefined || alignCorners)) continue;
    const at = (index: number): number => {
      if (alignCorners) return length > 1 ? (index * (old - 1)) / (length - 1) : 0;
      return Math.max(0, (index + 0.5) * (step ?? old / length) - 0.5);
    };
    const places = Array.from({ length }, (_, index) => at(index));
    const lower = places.map((place) => Math.min(Math.floor(place), old - 1));
    const upper = lower.map((place) => Math.min(place + 1, old - 1));
    const shares = Float32Array.from(places, (place, index) => place - lower[index]);
    const shape = x.shape.map((_, index) => (index === axis ? length : 1));
    const share = tensor(shares, { shape });
    const below = gather(result, tensor(Int32Array.from(lower)), axis);
    const above = gather(result, tensor(Int32Array.from(upper)), axis);
    result = below.mul(share.neg().add(1)).add(above.mul(share));
  }
  return result;
}
