import { attention } from "../../../nn/attention.ts";
import type { Tensor } from "../../../tensor/index.ts";

export interface ScaledDotProductAttentionOptions {
  /** Broadcasts against (…, queries, keys): true where a query may attend, or numbers that are added to the scores. */
  readonly attnMask?: Tensor | null;
  readonly dropoutP?: number;
  /** Query i attends to keys 0 … i only. */
  readonly isCausal?: boolean;
  /** Default 1 / √width. */
  readonly scale?: number | null;
}

/** softmax(q·kᵀ·scale + mask)·v over (…, positions, width). After torch.nn.functional.scaled_dot_product_attention. */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { attnMask, dropoutP = 0, isCausal = false, scale }: ScaledDotProductAttentionOptions = {},
): Tensor {
  return attention("scaledDotProductAttention", query, key, value, {
    mask: attnMask ?? undefined,
    dropout: dropoutP,
    causal: isCausal,
    scale: scale ?? undefined,
  }).output;
}
