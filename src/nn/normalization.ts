import type { Tensor, Variable } from "../tensor/index.ts";
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
  const axis = options.axis < 0 ? options.axis + x.rank : options.axis;
  const others = x.shape.flatMap((_, index) => (index === axis ? [] : [index]));
  const perChannel = x.shape.map((extent, index) => (index === axis ? extent : 1));
  const spread = (statistic: Tensor): Tensor => statistic.reshape(perChannel);
  if (!options.training) {
    const scale = inverseDeviation(state.movingVariance, options.epsilon, state.gamma);
    const shift = state.movingMean.mul(scale);
    return x.mul(spread(scale)).add(spread(state.beta ? state.beta.sub(shift) : shift.neg()));
  }
  const mean = x.mean(others);
  const centered = x.sub(spread(mean));
  const variance = centered.square().mean(others);
  move(state.movingMean, mean.detach(), options.momentum);
  move(state.movingVariance, variance.detach(), options.momentum);
  const normalized = centered.mul(spread(inverseDeviation(variance, options.epsilon, state.gamma)));
  return state.beta ? normalized.add(spread(state.beta)) : normalized;
}

function inverseDeviation(variance: Tensor, epsilon: number, gamma: Tensor | undefined): Tensor {
  const inverse = variance.add(epsilon).rsqrt();
  return gamma ? inverse.mul(gamma) : inverse;
}

function move(running: Variable, value: Tensor, momentum: number): void {
  recordUpdate(
    running,
    pendingValue(running)
      .mul(momentum)
      .add(value.mul(1 - momentum)),
  );
}
