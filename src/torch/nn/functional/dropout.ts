import { ArgumentError } from "../../../errors.ts";
import * as neutral from "../../../nn/dropout.ts";
import { dropout as drop, type Tensor } from "../../../tensor/index.ts";

export interface DropoutFunctionOptions {
  /** Share of elements that become 0 (default 0.5). */
  readonly p?: number;
  /** Without training nothing happens (default true). */
  readonly training?: boolean;
}
type Rate = number | DropoutFunctionOptions;

function settings(owner: string, rate: Rate | undefined): { p: number; training: boolean } {
  const { p = 0.5, training = true } = typeof rate === "number" ? { p: rate } : (rate ?? {});
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${owner}: p must lie between 0 and 1, received ${p}.`);
  return { p, training };
}

/** Zeroes elements with probability p and scales the others by 1 / (1 − p). After torch.nn.functional.dropout. */
export function dropout(x: Tensor, rate?: Rate): Tensor {
  const { p, training } = settings("dropout", rate);
  return training && p > 0 ? drop(x, p) : x;
}
/** Zeroes whole channels of (N, C, …). After torch.nn.functional.dropout2d. */
export function dropout2d(x: Tensor, rate?: Rate): Tensor {
  const { p, training } = settings("dropout2d", rate);
  return training && p > 0 ? neutral.channelDropout(x, p) : x;
}
/** Zeroes whole channels of (N, C, L). After torch.nn.functional.dropout1d. */
export function dropout1d(x: Tensor, rate?: Rate): Tensor {
  const { p, training } = settings("dropout1d", rate);
  return training && p > 0 ? neutral.channelDropout(x, p) : x;
}
/** Dropout that keeps mean and variance of what SELU gives. After torch.nn.functional.alpha_dropout. */
export function alphaDropout(x: Tensor, rate?: Rate): Tensor {
  const { p, training } = settings("alphaDropout", rate);
  return training && p > 0 ? neutral.alphaDropout(x, p) : x;
}
