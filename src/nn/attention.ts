/** Attention over queries, keys and values of shape (…, positions, width). Source: Vaswani et al., 2017. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { dropout, type Generator, logicalAnd, ones, softmax, type Tensor, tril, where } from "../tensor/index.ts";
import { dense } from "./linear.ts";

export interface AttentionOptions {
  /** Broadcasts against (…, queries, keys): true where a query may attend (bool), or numbers that are added to the scores. */
  readonly mask?: Tensor;
  /** Query i attends to keys 0 … i only. */
  readonly causal?: boolean;
  /**
   * True where a query may attend (bool), where some queries may attend nowhere: these see all keys evenly, or nothing. Not together with `mask`.
   */
  readonly allowed?: { readonly mask: Tensor; readonly otherwise: "evenly" | "nothing" };
  /** Share of the attention weights that are dropped; the caller knows whether it trains. */
  readonly dropout?: number;
  /** Draws what is dropped. */
  readonly generator?: Generator | undefined;
  /** Factor of the scores; default 1 / √width. */
  readonly scale?: number | Tensor;
}

/** A score that no query prefers, finite so that a query without any other still has weights. */
const never = -1e30;

/** Scores of a mask: −∞ where a query may not attend. */
export function maskScores(mask: Tensor): Tensor {
  return mask.dtype === "bool" ? where(mask, 0, Number.NEGATIVE_INFINITY) : mask;
}

/** Lower triangle of true: query i may attend to key j ≤ i. */
export function causalMask(queries: number, keys: number): Tensor {
  return tril(ones([queries, keys])).ne(0);
}

/** softmax(q·kᵀ·scale + mask)·v, and the weights before dropout. */
export function attention(
  owner: string,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): { readonly output: Tensor; readonly weights: Tensor } {
  const width = query.shape[query.rank - 1];
  if (query.rank < 2 || key.rank < 2 || key.shape[key.rank - 1] !== width) {
    throw new ShapeError(
      `${owner}: queries of shape ${formatShape(query.shape)} and keys of shape ${formatShape(key.shape)} must have positions and one width as their last axes.`,
    );
  }
  if (value.rank < 2 || value.shape[value.rank - 2] !== key.shape[key.rank - 2]) {
    throw new ShapeError(
      `${owner}: keys of shape ${formatShape(key.shape)} and values of shape ${formatShape(value.shape)} must have the same number of positions.`,
    );
  }
  if (options.causal && options.mask)
    throw new ArgumentError(`${owner}: give a mask or ask for a causal one, not both.`);
  const scaled = query.mul(options.scale ?? 1 / Math.sqrt(width));
  let scores = scaled.matmul(key.transpose(-2, -1));
  const mask = options.causal ? causalMask(query.shape[query.rank - 2], key.shape[key.rank - 2]) : options.mask;
  if (mask) scores = scores.add(maskScores(mask));
  if (options.allowed) scores = where(options.allowed.mask, scores, never);
  let weights = softmax(scores, -1);
  if (options.allowed?.otherwise === "nothing") weights = where(options.allowed.mask, weights, 0);
  const used = options.dropout ? dropout(weights, options.dropout, { generator: options.generator }) : weights;
  return { output: used.matmul(value), weights };
}

/** (…, positions, heads·width) to (…, heads, positions, width). */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const width = x.shape[x.rank - 1];
  return x.reshape([...x.shape.slice(0, -1), heads, width / heads]).transpose(-3, -2);
}

/** (…, heads, positions, width) to (…, positions, heads·width). */
export function mergeHeads(x: Tensor): Tensor {
  const merged = x.transpose(-3, -2);
  return merged.reshape([...merged.shape.slice(0, -2), merged.shape[merged.rank - 2] * merged.shape[merged.rank - 1]]);
}

