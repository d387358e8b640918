import {
  batchNormalizationInference,
  batchNormalizationTraining,
  groupNormalization,
  layerNormalization,
  mean,
  rootMeanSquareNormalization,
  type Tensor,
  type Variable,
  variance,
  where,
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

/** Layer normalisation over any axes; gamma and beta have their sizes, in ascending order of the axes. */
export function normalizeAxesTogether(
  x: Tensor,
  axes: readonly number[],
  options: { readonly gamma?: Tensor; readonly beta?: Tensor; readonly epsilon: number },
): Tensor {
  return layerNormalization(x, { ...options, axes });
}

/** x / √(mean x² + ε) · scale along an axis, scale having its size. Source: Zhang and Sennrich, 2019. */
export function rootMeanSquareNorm(x: Tensor, scale: Tensor, axis: number, epsilon: number): Tensor {
  if (axis === -1 || axis === x.rank - 1) return rootMeanSquareNormalization(x, { gamma: scale, epsilon });
  const at = axis < 0 ? axis + x.rank : axis;
  const power = x.square().mean(at, { keepdim: true });
  const shaped = scale.reshape(x.shape.map((extent, index) => (index === at ? extent : 1)));
  return x.mul(power.add(epsilon).rsqrt()).mul(shaped);
}

/** x · min(1 / √(Σ x²), 1 / ε) over axes: length 1, and 0 for a vector of zeros. */
export function unitNorm(x: Tensor, axes: readonly number[], epsilon = 1e-12): Tensor {
  const power = x.square().sum(axes, { keepdim: true });
  // a vector of zeros has no direction: its gradient is 0 rather than NaN
  const safe = where(power.gt(0), power, 1);
  return x.mul(where(power.gt(0), safe.rsqrt().minimum(1 / epsilon), 1 / epsilon));
}

/** Mean and variance over axes, without Bessel's correction. */
export function statisticsOver(
  x: Tensor,
  axes: readonly number[],
): { readonly mean: Tensor; readonly variance: Tensor } {
  const values = x.dtype === "f32" ? x : x.cast("f32");
  if (axes.length === 0) return { mean: values, variance: values.mul(0) };
  return { mean: mean(values, axes), variance: variance(values, { axes }) };
}

/** Statistics of two sets of values as those of their union; `share` is the second set's share of all values. After Chan et al., 1979. */
export function mergeStatistics(
  first: { readonly mean: Tensor; readonly variance: Tensor },
  second: { readonly mean: Tensor; readonly variance: Tensor },
  share: number,
): { readonly mean: Tensor; readonly variance: Tensor } {
  const mean = first.mean.mul(1 - share).add(second.mean.mul(share));
  const spread = (part: typeof first): Tensor => part.variance.add(part.mean.sub(mean).square());
  return {
    mean,
    variance: spread(first)
      .mul(1 - share)
      .add(spread(second).mul(share)),
  };
}

/** (x − mean) / max(√variance, 10⁻⁷), or with `invert` the reverse. */
export function standardize(x: Tensor, mean: Tensor, variance: Tensor, invert: boolean): Tensor {
  const values = x.dtype === "f32" ? x : x.cast("f32");
  const deviation = variance.sqrt().maximum(1e-7);
  return invert ? values.mul(deviation).add(mean) : values.sub(mean).div(deviation);
}

/** x · scale + offset, by numbers or by numbers for each channel. */
export function rescale(x: Tensor, scale: number | Tensor, offset: number | Tensor): Tensor {
  const values = x.dtype === "f32" ? x : x.cast("f32");
  const scaled = values.mul(scale);
  return offset === 0 ? scaled : scaled.add(offset);
}
