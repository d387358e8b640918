/**
 * Parts of kernels' results that an f64 interpreter computes in a second or two. Positions are spread evenly along an axis, so that whole and
 * partial tiles and every vector lane have their turn.
 */
import type { KernelCase } from "./kernel-cases.ts";

type Shape = readonly number[];

/** How many positions of each axis are kept. */
export interface Sample {
  readonly operands: readonly Shape[];
  readonly result: Shape;
  /** The result's whole shape. */
  readonly whole: Shape;
}

/** FLOP of a sample at most, about. */
const affordable = 1e9;

/** So many of `extent` that the FLOP left are affordable, and at least `least`. */
const someOf = (extent: number, flops: number, least: number) =>
  Math.min(extent, Math.max(least, Math.floor((extent * affordable) / flops)));

/** A shape with some of its extents replaced. */
const withExtents = (shape: Shape, extents: Readonly<Record<number, number>>) =>
  shape.map((extent, axis) => extents[axis] ?? extent);

function matmulSample({ form, work, operands }: KernelCase): Sample {
  const [left, right] = operands.map(({ shape }) => shape) as [Shape, Shape];
  const axis = form[0] === "t" ? 1 : 0;
  const rows = left[axis]!;
  const whole = [rows, right[form[1] === "t" ? 0 : 1]!];
  const some = someOf(rows, work.flops, 8);
  return { operands: [withExtents(left, { [axis]: some }), right], whole, result: [some, whole[1]!] };
}

function convolutionSample({ form, work, operands }: KernelCase): Sample {
  const [x, kernel, y] = operands.map(({ shape }) => shape) as [Shape, Shape, Shape];
  if (form === "weight-gradient") {
    const filters = someOf(y[3]!, work.flops, 4);
    const result = withExtents(kernel, { 3: filters });
    return { operands: [x, result, withExtents(y, { 3: filters })], whole: kernel, result };
  }
  // images first, since a whole one has every edge; then channels of the result
  const images = someOf(x[0]!, work.flops, 1);
  const flops = (work.flops * images) / x[0]!;
  if (form === "forward") {
    const filters = someOf(y[3]!, flops, 4);
    const result = withExtents(y, { 0: images, 3: filters });
    return { operands: [withExtents(x, { 0: images }), withExtents(kernel, { 3: filters }), result], whole: y, result };
  }
  const channels = someOf(x[3]!, flops, 4);
  const result = withExtents(x, { 0: images, 3: channels });
  return {
    operands: [result, withExtents(kernel, { 2: channels }), withExtents(y, { 0: images })],
    whole: x,
    result,
  };
}

/** The part of a case that is computed in f64; undefined where that is the whole result. */
export function sampleOf(of: KernelCase): Sample | undefined {
  if (of.work.flops <= affordable) return undefined;
  if (of.operation === "matmul") return matmulSample(of);
  return of.operation === "convolution" ? convolutionSample(of) : undefined;
}

/** Keeps `counts[axis]` positions of each axis, spread evenly; row-major in and out. */
export function spread<Values extends Float32Array | Int32Array>(values: Values, shape: Shape, counts: Shape): Values {
  if (shape.every((extent, axis) => extent === counts[axis])) return values;
  let offsets = [0];
  let stride = shape.reduce((product, extent) => product * extent, 1);
  shape.forEach((extent, axis) => {
    stride /= extent;
    const count = counts[axis]!;
    const positions = Array.from({ length: count }, (_, index) => stride * Math.floor((index * extent) / count));
    offsets = offsets.flatMap((offset) => positions.map((position) => offset + position));
  });
  const picked = values.slice(0, offsets.length) as Values;
  for (const [index, offset] of offsets.entries()) picked[index] = values[offset]!;
  return picked;
}