/** Projected queries, keys and values: (batch, positions, width). */
export interface Projection {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/**
 * Projects queries, keys and values, by weights (width, inputs) of their own or by one of shape (3·width, inputs); the bias has 3·width elements.
 * Where all three are one tensor this is one product.
 */
export function projectJointly(
  inputs: readonly [query: Tensor, key: Tensor, value: Tensor],
  weights: Tensor | readonly [Tensor, Tensor, Tensor],
  bias: Tensor | undefined,
): Projection {
  const [query, key, value] = inputs;
  const joint = isOne(weights) ? weights : undefined;
  if (joint && query === key && key === value) {
    const width = joint.shape[0] / 3;
    const all = dense(query, joint.transpose(0, 1), bias);
    const part = (index: number): Tensor =>
      all.slice([0, 0, index * width], [all.shape[0], all.shape[1], (index + 1) * width]);
    return { query: part(0), key: part(1), value: part(2) };
  }
  const project = (x: Tensor, index: number): Tensor => {
    const width = isOne(weights) ? weights.shape[0] / 3 : weights[index].shape[0];
    const weight = isOne(weights)
      ? weights.slice([index * width, 0], [(index + 1) * width, weights.shape[1]])
      : weights[index];
    return dense(x, weight.transpose(0, 1), bias?.slice([index * width], [(index + 1) * width]));
  };
  return { query: project(query, 0), key: project(key, 1), value: project(value, 2) };
}

function isOne(weights: Tensor | readonly [Tensor, Tensor, Tensor]): weights is Tensor {
  return !Array.isArray(weights);
}

export interface MaskParts {
  /** (queries, keys) or (batch·heads, queries, keys): true where a query may not attend, or numbers added to the scores. */
  readonly attention?: Tensor;
  /** (batch, keys): true where a key is padding, or numbers added to the scores. */
  readonly padding?: Tensor;
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
}

/** Numbers to add to scores of shape (batch, heads, queries, keys); masks say true where attention is forbidden, as PyTorch's do. */
export function combineMasks(owner: string, parts: MaskParts): Tensor | undefined {
  const { attention: mask, padding, batch, heads, queries, keys } = parts;
  const numbers = (forbidden: Tensor): Tensor =>
    forbidden.dtype === "bool" ? where(forbidden, Number.NEGATIVE_INFINITY, 0) : forbidden;
  let result: Tensor | undefined;
  if (mask) {
    if (mask.rank === 2 && sameShape(mask.shape, [queries, keys])) result = numbers(mask);
    else if (mask.rank === 3 && sameShape(mask.shape, [batch * heads, queries, keys])) {
      result = numbers(mask).reshape([batch, heads, queries, keys]);
    } else {
      throw new ShapeError(
        `${owner}: the attention mask has shape ${formatShape(mask.shape)}, expected (${queries}, ${keys}) or (${batch * heads}, ${queries}, ${keys}).`,
      );
    }
  }
  if (padding) {
    if (!sameShape(padding.shape, [batch, keys])) {
      throw new ShapeError(
        `${owner}: the key padding mask has shape ${formatShape(padding.shape)}, expected (${batch}, ${keys}).`,
      );
    }
    const shaped = numbers(padding).reshape([batch, 1, 1, keys]);
    result = result ? result.add(shaped) : shaped;
  }
  return result;
}

/** Attention in several heads over projected inputs: the heads' outputs side by side, and the weights (batch, queries, keys) or one for each head. */
export function multiHeadAttention(
  owner: string,
  { query, key, value }: Projection,
  options: {
    readonly heads: number;
    readonly mask?: Tensor;
    readonly dropout?: number;
    readonly averageWeights: boolean;
  },
): { readonly output: Tensor; readonly weights: Tensor } {
  const { heads, mask, dropout: rate } = options;
  const split = (x: Tensor): Tensor => splitHeads(x, heads);
  const { output, weights } = attention(owner, split(query), split(key), split(value), { mask, dropout: rate });
  return { output: mergeHeads(output), weights: options.averageWeights ? weights.mean(1) : weights };
}

/** x and what a part of the network adds to it. */
export function residual(x: Tensor, change: Tensor): Tensor {
  return x.add(change);
}

/** What may be attended to as one mask that broadcasts to (batch, queries, keys), or undefined for everything. */
export function allowedPositions(parts: {
  /** (batch, queries): queries that count. */
  readonly queries?: Tensor | undefined;
  /** (batch, keys): keys that count. */
  readonly keys?: readonly (Tensor | undefined)[];
  /** Broadcasts to (batch, queries, keys). */
  readonly attention?: Tensor | undefined;
  /** Numbers of queries and keys, where query i attends to keys 0 … i only. */
  readonly causal?: readonly [queries: number, keys: number] | undefined;
}): Tensor | undefined {
  const bool = (mask: Tensor): Tensor => (mask.dtype === "bool" ? mask : mask.ne(0));
  const masks: Tensor[] = [];
  if (parts.queries) masks.push(bool(parts.queries).unsqueeze(-1));
  for (const keys of parts.keys ?? []) if (keys) masks.push(bool(keys).unsqueeze(-2));
  if (parts.causal) masks.push(causalMask(...parts.causal).unsqueeze(0));
  if (parts.attention) masks.push(bool(parts.attention));
  return masks.length === 0 ? undefined : masks.reduce((left, right) => logicalAnd(left, right));
}

/** A projection with a kernel [inputs, heads, width] and a bias [heads, width]: (batch, positions, inputs) to (batch, heads, positions, width). */
export function projectHeads(x: Tensor, kernel: Tensor, bias: Tensor | undefined): Tensor {
  const [inputs, heads, width] = kernel.shape;
  return splitHeads(dense(x, kernel.reshape([inputs, heads * width]), bias?.reshape([heads * width])), heads);
}

/** The heads' outputs (batch, heads, positions, width) by a kernel [heads, width, …outputs] and a bias […outputs]. */
export function joinHeads(x: Tensor, kernel: Tensor, bias: Tensor | undefined): Tensor {
  const [heads, width, ...outputs] = kernel.shape;
  const count = outputs.reduce((product, extent) => product * extent, 1);
  const flat = dense(mergeHeads(x), kernel.reshape([heads * width, count]), bias?.reshape([count]));
  return outputs.length === 1 ? flat : flat.reshape([...flat.shape.slice(0, -1), ...outputs]);
}

/** x where the mask of positions (batch, positions) holds, else 0. */
export function silencePositions(x: Tensor, mask: Tensor): Tensor {
  return where(mask.unsqueeze(-1), x, 0);
}
