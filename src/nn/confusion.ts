/** Metrics from the four counts of a confusion matrix at one or more thresholds: precision, recall, area under a curve. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import { arange, type Tensor, tensor, topK, where } from "../tensor/index.ts";
import { type Accumulator, divideOrZero } from "./accumulator.ts";
import { alignRanks, asFloat } from "./align.ts";
import { epsilon } from "./losses.ts";

export type ConfusionCount = "true_positives" | "false_positives" | "true_negatives" | "false_negatives";

export interface ConfusionOptions {
  readonly thresholds?: number | readonly number[];
  /** Only the k largest predictions of an example count as positive. */
  readonly topK?: number;
  /** Only this class (position in the last axis) counts. */
  readonly classId?: number;
}

interface FlatBatch {
  readonly positive: Tensor;
  readonly score: Tensor;
  readonly weight: Tensor | undefined;
}

/** Predictions that are not among the k largest of the last axis become −∞. */
function keepTopK(score: Tensor, k: number): Tensor {
  const smallest = topK(score, k).values.amin(-1, true);
  return where(score.ge(smallest), score, score.mul(0).sub(1e10));
}

/** Targets (as 1 or 0), predictions and weights as three aligned tensors. */
function prepare(
  operation: string,
  target: Tensor,
  prediction: Tensor,
  sampleWeight: Tensor | undefined,
  options: ConfusionOptions,
): FlatBatch {
  let [score, goal] = alignRanks(asFloat(prediction), asFloat(target));
  if (formatShape(score.shape) !== formatShape(goal.shape)) {
    throw new ShapeError(
      `${operation}: targets have shape ${formatShape(target.shape)}, predictions ${formatShape(prediction.shape)}; they must be equal ` +
        "(one-hot targets for predictions per class).",
    );
  }
  let weight = sampleWeight && asFloat(sampleWeight).unsqueeze(-1);
  if (weight && weight.rank === goal.rank + 1) weight = weight.squeeze(-1);
  if (options.topK !== undefined) score = keepTopK(score, options.topK);
  if (options.classId !== undefined) {
    const { classId } = options;
    if (score.rank < 2 || !Number.isInteger(classId) || classId < 0 || classId >= score.shape[score.rank - 1]) {
      throw new ArgumentError(
        `${operation}: classId ${classId} is not a class of predictions of shape ${formatShape(score.shape)}.`,
      );
    }
    const column = (x: Tensor) =>
      x.slice([...x.shape.slice(1).map(() => 0), classId], [...x.shape.slice(0, -1), classId + 1]);
    [score, goal] = [column(score), column(goal)];
  }
  return { positive: goal.ne(0).cast("f32"), score, weight: weight?.expand(score.shape) };
}

/** Counts at thresholds: `above` says for each threshold (first axis) which predictions are positive. */
function countAt(above: Tensor, batch: FlatBatch, axis: number): Record<ConfusionCount, Tensor> {
  const trueWeight = batch.weight ? batch.positive.mul(batch.weight) : batch.positive;
  const falseWeight = batch.positive
    .neg()
    .add(1)
    .mul(batch.weight ?? 1);
  const over = above.cast("f32");
  const truePositives = over.mul(trueWeight).sum(axis);
  const falsePositives = over.mul(falseWeight).sum(axis);
  return {
    true_positives: truePositives,
    false_positives: falsePositives,
    false_negatives: trueWeight.sum(axis - 1).sub(truePositives),
    true_negatives: falseWeight.sum(axis - 1).sub(falsePositives),
  };
}

function flatten(batch: FlatBatch): FlatBatch {
  return { positive: batch.positive.flatten(), score: batch.score.flatten(), weight: batch.weight?.flatten() };
}

function thresholdList(operation: string, options: ConfusionOptions): readonly number[] {
  const { thresholds, topK: k } = options;
  // With topK every kept prediction counts, however small.
  if (thresholds === undefined) return [k === undefined ? 0.5 : -1e9];
  const list = typeof thresholds === "number" ? [thresholds] : thresholds;
  if (list.length === 0 || !list.every((value) => value >= 0 && value <= 1)) {
    throw new ArgumentError(`${operation}: thresholds must be numbers from 0 to 1, received [${list.join(", ")}].`);
  }
  return list;
}

/** Some of the four counts at each threshold, and a result made from them, one per threshold. */
function countingMetric(
  operation: string,
  counts: readonly ConfusionCount[],
  options: ConfusionOptions,
  result: (counts: readonly number[]) => number,
  direction?: "up",
): Accumulator {
  const thresholds = thresholdList(operation, options);
  return {
    state: counts.map((name) => ({ name, shape: [thresholds.length] })),
    direction,
    update: (state, target, prediction, sampleWeight) => {
      const batch = flatten(prepare(operation, target, prediction, sampleWeight, options));
      const limits = tensor(thresholds, { dtype: "f32" }).unsqueeze(-1);
      const found = countAt(batch.score.unsqueeze(0).gt(limits), batch, 1);
      return counts.map((name, index) => state[index].add(found[name]));
    },
    finish: (values) => {
      const results = thresholds.map((_, index) => result(values.map((value) => value[index])));
      return results.length === 1 ? results[0] : results;
    },
  };
}

/** True positives / predicted positives. */
export function precision(options: ConfusionOptions = {}): Accumulator {
  return countingMetric(
    "precision",
    ["true_positives", "false_positives"],
    options,
    ([hits, misses]) => divideOrZero(hits, hits + misses),
    "up",
  );
}

