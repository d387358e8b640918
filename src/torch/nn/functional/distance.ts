import { pairDistance } from "../../../nn/embedding.ts";
import type { Tensor } from "../../../tensor/index.ts";
import * as T from "../../../tensor/index.ts";

/** x / max(‖x‖ₚ, ε) along a dim. After torch.nn.functional.normalize. */
export function normalize(
  x: Tensor,
  { p = 2, dim = 1, eps = 1e-12 }: { readonly p?: number; readonly dim?: number; readonly eps?: number } = {},
): Tensor {
  return T.normalize(x, p, dim, eps);
}

/** x·y / (‖x‖·‖y‖) along a dim. After torch.nn.functional.cosine_similarity. */
export function cosineSimilarity(
  x: Tensor,
  y: Tensor,
  { dim = 1, eps = 1e-8 }: { readonly dim?: number; readonly eps?: number } = {},
): Tensor {
  return T.cosineSimilarity(x, y, dim, eps);
}

/** ‖x − y + ε‖ₚ over the last dim. After torch.nn.functional.pairwise_distance. */
export function pairwiseDistance(
  x: Tensor,
  y: Tensor,
  {
    p = 2,
    eps = 1e-6,
    keepdim = false,
  }: { readonly p?: number; readonly eps?: number; readonly keepdim?: boolean } = {},
): Tensor {
  return pairDistance(x, y, p, eps, keepdim);
}
