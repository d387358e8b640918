/** Arguments of windows as PyTorch takes them: one number for all axes or one for each; padding on both sides. */
import { ArgumentError, ShapeError } from "../../../errors.ts";
import { formatShape } from "../../../graph/shape.ts";
import { type Padding2d, type Pair, pairOf } from "../../../nn/windows.ts";
import { Tensor } from "../../../tensor/index.ts";

/** One number for both axes, or one for each. */
export type Size2 = number | readonly [number, number];
/** One number, alone or in an array. */
export type Size1 = number | readonly [number];
/** Zeros around the data: numbers, or 'same' (the output is as large as the input) or 'valid' (none). */
export type Padding1 = Size1 | "same" | "valid";
export type Padding2 = Size2 | "same" | "valid";

/** The one number of a one-dimensional argument. */
export function single(owner: string, argument: string, value: Size1, least = 1): number {
  const number = typeof value === "number" ? value : value[0];
  return pairOf(owner, argument, number, least)[0];
}

/** A one-dimensional argument for images of height 1. */
export function asRow(owner: string, argument: string, value: Size1, height: number, least = 1): Pair {
  return [height, single(owner, argument, value, least)];
}

/** Padding of a convolution as zeros before and after each axis. */
export function convolutionPadding(
  owner: string,
  padding: Padding2,
  window: Pair,
  strides: Pair,
  dilation: Pair,
): Padding2d {
  if (padding === "valid") return convolutionPadding(owner, 0, window, strides, dilation);
  if (padding === "same") {
    if (strides[0] !== 1 || strides[1] !== 1) {
      throw new ArgumentError(`${owner}: padding "same" needs a stride of 1, received ${strides.join("x")}.`);
    }
    const along = (axis: 0 | 1): Pair => {
      const total = dilation[axis] * (window[axis] - 1);
      return [Math.floor(total / 2), total - Math.floor(total / 2)];
    };
    return [along(0), along(1)];
  }
  if (typeof padding === "string") {
    throw new ArgumentError(`${owner}: padding must be numbers, "same" or "valid", received "${String(padding)}".`);
  }
  const [vertical, horizontal] = pairOf(owner, "padding", padding, 0);
  return [
    [vertical, vertical],
    [horizontal, horizontal],
  ];
}

/** What is not a tensor is an error that says what it is: types do not reach callers in JavaScript. */
export function checkTensor(owner: string, x: unknown): void {
  if (x instanceof Tensor) return;
  const found = Array.isArray(x)
    ? "an array; make a tensor of it with torch.tensor(…)"
    : x === null
      ? "null"
      : typeof x;
  throw new ArgumentError(`${owner}: expected a tensor, received ${found}.`);
}

/** Data must have one of the ranks; `form` says what the axes are. */
export function checkRank(owner: string, x: Tensor, ranks: readonly number[], form: string): void {
  checkTensor(owner, x);
  if (ranks.includes(x.rank)) return;
  throw new ShapeError(`${owner}: expected an input of shape ${form}, received ${formatShape(x.shape)}.`);
}

/** An argument that may be given by itself or in an options object. */
export function dimOf(
  owner: string,
  dim: number | { readonly dim?: number } | undefined,
  fallback: number | undefined,
): number {
  const value = typeof dim === "object" ? dim.dim : dim;
  const chosen = value ?? fallback;
  if (chosen === undefined) throw new ArgumentError(`${owner}: say along which dim, for example { dim: 1 }.`);
  return chosen;
}

/** null and undefined are one. */
export function given<Value>(value: Value | null | undefined): Value | undefined {
  return value ?? undefined;
}
