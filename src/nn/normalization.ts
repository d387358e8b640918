import {
  batchNormalizationInference,
  batchNormalizationTraining,
  type Tensor,
  type Variable,
} from "../tensor/index.ts";
import { pendingValue, recordUpdate } from "./updates.ts";

export interface BatchNormState {
  readonly gamma?: Tensor;
  readonly beta?: Tensor;
  readonly movingMean: Variable;
  readonly movingVariance: Variable;
}

/**
 * Batch normalisation over one axis (Ioffe & Szegedy 2015): y = γ·(x − μ) / √(σ² + ε) + β. In training μ and σ² are those of the batch
 * (σ² without Bessel's correction) and the running statistics move: m ← m·momentum + μ·(1 − momentum). Otherwise they are the running ones.
 */
export function batchNorm(
  x: Tensor,
  state: BatchNormState,
  options: { axis: number; momentum: number; epsilon: number; training: boolean },
): Tensor {
  const { gamma, beta, movingMean, movingVariance } = state;
  const settings = { axis: options.axis, epsilon: options.epsilon, ...(gamma && { gamma }), ...(beta && { beta }) };
  if (!options.training) return batchNormalizationInference(x, movingMean, movingVariance, settings);
  const { output, mean, variance } = batchNormalizationTraining(x, settings);
  move(movingMean, mean.detach(), options.momentum);
  move(movingVariance, variance.detach(), options.momentum);
  return output;
}

function move(running: Variable, value: Tensor, momentum: number): void {
  recordUpdate(
    running,
    pendingValue(running)
      .mul(momentum)
      .add(value.mul(1 - momentum)),
  );
}
