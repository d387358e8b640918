/** Geometry of convolution and pooling windows in the convention of TensorFlow: 'valid' and 'same'. */
import { ArgumentError, ShapeError } from "../errors.ts";

export type Pair = readonly [number, number];
export type PaddingMode = "valid" | "same";
/** Zeros around the image: [[top, bottom], [left, right]]. */
export type Padding2d = readonly [Pair, Pair];

/** One number for both axes, or one for each; `least` is the smallest that is allowed. */
export function pairOf(
  owner: string,
  argument: string,
  value: number | readonly number[],
  least = 1,
): readonly [number, number] {
  const pair = typeof value === "number" ? [value, value] : value;
  if (pair.length !== 2 || !pair.every((entry) => Number.isInteger(entry) && entry >= least)) {
    throw new ArgumentError(
      `${owner}: ${argument} must be an integer of at least ${least} or two of them, received ${JSON.stringify(value)}.`,
    );
  }
  return [pair[0], pair[1]];
}

export function checkPadding(owner: string, padding: string): PaddingMode {
  if (padding === "valid" || padding === "same") return padding;
  throw new ArgumentError(`${owner}: padding must be "valid" or "same", received ${JSON.stringify(padding)}.`);
}

/**
 * Length of the output along one axis: valid ⌈(n − window + 1) / stride⌉, same ⌈n / stride⌉, where the window covers
 * (size − 1)·dilation + 1 positions.
 */
export function windowOutputLength(
  length: number,
  size: number,
  stride: number,
  dilation: number,
  mode: PaddingMode,
): number {
  const reach = (size - 1) * dilation + 1;
  return mode === "same" ? Math.ceil(length / stride) : Math.floor((length - reach) / stride) + 1;
}

/** 'same' pads so that the output has ⌈n / stride⌉ positions; an odd surplus goes to the bottom and the right. */
export function windowPadding(lengths: Pair, sizes: Pair, strides: Pair, dilation: Pair, mode: PaddingMode): Padding2d {
  const along = (axis: 0 | 1): Pair => {
    if (mode === "valid") return [0, 0];
    const reach = (sizes[axis] - 1) * dilation[axis] + 1;
    const output = Math.ceil(lengths[axis] / strides[axis]);
    const total = Math.max(0, (output - 1) * strides[axis] + reach - lengths[axis]);
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  };
  return [along(0), along(1)];
}

/** Lengths after a window along any number of axes, null where a length is unknown; a typed error when the window does not fit. */
export function windowOutputSizes(
  owner: string,
  lengths: readonly (number | null)[],
  sizes: readonly number[],
  strides: readonly number[],
  dilation: readonly number[],
  mode: PaddingMode,
): (number | null)[] {
  const result = lengths.map((length, axis) =>
    length === null ? null : windowOutputLength(length, sizes[axis], strides[axis], dilation[axis], mode),
  );
  if (result.some((length) => length !== null && length < 1)) {
    const whole = lengths.length === 1 ? "sequence" : "image";
    throw new ShapeError(
      `${owner}: a window of ${sizes.join("x")} (dilation ${dilation.join("x")}) does not fit into ${whole === "image" ? "an" : "a"} ${whole} of ${lengths.map((length) => length ?? "?").join("x")} ` +
        `with padding "${mode}"; use padding "same", a smaller window or a larger ${whole}.`,
    );
  }
  return result;
}

/** Height and width after a window, or a typed error when the window does not fit into the image. */
export function windowOutputShape(
  owner: string,
  lengths: Pair,
  sizes: Pair,
  strides: Pair,
  dilation: Pair,
  mode: PaddingMode,
): readonly [number, number] {
  const [height, width] = windowOutputSizes(owner, lengths, sizes, strides, dilation, mode);
  return [height as number, width as number];
}

/**
 * Length after a transposed convolution along one axis, as Keras counts it. By default n·stride (same) or (n − 1)·stride + max(reach, stride)
 * (valid), where reach is (size − 1)·dilation + 1; with an output padding (n − 1)·stride + (reach mod 2, or reach) + output padding.
 */
export function transposedOutputLength(
  length: number,
  size: number,
  stride: number,
  dilation: number,
  mode: PaddingMode,
  outputPadding: number | undefined,
): number {
  const reach = (size - 1) * dilation + 1;
  if (outputPadding === undefined) {
    return mode === "same" ? length * stride : (length - 1) * stride + Math.max(reach, stride);
  }
  return (length - 1) * stride + (mode === "same" ? reach % 2 : reach) + outputPadding;
}
