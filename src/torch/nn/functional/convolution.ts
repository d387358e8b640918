import { ArgumentError, ShapeError } from "../../../errors.ts";
import { formatShape } from "../../../graph/shape.ts";
import { asImages, withBatch } from "../../../nn/channels-first.ts";
import {
  channelsFirstConvolution,
  channelsFirstTransposedConvolution,
} from "../../../nn/channels-first-convolution.ts";
import { type Pair, pairOf } from "../../../nn/windows.ts";
import type { Tensor } from "../../../tensor/index.ts";
import {
  asRow,
  checkRank,
  convolutionPadding,
  given,
  type Padding1,
  type Padding2,
  type Size1,
  type Size2,
} from "./geometry.ts";

export interface Conv1dFunctionOptions {
  readonly stride?: Size1;
  readonly padding?: Padding1;
  readonly dilation?: Size1;
  readonly groups?: number;
}
export interface Conv2dFunctionOptions {
  readonly stride?: Size2;
  readonly padding?: Padding2;
  readonly dilation?: Size2;
  readonly groups?: number;
}

function checkChannels(owner: string, x: Tensor, rank: number, expected: number, groups: number): void {
  if (!Number.isInteger(groups) || groups < 1)
    throw new ArgumentError(`${owner}: groups must be an integer of 1 or more, received ${groups}.`);
  const channels = x.shape[x.rank === rank ? 1 : 0];
  if (channels === expected) return;
  throw new ShapeError(
    `${owner}: expected ${expected} channels${groups > 1 ? ` (${groups} groups)` : ""}, received an input of shape ${formatShape(x.shape)}, which has ${channels}.`,
  );
}

/**
 * Convolution (cross-correlation) of images (N, C, H, W) or one image (C, H, W) with kernels (filters, C / groups, h, w). After
 * torch.nn.functional.conv2d.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: Conv2dFunctionOptions = {},
  owner = "conv2d",
): Tensor {
  checkRank(owner, x, [3, 4], "(batch, channels, height, width) or (channels, height, width)");
  checkRank(`${owner}: weight`, weight, [4], "(filters, channels / groups, height, width)");
  const groups = options.groups ?? 1;
  checkChannels(owner, x, 4, weight.shape[1] * groups, groups);
  const strides = pairOf(owner, "stride", options.stride ?? 1);
  const dilation = pairOf(owner, "dilation", options.dilation ?? 1);
  const window: Pair = [weight.shape[2], weight.shape[3]];
  const padding = convolutionPadding(owner, options.padding ?? 0, window, strides, dilation);
  const geometry = { strides, dilation, padding, groups };
  return withBatch(x, 3, (images) => channelsFirstConvolution(images, weight, given(bias), geometry));
}

/** Convolution of sequences (N, C, L) or one (C, L) with kernels (filters, C / groups, l). After torch.nn.functional.conv1d. */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: Conv1dFunctionOptions = {},
  owner = "conv1d",
): Tensor {
  checkRank(owner, x, [2, 3], "(batch, channels, length) or (channels, length)");
  checkRank(`${owner}: weight`, weight, [3], "(filters, channels / groups, length)");
  checkChannels(owner, x, 3, weight.shape[1] * (options.groups ?? 1), options.groups ?? 1);
  const { padding = 0 } = options;
  const settings: Conv2dFunctionOptions = {
    stride: asRow(owner, "stride", options.stride ?? 1, 1),
    dilation: asRow(owner, "dilation", options.dilation ?? 1, 1),
    padding: typeof padding === "string" ? padding : asRow(owner, "padding", padding, 0, 0),
    groups: options.groups,
  };
  return withBatch(x, 2, (sequences) =>
    asImages(sequences, (images) => conv2d(images, weight.unsqueeze(2), bias, settings, owner)),
  );
}

export interface ConvTranspose1dFunctionOptions {
  readonly stride?: Size1;
  readonly padding?: Size1;
  readonly outputPadding?: Size1;
  readonly groups?: number;
  readonly dilation?: Size1;
}
export interface ConvTranspose2dFunctionOptions {
  readonly stride?: Size2;
  readonly padding?: Size2;
  readonly outputPadding?: Size2;
  readonly groups?: number;
  readonly dilation?: Size2;
}

/**
 * Transposed convolution of images (N, C, H, W) with kernels (C, filters / groups, h, w): the output has
 * (H − 1)·stride − 2·padding + dilation·(h − 1) + outputPadding + 1 rows. After torch.nn.functional.conv_transpose2d.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTranspose2dFunctionOptions = {},
  owner = "convTranspose2d",
): Tensor {
  checkRank(owner, x, [3, 4], "(batch, channels, height, width) or (channels, height, width)");
  checkRank(`${owner}: weight`, weight, [4], "(channels, filters / groups, height, width)");
  const groups = options.groups ?? 1;
  checkChannels(owner, x, 4, weight.shape[0], groups);
  const strides = pairOf(owner, "stride", options.stride ?? 1);
  const dilation = pairOf(owner, "dilation", options.dilation ?? 1);
  const outputPadding = pairOf(owner, "outputPadding", options.outputPadding ?? 0, 0);
  for (const axis of [0, 1] as const) {
    if (outputPadding[axis] >= Math.max(strides[axis], dilation[axis])) {
      throw new ArgumentError(
        `${owner}: outputPadding ${outputPadding.join("x")} must be smaller than the stride (${strides.join("x")}) or the dilation (${dilation.join("x")}).`,
      );
    }
  }
  const padding = convolutionPadding(owner, options.padding ?? 0, [1, 1], strides, dilation);
  const geometry = { strides, dilation, padding, groups, outputPadding };
  return withBatch(x, 3, (images) => channelsFirstTransposedConvolution(images, weight, given(bias), geometry));
}

/** Transposed convolution of sequences (N, C, L) with kernels (C, filters / groups, l). After torch.nn.functional.conv_transpose1d. */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTranspose1dFunctionOptions = {},
  owner = "convTranspose1d",
): Tensor {
  checkRank(owner, x, [2, 3], "(batch, channels, length) or (channels, length)");
  checkRank(`${owner}: weight`, weight, [3], "(channels, filters / groups, length)");
  checkChannels(owner, x, 3, weight.shape[0], options.groups ?? 1);
  const settings: ConvTranspose2dFunctionOptions = {
    stride: asRow(owner, "stride", options.stride ?? 1, 1),
    dilation: asRow(owner, "dilation", options.dilation ?? 1, 1),
    padding: asRow(owner, "padding", options.padding ?? 0, 0, 0),
    outputPadding: asRow(owner, "outputPadding", options.outputPadding ?? 0, 0, 0),
    groups: options.groups,
  };
  return withBatch(x, 2, (sequences) =>
    asImages(sequences, (images) => convTranspose2d(images, weight.unsqueeze(2), bias, settings, owner)),
  );
}
