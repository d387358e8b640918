import { ArgumentError } from "../errors.ts";
import type { Tensor } from "../tensor/index.ts";

/** How gradients are limited before the update; at most one of the three. */
export interface ClipOptions {
  /** Largest Euclidean norm of each gradient. */
  readonly clipnorm?: number;
  /** Largest Euclidean norm of all gradients together. */
  readonly globalClipnorm?: number;
  /** Largest absolute value of each element. */
  readonly clipvalue?: number;
}

export function checkClipOptions(owner: string, options: ClipOptions): void {
  const given = (["clipnorm", "clipvalue", "globalClipnorm"] as const).filter((name) => options[name] !== undefined);
  if (given.length > 1) {
    throw new ArgumentError(
      `${owner}: only one of clipnorm, clipvalue and globalClipnorm can be set, received ${given.join(" and ")}.`,
    );
  }
  for (const name of given) {
    const limit = options[name];
    if (!(limit !== undefined && limit > 0)) {
      throw new ArgumentError(`${owner}: ${name} must be positive, received ${limit}.`);
    }
  }
}

/** Σ over all gradients of g². */
function squaredNorm(gradients: readonly Tensor[]): Tensor {
  return gradients.map((gradient) => gradient.square().sum()).reduce((total, part) => total.add(part));
}

/** g·min(1, limit / ‖g‖), left as it is where the norm is 0; a gradient that is not finite stays visible as NaN. */
function scaleToNorm(gradient: Tensor, norm: Tensor, limit: number): Tensor {
  return gradient.mul(norm.maximum(limit).reciprocal().mul(limit));
}

/** The gradients within the limits. */
export function clipGradients(gradients: readonly Tensor[], options: ClipOptions): readonly Tensor[] {
  const { clipnorm, clipvalue, globalClipnorm } = options;
  if (gradients.length === 0) return gradients;
  if (clipnorm !== undefined) {
    return gradients.map((gradient) => scaleToNorm(gradient, squaredNorm([gradient]).sqrt(), clipnorm));
  }
  if (globalClipnorm !== undefined) {
    const norm = squaredNorm(gradients).sqrt();
    return gradients.map((gradient) => scaleToNorm(gradient, norm, globalClipnorm));
  }
  if (clipvalue !== undefined) return gradients.map((gradient) => gradient.clip(-clipvalue, clipvalue));
  return gradients;
}
