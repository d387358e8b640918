/** Penalties on weights and activations: scalars that are added to the loss. */
import { eye, type Tensor } from "../tensor/index.ts";

/** l1·Σ|w| + l2·Σw². */
export function absoluteAndSquarePenalty(weight: Tensor, l1: number, l2: number): Tensor {
  const absolute = l1 === 0 ? undefined : weight.abs().sum().mul(l1);
  const square = l2 === 0 ? undefined : weight.square().sum().mul(l2);
  if (absolute && square) return absolute.add(square);
  return absolute ?? square ?? weight.sum().mul(0);
}

/**
 * factor · mean |cos| of the angles between different rows (or columns) of a matrix.
 *
 * Source: Keras 3.15, `keras/src/regularizers/regularizers.py`.
 */
export function orthogonalPenalty(weight: Tensor, factor: number, mode: "rows" | "columns"): Tensor {
  const rows = mode === "rows" ? weight : weight.transpose();
  const norms = rows.square().sum(1, true).sqrt().maximum(1e-12);
  const unit = rows.div(norms);
  const count = rows.shape[0];
  const cosines = unit.matmul(unit.transpose()).mul(eye(count).neg().add(1));
  return cosines
    .abs()
    .sum()
    .mul(factor / (count * (count - 1)));
}

/** A penalty of a whole output as a penalty per example: divided by the size of the batch axis. */
export function perExamplePenalty(penalty: Tensor, output: Tensor): Tensor {
  return output.rank === 0 ? penalty : penalty.div(Math.max(1, output.shape[0]));
}

/** The sum of losses; undefined for none. */
export function sumOfLosses(losses: readonly Tensor[]): Tensor | undefined {
  const scalars = losses.map((loss) => (loss.rank === 0 ? loss : loss.sum()));
  return scalars.length === 0 ? undefined : scalars.reduce((total, loss) => total.add(loss));
}

/** A loss times its factor. */
export function weightedLoss(loss: Tensor, factor: number): Tensor {
  return factor === 1 ? loss : loss.mul(factor);
}
