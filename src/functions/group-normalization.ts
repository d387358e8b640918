import { ArgumentError, ShapeError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { formatShape, normalizeAxis } from "../graph/shape.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { constantLike } from "../ops/prepare.ts";
import { mean } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { rsqrt } from "../ops/unary.ts";
import type { NormalizationOptions } from "./normalization.ts";
import { moments } from "./statistics.ts";

export interface GroupNormalizationOptions extends NormalizationOptions {
  /** Number of groups that the channels are split into; as many as channels is instance normalisation. */
  readonly groups: number;
  /** The axis of channels (default −1). */
  readonly axis?: number;
}

/** A parameter for each channel, shaped to broadcast. */
function alongChannels(what: string, parameter: Node, x: Node, axis: number): Node {
  if (parameter.shape.length !== 1 || parameter.shape[0] !== x.shape[axis]) {
    throw new ShapeError(
      `groupNormalization: ${what} has shape ${formatShape(parameter.shape)}, expected (${x.shape[axis]},) for data of shape ${formatShape(x.shape)}.`,
    );
  }
  return reshape(
    parameter,
    x.shape.map((size, i) => (i === axis ? size : 1)),
  );
}

/**
 * Normalises each example's channels in groups: (x − μ) / √(σ² + ε) · γ + β with μ and σ² over the channels of a group and all axes but the
 * first. Source: Wu and He, 2018.
 */
export function groupNormalization(
  x: Node,
  { groups, gamma, beta, epsilon = 1e-3, axis = -1 }: GroupNormalizationOptions,
): Node {
  const at = normalizeAxis("groupNormalization", axis, x.shape.length);
  const channels = x.shape[at];
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new ArgumentError(
      `groupNormalization: ${channels} channels (axis ${axis} of ${formatShape(x.shape)}) cannot be split into ${groups} groups.`,
    );
  }
  const split = [...x.shape.slice(0, at), groups, channels / groups, ...x.shape.slice(at + 1)];
  const reduced = split.flatMap((_, i) => (i === 0 || i === at ? [] : [i]));
  const { centred, variance } = moments(reshape(x, split), reduced);
  const normal = reshape(mul(centred, rsqrt(add(variance, constantLike(variance, epsilon)))), x.shape);
  const scaled = gamma ? mul(normal, alongChannels("gamma", gamma, x, at)) : normal;
  return beta ? add(scaled, alongChannels("beta", beta, x, at)) : scaled;
}

/** x / √(mean x² + ε) · γ over the last axes, as many as γ has (or the last one). Source: Zhang and Sennrich, 2019. */
export function rootMeanSquareNormalization(
  x: Node,
  { gamma, epsilon = 1.1920928955078125e-7, rank = 1 }: { gamma?: Node; epsilon?: number; rank?: number } = {},
): Node {
  const axes = Array.from({ length: rank }, (_, i) => i - rank);
  const power = mean(mul(x, x), axes, true);
  const normal = mul(x, rsqrt(add(power, constantLike(power, epsilon))));
  return gamma ? mul(normal, gamma) : normal;
}
