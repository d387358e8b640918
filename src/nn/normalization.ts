import {
  batchNormalizationInference,
  batchNormalizationTraining,
  groupNormalization,
  layerNormalization,
  mean,
  type Tensor,
  type Variable,
  variance,
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

export interface RunningStatistics {
  readonly mean: Variable;
  readonly variance: Variable;
  /** Number of batches seen, counted up in training. */
  readonly batches?: Variable;
}

/** How far running statistics move towards those of a batch: a number, or null for the mean over all batches so far. */
type Movement = number | null;

/**
 * Moves running statistics: r ← (1 − f)·r + f·batch, the variance with Bessel's correction n / (n − 1), where n is the number of values behind each
 * statistic. Without a movement f is 1 / (number of batches), so that r is their mean.
 */
export function moveRunningStatistics(
  running: RunningStatistics,
  batch: { readonly mean: Tensor; readonly variance: Tensor; readonly count: number },
  movement: Movement,
): void {
  let share: Tensor | number = movement ?? 0;
  if (running.batches) {
    const batches = pendingValue(running.batches).add(1);
    recordUpdate(running.batches, batches);
    if (movement === null) share = batches.cast("f32").reciprocal();
  }
  const towards = (variable: Variable, value: Tensor): void => {
    const before = pendingValue(variable);
    const kept = typeof share === "number" ? before.mul(1 - share) : before.sub(before.mul(share));
    recordUpdate(variable, kept.add(value.detach().mul(share)));
  };
  towards(running.mean, batch.mean);
  towards(running.variance, batch.variance.mul(batch.count).div(batch.count - 1));
}

/**
 * Batch normalisation with PyTorch's statistics: y = γ·(x − μ) / √(σ² + ε) + β over axis 1, with the batch's own μ and σ² (the variance of the
 * population) in training or where there are no running ones, which move by `moveRunningStatistics`.
 */
export function batchNormWithRunning(
  x: Tensor,
  state: { readonly gamma?: Tensor; readonly beta?: Tensor; readonly running?: RunningStatistics },
  options: { readonly epsilon: number; readonly training: boolean; readonly movement: Movement },
): Tensor {
  const { gamma, beta, running } = state;
  const settings = { axis: 1, epsilon: options.epsilon, ...(gamma && { gamma }), ...(beta && { beta }) };
  if (running && !options.training) return batchNormalizationInference(x, running.mean, running.variance, settings);
  const { output, mean, variance } = batchNormalizationTraining(x, settings);
  if (running) moveRunningStatistics(running, { mean, variance, count: x.size / x.shape[1] }, options.movement);
  return output;
}

/**
 * Instance normalisation: each channel of each example by its own statistics, or by the running ones outside training. Running statistics move
 * towards the mean over the batch of what its examples have. After Ulyanov et al., 2016.
 */
export function instanceNorm(
  x: Tensor,
  state: { readonly gamma?: Tensor; readonly beta?: Tensor; readonly running?: RunningStatistics },
  options: { readonly epsilon: number; readonly training: boolean; readonly movement: Movement },
): Tensor {
  const { gamma, beta, running } = state;
  const settings = { epsilon: options.epsilon, ...(gamma && { gamma }), ...(beta && { beta }) };
  if (running && !options.training) {
    return batchNormalizationInference(x, running.mean, running.variance, { axis: 1, ...settings });
  }
  if (running) {
    const axes = Array.from({ length: x.rank - 2 }, (_, axis) => axis + 2);
    const values = x.detach();
    const batch = {
      mean: mean(mean(values, axes), 0),
      variance: mean(variance(values, { axes }), 0),
      count: x.size / (x.shape[0] * x.shape[1]),
    };
    moveRunningStatistics(running, batch, options.movement);
  }
  return groupNormalization(x, { groups: x.shape[1], axis: 1, ...settings });
}

/** Normalisation over the last `rank` axes. */
export function normalizeLastAxes(
  x: Tensor,
  rank: number,
  options: { readonly gamma?: Tensor; readonly beta?: Tensor; readonly epsilon: number },
): Tensor {
  return layerNormalization(x, { ...options, axes: Array.from({ length: rank }, (_, axis) => axis - rank) });
}
