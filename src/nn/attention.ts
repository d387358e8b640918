/** Attention over queries, keys and values of shape (…, positions, width). Source: Vaswani et al., 2017. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import { dropout, ones, softmax, type Tensor, tril, where } from "../tensor/index.ts";

export interface AttentionOptions {
  /** Broadcasts against (…, queries, keys): true where a query may attend (bool), or numbers that are added to the scores. */
  readonly mask?: Tensor;
  /** Query i attends to keys 0 … i only. */
  readonly causal?: boolean;
  /** Share of the attention weights that are dropped; the caller knows whether it trains. */
  readonly dropout?: number;
  /** Factor of the scores; default 1 / √width. */
  readonly scale?: number;
}

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
  const weights = softmax(scores, -1);
  const used = options.dropout ? dropout(weights, options.dropout) : weights;
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
