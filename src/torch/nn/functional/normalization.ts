import { ArgumentError, ShapeError } from "../../../errors.ts";
import { formatShape, sameShape } from "../../../graph/shape.ts";
import {
  batchNormWithRunning,
  instanceNorm as normalizeInstances,
  normalizeLastAxes,
} from "../../../nn/normalization.ts";
import { groupNormalization, rootMeanSquareNormalization, type Tensor, type Variable } from "../../../tensor/index.ts";
import { given } from "./geometry.ts";

interface Affine {
  readonly weight?: Tensor | null;
  readonly bias?: Tensor | null;
  readonly eps?: number;
}
export interface BatchNormFunctionOptions extends Affine {
  /** Use the batch's own statistics (and move the running ones). */
  readonly training?: boolean;
  /** How far running statistics move towards the batch's; null for the mean over all batches. */
  readonly momentum?: number | null;
  /** Counts batches, for a momentum of null. */
  readonly numBatchesTracked?: Variable | null;
}

function runningOf(
  mean: Variable | null | undefined,
  variance: Variable | null | undefined,
  batches?: Variable | null,
) {
  if (!mean || !variance) return undefined;
  return batches ? { mean, variance, batches } : { mean, variance };
}

/** Normalises each channel (axis 1) by the statistics of the batch, or by running ones. After torch.nn.functional.batch_norm. */
export function batchNorm(
  x: Tensor,
  runningMean: Variable | null | undefined,
  runningVar: Variable | null | undefined,
  options: BatchNormFunctionOptions = {},
  owner = "batchNorm",
): Tensor {
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  if (x.rank < 2) {
    throw new ShapeError(
      `${owner}: expected an input of shape (batch, channels, …), received ${formatShape(x.shape)}.`,
    );
  }
  const running = runningOf(runningMean, runningVar, options.numBatchesTracked);
  if (!training && !running) {
    throw new ArgumentError(`${owner}: running statistics are needed where training is false.`);
  }
  if (training && x.size === x.shape[1]) {
    throw new ShapeError(
      `${owner}: training needs more than one value for each channel, received an input of shape ${formatShape(x.shape)}.`,
    );
  }
  const state = { gamma: given(options.weight), beta: given(options.bias), running };
  return batchNormWithRunning(x, state, { epsilon: eps, training, movement: momentum });
}

export interface InstanceNormFunctionOptions extends Affine {
  /** Each example's own statistics rather than running ones (default true). */
  readonly useInputStats?: boolean;
  readonly momentum?: number | null;
}

/** Normalises each channel of each example by its own statistics. After torch.nn.functional.instance_norm. */
export function instanceNorm(
  x: Tensor,
  runningMean?: Variable | null,
  runningVar?: Variable | null,
  options: InstanceNormFunctionOptions = {},
  owner = "instanceNorm",
): Tensor {
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  if (x.rank < 3 || x.size === x.shape[0] * x.shape[1]) {
    throw new ShapeError(
      `${owner}: expected an input of shape (batch, channels, …) with more than one value for each channel, received ${formatShape(x.shape)}.`,
    );
  }
  const state = {
    gamma: given(options.weight),
    beta: given(options.bias),
    running: runningOf(runningMean, runningVar),
  };
  return normalizeInstances(x, state, { epsilon: eps, training: useInputStats, movement: momentum });
}

/** Checks that the last axes have the sizes over which is normalised; returns how many there are. */
function checkLast(owner: string, x: Tensor, normalizedShape: number | readonly number[]): number {
  const wanted = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  if (wanted.length === 0) throw new ArgumentError(`${owner}: normalizedShape must name at least one axis.`);
  if (x.rank >= wanted.length && sameShape(x.shape.slice(x.rank - wanted.length), wanted)) return wanted.length;
  throw new ShapeError(
    `${owner}: expected an input of shape (…, ${wanted.join(", ")}), received ${formatShape(x.shape)}.`,
  );
}

/** Normalises over the last axes. After torch.nn.functional.layer_norm. */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | readonly number[],
  options: Affine = {},
  owner = "layerNorm",
): Tensor {
  const count = checkLast(owner, x, normalizedShape);
  return normalizeLastAxes(x, count, {
    epsilon: options.eps ?? 1e-5,
    ...(options.weight && { gamma: options.weight }),
    ...(options.bias && { beta: options.bias }),
  });
}

/** x / √(mean x² + ε) · w over the last axes. After torch.nn.functional.rms_norm. */
export function rmsNorm(
  x: Tensor,
  normalizedShape: number | readonly number[],
  options: { readonly weight?: Tensor | null; readonly eps?: number | null } = {},
  owner = "rmsNorm",
): Tensor {
  const rank = checkLast(owner, x, normalizedShape);
  return rootMeanSquareNormalization(x, {
    rank,
    ...(options.weight && { gamma: options.weight }),
    ...(typeof options.eps === "number" && { epsilon: options.eps }),
  });
}

/** Normalises channels (axis 1) in groups, example by example. After torch.nn.functional.group_norm. */
export function groupNorm(x: Tensor, numGroups: number, options: Affine = {}, owner = "groupNorm"): Tensor {
  if (x.rank < 2 || x.shape[1] % numGroups !== 0) {
    throw new ShapeError(
      `${owner}: expected an input of shape (batch, channels, …) with channels in ${numGroups} groups, received ${formatShape(x.shape)}.`,
    );
  }
  return groupNormalization(x, {
    groups: numGroups,
    axis: 1,
    epsilon: options.eps ?? 1e-5,
    ...(options.weight && { gamma: options.weight }),
    ...(options.bias && { beta: options.bias }),
  });
}