/** True positives / actual positives. */
export function recall(options: ConfusionOptions = {}): Accumulator {
  return countingMetric(
    "recall",
    ["true_positives", "false_negatives"],
    options,
    ([hits, misses]) => divideOrZero(hits, hits + misses),
    "up",
  );
}

/** One of the four counts. */
export function confusionCount(count: ConfusionCount, options: ConfusionOptions = {}): Accumulator {
  return countingMetric(count, [count], options, ([value]) => value);
}

export type CurveKind = "ROC" | "PR";
export type SummationMethod = "interpolation" | "minoring" | "majoring";

export interface AreaOptions {
  /** Number of thresholds, 0 and 1 included, spread evenly. */
  readonly numThresholds?: number;
  /** Thresholds of your own between 0 and 1; replaces `numThresholds`. */
  readonly thresholds?: readonly number[];
  readonly curve?: CurveKind;
  readonly summationMethod?: SummationMethod;
  /** Whether predictions are logits. */
  readonly fromLogits?: boolean;
  /** One curve for each of this many labels (the last axis), averaged; otherwise all predictions make one curve. */
  readonly numLabels?: number;
  /** Weights of the labels in the average. */
  readonly labelWeights?: readonly number[];
}

/**
 * Area under the ROC or precision-recall curve by a Riemann sum over thresholds. Evenly spaced thresholds are compared in buckets
 * (⌈p·(n − 1)⌉ > i), exactly as Keras counts them in f32.
 */
export function areaUnderCurve(options: AreaOptions = {}): Accumulator {
  const { numThresholds = 200, curve = "ROC", summationMethod = "interpolation", fromLogits = false } = options;
  if (!Number.isInteger(numThresholds) || numThresholds < 2) {
    throw new ArgumentError(`AUC: numThresholds must be an integer of at least 2, received ${numThresholds}.`);
  }
  if (options.thresholds) thresholdList("AUC", options);
  const { numLabels, labelWeights } = options;
  const own = options.thresholds && [-epsilon, ...[...options.thresholds].sort((a, b) => a - b), 1 + epsilon];
  const count = own?.length ?? numThresholds;
  const names = ["true_positives", "false_positives", "true_negatives", "false_negatives"] as const;
  return {
    state: names.map((name) => ({ name, shape: numLabels === undefined ? [count] : [count, numLabels] })),
    direction: "up",
    update: (state, target, prediction, sampleWeight) => {
      const scores = fromLogits ? prediction.sigmoid() : prediction;
      const whole = prepare("AUC", target, scores, sampleWeight, {});
      const batch = numLabels === undefined ? flatten(whole) : whole;
      const column = [count, ...batch.score.shape.map(() => 1)];
      const score = batch.score.unsqueeze(0);
      const above = own
        ? score.gt(tensor(own, { dtype: "f32" }).reshape(column))
        : score
            .clip(0, 1)
            .mul(count - 1)
            .ceil()
            .sub(1)
            .maximum(0)
            .ge(arange(0, count, 1, "f32").reshape(column));
      const found = countAt(above, batch, 1);
      return names.map((name, index) => state[index].add(found[name]));
    },
    finish: (values) => {
      const width = numLabels ?? 1;
      const areas = Array.from({ length: width }, (_, label) => {
        const counts = Array.from({ length: count }, (_, index) => {
          const [tp, fp, tn, fn] = values.map((value) => value[index * width + label]);
          return { tp, fp, tn, fn };
        });
        return curve === "PR" && summationMethod === "interpolation"
          ? interpolatedPrecisionRecall(counts)
          : riemannSum(counts, curve, summationMethod);
      });
      const weights = areas.map((_, label) => labelWeights?.[label] ?? 1);
      const total = areas.reduce((sum, area, label) => sum + area * weights[label], 0);
      return divideOrZero(
        total,
        weights.reduce((sum, weight) => sum + weight, 0),
      );
    },
  };
}

interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly tn: number;
  readonly fn: number;
}

const ratio = (dividend: number, divisor: number): number => (divisor === 0 ? 0 : dividend / divisor);

function riemannSum(counts: readonly Counts[], curve: CurveKind, method: SummationMethod): number {
  const points = counts.map(({ tp, fp, tn, fn }) =>
    curve === "ROC"
      ? { x: ratio(fp, fp + tn), y: ratio(tp, tp + fn) }
      : { x: ratio(tp, tp + fn), y: ratio(tp, tp + fp) },
  );
  let area = 0;
  for (let index = 1; index < points.length; index++) {
    const [left, right] = [points[index - 1], points[index]];
    const height =
      method === "interpolation"
        ? (left.y + right.y) / 2
        : method === "minoring"
          ? Math.min(left.y, right.y)
          : Math.max(left.y, right.y);
    area += (left.x - right.x) * height;
  }
  return area;
}

/**
 * Area under the precision-recall curve with true positives interpolated linearly in the predicted positives (Davis & Goadrich 2006):
 * Σ slope·(ΔTP + intercept·ln(P₀ / P₁)) / (TP + FN).
 */
function interpolatedPrecisionRecall(counts: readonly Counts[]): number {
  let area = 0;
  for (let index = 1; index < counts.length; index++) {
    const [first, second] = [counts[index - 1], counts[index]];
    const [before, after] = [first.tp + first.fp, second.tp + second.fp];
    const slope = ratio(first.tp - second.tp, Math.max(before - after, 0));
    const intercept = second.tp - slope * after;
    const safe = before > 0 && after > 0 ? before / after : 1;
    area += ratio(slope * (first.tp - second.tp + intercept * Math.log(safe)), Math.max(second.tp + second.fn, 0));
  }
  return area;
}
