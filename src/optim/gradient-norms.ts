/** Gradients of a network as one vector. */
import type { Shape } from "../graph/shape.ts";
import { sizeOf } from "../graph/shape.ts";
import { concat, norm as normOf, type Tensor, zeros } from "../tensor/index.ts";

/**
 * Scales gradients together by min(1, most / (norm + 1e-6)), where the norm is that of all their elements: (Σ |g|ᵖ)^(1/p), the largest |g| for
 * p = ∞. A norm that is not finite stays visible in the result.
 */
export function clippedToNorm(
  gradients: readonly Tensor[],
  most: number,
  p: number,
): { readonly norm: Tensor; readonly gradients: readonly Tensor[] } {
  if (gradients.length === 0) return { norm: zeros([]), gradients };
  let total: Tensor;
  if (p === 2) total = sumOf(gradients.map((gradient) => gradient.square().sum())).sqrt();
  else if (p === 1) total = sumOf(gradients.map((gradient) => gradient.abs().sum()));
  else {
    const norms = gradients.map((gradient) => normOf(gradient, p).unsqueeze(0));
    total = normOf(concat(norms, 0), p);
  }
  const factor = total.add(1e-6).reciprocal().mul(most).minimum(1);
  return { norm: total, gradients: gradients.map((gradient) => gradient.mul(factor)) };
}

/** A gradient with each element limited to [−most, most]. */
export function clippedToValue(gradient: Tensor, most: number): Tensor {
  return gradient.clip(-most, most);
}

const sumOf = (terms: readonly Tensor[]): Tensor => terms.reduce((total, term) => total.add(term));

/** All elements of several tensors, in order. */
export function joinFlat(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) return zeros([0]);
  return concat(
    tensors.map((tensor) => tensor.reshape([tensor.size])),
    0,
  );
}

/** The opposite of `joinFlat`. */
export function splitFlat(vector: Tensor, shapes: readonly Shape[]): Tensor[] {
  let start = 0;
  return shapes.map((shape) => {
    const end = start + sizeOf(shape);
    const part = vector.slice([start], [end]).reshape(shape);
    start = end;
    return part;
  });
}
