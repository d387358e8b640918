/** `keras.metrics`: names, defaults and state of Keras over the neutral accumulators. */

import { ArgumentError } from "../errors.ts";
import { type Accumulator, meanOf, rootMeanOf, sumOf } from "../nn/accumulator.ts";
import * as accuracies from "../nn/accuracy.ts";
import * as confusion from "../nn/confusion.ts";
import * as neutralLosses from "../nn/losses.ts";
import type { Assignment } from "../nn/updates.ts";
import { assignAll, type Tensor, Variable, zeros } from "../tensor/index.ts";
import type { Config } from "./config.ts";
import { autoName, toSnakeCase } from "./naming.ts";
import { checkOptions } from "./options.ts";

export interface MetricOptions {
  readonly name?: string;
}

/**
 * Base of all metrics: counts in variables that a training step updates inside its own program. Used alone: `updateState`, `result`,
 * `resetState`.
 */
export class Metric {
  readonly name: string;
  protected readonly config: Config;
  private readonly accumulator: () => Accumulator;
  private made: Accumulator | undefined;
  private state: Variable[] | undefined;

  constructor(accumulator: Accumulator | (() => Accumulator), options: MetricOptions = {}, config: Config = {}) {
    this.name = options.name ?? autoName(new.target.name);
    this.config = config;
    this.accumulator = typeof accumulator === "function" ? accumulator : () => accumulator;
  }

  get className(): string {
    return this.constructor.name;
  }
  protected get rule(): Accumulator {
    this.made ??= this.accumulator();
    return this.made;
  }
  /** Whether more is better. */
  get direction(): "up" | "down" | undefined {
    return this.rule.direction;
  }
  /** The counts. */
  get variables(): Variable[] {
    this.state ??= this.rule.state.map(
      ({ name, shape }) => new Variable(zeros(shape), { name: `${this.name}/${name}`, trainable: false }),
    );
    return this.state;
  }
  /** What a batch does to the counts, for the program of a step. */
  assignments(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): Assignment[] {
    const { variables } = this;
    const next = this.rule.update(variables, yTrue, yPred, sampleWeight);
    return variables.map((variable, index): Assignment => [variable, next[index]]);
  }
  /** Counts a batch at once. */
  updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    assignAll(this.assignments(yTrue, yPred, sampleWeight));
  }
  /** The metric over everything since the last reset. */
  result(): number | number[] {
    return this.rule.finish(this.variables.map((variable) => variable.dataSync()));
  }
  resetState(): void {
    if (!this.state) return;
    for (const variable of this.state) variable.assign(zeros(variable.shape));
  }
  getConfig(): Config {
    return { name: this.name, ...this.config };
  }
}

/** The mean of values: `updateState(values, sampleWeight)`. */
export class Mean extends Metric {
  constructor(options: MetricOptions = {}) {
    checkOptions("Mean", options, ["name"]);
    super(
      meanOf((values) => values),
      { name: options.name ?? "mean" },
    );
  }
  override updateState(values: Tensor, sampleWeight?: Tensor): void {
    super.updateState(values, values, sampleWeight);
  }
}

/** The sum of values: `updateState(values, sampleWeight)`. */
export class Sum extends Metric {
  constructor(options: MetricOptions = {}) {
    checkOptions("Sum", options, ["name"]);
    super(
      sumOf((values) => values),
      { name: options.name ?? "sum" },
    );
  }
  override updateState(values: Tensor, sampleWeight?: Tensor): void {
    super.updateState(values, values, sampleWeight);
  }
}

/** The mean of a function of targets and predictions that gives one number per example. */
export class MeanMetricWrapper extends Metric {
  constructor(fn: (yTrue: Tensor, yPred: Tensor) => Tensor, options: MetricOptions = {}) {
    checkOptions("MeanMetricWrapper", options, ["name"]);
    super(meanOf(fn), { name: options.name ?? (fn.name === "" ? "metric" : toSnakeCase(fn.name)) });
  }
}

type Measure = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** Metrics that are the mean of a measure and have no options but the name. */
abstract class MeanMetric extends Metric {
  constructor(options: MetricOptions, name: string, measure: Measure, direction: "up" | "down") {
    checkOptions(new.target.name, options, ["name"]);
    super(meanOf(measure, direction), { name: options.name ?? name });
  }
}
export class Accuracy extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "accuracy", accuracies.accuracy, "up");
  }
}
export class CategoricalAccuracy extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "categorical_accuracy", accuracies.categoricalAccuracy, "up");
  }
}
export class SparseCategoricalAccuracy extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "sparse_categorical_accuracy", accuracies.sparseCategoricalAccuracy, "up");
  }
}
export class MeanSquaredError extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "mean_squared_error", neutralLosses.meanSquaredError, "down");
  }
}
export class MeanAbsoluteError extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "mean_absolute_error", neutralLosses.meanAbsoluteError, "down");
  }
}
export class MeanAbsolutePercentageError extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "mean_absolute_percentage_error", neutralLosses.meanAbsolutePercentageError, "down");
  }
}
export class MeanSquaredLogarithmicError extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "mean_squared_logarithmic_error", neutralLosses.meanSquaredLogarithmicError, "down");
  }
}
export class KLDivergence extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "kl_divergence", neutralLosses.klDivergence, "down");
  }
}
export class Poisson extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "poisson", neutralLosses.poisson, "down");
  }
}
export class LogCoshError extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "logcosh", neutralLosses.logCosh, "down");
  }
}
export class Hinge extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "hinge", neutralLosses.hinge, "down");
  }
}
export class SquaredHinge extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "squared_hinge", neutralLosses.squaredHinge, "down");
  }
}
export class CategoricalHinge extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "categorical_hinge", neutralLosses.categoricalHinge, "down");
  }
}
/** The cosine itself, not its negative. */
export class CosineSimilarity extends MeanMetric {
  constructor(options: MetricOptions = {}) {
    super(options, "cosine_similarity", (yTrue, yPred) => neutralLosses.cosineSimilarity(yTrue, yPred).neg(), "up");
  }
}
export class RootMeanSquaredError extends Metric {
  constructor(options: MetricOptions = {}) {
    checkOptions("RootMeanSquaredError", options, ["name"]);
    super(rootMeanOf(neutralLosses.meanSquaredError), { name: options.name ?? "root_mean_squared_error" });
  }
}

export class BinaryAccuracy extends Metric {
  constructor(options: MetricOptions & { readonly threshold?: number } = {}) {
    checkOptions("BinaryAccuracy", options, ["name", "threshold"]);
    const { threshold = 0.5 } = options;
    super(
      meanOf((yTrue, yPred) => accuracies.binaryAccuracy(yTrue, yPred, threshold), "up"),
      { name: options.name ?? "binary_accuracy" },
      { threshold },
    );
  }
}

export class TopKCategoricalAccuracy extends Metric {
  constructor(options: MetricOptions & { readonly k?: number } = {}) {
    checkOptions("TopKCategoricalAccuracy", options, ["name", "k"]);
    const { k = 5 } = options;
    super(
      meanOf((yTrue, yPred) => accuracies.topKCategoricalAccuracy(yTrue, yPred, k), "up"),
      { name: options.name ?? "top_k_categorical_accuracy" },
      { k },
    );
  }
}

export class SparseTopKCategoricalAccuracy extends Metric {
  constructor(options: MetricOptions & { readonly k?: number } = {}) {
    checkOptions("SparseTopKCategoricalAccuracy", options, ["name", "k"]);
    const { k = 5 } = options;
    super(
      meanOf((yTrue, yPred) => accuracies.sparseTopKCategoricalAccuracy(yTrue, yPred, k), "up"),
      { name: options.name ?? "sparse_top_k_categorical_accuracy" },
      { k },
    );
  }
}

export interface CrossentropyMetricOptions extends MetricOptions {
  readonly fromLogits?: boolean;
  readonly labelSmoothing?: number;
}

export class CategoricalCrossentropy extends Metric {
  constructor(options: CrossentropyMetricOptions = {}) {
    checkOptions("CategoricalCrossentropy", options, ["name", "fromLogits", "labelSmoothing"]);
    const { fromLogits = false, labelSmoothing = 0 } = options;
    const settings = { fromLogits, labelSmoothing };
    super(
      meanOf((yTrue, yPred) => neutralLosses.categoricalCrossentropy(yTrue, yPred, settings), "down"),
      { name: options.name ?? "categorical_crossentropy" },
      settings,
    );
  }
}

export class SparseCategoricalCrossentropy extends Metric {
  constructor(options: MetricOptions & { readonly fromLogits?: boolean } = {}) {
    checkOptions("SparseCategoricalCrossentropy", options, ["name", "fromLogits"]);
    const { fromLogits = false } = options;
    super(
      meanOf((yTrue, yPred) => neutralLosses.sparseCategoricalCrossentropy(yTrue, yPred, { fromLogits }), "down"),
      { name: options.name ?? "sparse_categorical_crossentropy" },
      { fromLogits },
    );
  }
}

export class BinaryCrossentropy extends Metric {
  constructor(options: CrossentropyMetricOptions = {}) {
    checkOptions("BinaryCrossentropy", options, ["name", "fromLogits", "labelSmoothing"]);
    const { fromLogits = false, labelSmoothing = 0 } = options;
    const settings = { fromLogits, labelSmoothing };
    super(
      meanOf((yTrue, yPred) => neutralLosses.binaryCrossentropy(yTrue, yPred, settings), "down"),
      { name: options.name ?? "binary_crossentropy" },
      settings,
    );
  }
}

export interface ConfusionMetricOptions extends MetricOptions {
  readonly thresholds?: number | readonly number[] | null;
}
export interface PrecisionOptions extends ConfusionMetricOptions {
  /** Only the k largest predictions of an example can be positive. */
  readonly topK?: number | null;
  /** Only this class counts. */
  readonly classId?: number | null;
}

function confusionOptions(options: PrecisionOptions): confusion.ConfusionOptions {
  return {
    thresholds: options.thresholds ?? undefined,
    topK: options.topK ?? undefined,
    classId: options.classId ?? undefined,
  };
}
function confusionConfig({ thresholds, topK, classId }: PrecisionOptions): Config {
  return { thresholds: thresholds ?? null, topK: topK ?? null, classId: classId ?? null };
}

/** Of what was predicted positive, the share that is. */
export class Precision extends Metric {
  constructor(options: PrecisionOptions = {}) {
    checkOptions("Precision", options, ["name", "thresholds", "topK", "classId"]);
    super(confusion.precision(confusionOptions(options)), options, confusionConfig(options));
  }
}
/** Of what is positive, the share that was predicted so. */
export class Recall extends Metric {
  constructor(options: PrecisionOptions = {}) {
    checkOptions("Recall", options, ["name", "thresholds", "topK", "classId"]);
    super(confusion.recall(confusionOptions(options)), options, confusionConfig(options));
  }
}

abstract class ConfusionCount extends Metric {
  constructor(options: ConfusionMetricOptions, count: confusion.ConfusionCount) {
    checkOptions(new.target.name, options, ["name", "thresholds"]);
    super(confusion.confusionCount(count, confusionOptions(options)), options, {
      thresholds: options.thresholds ?? null,
    });
  }
}
export class TruePositives extends ConfusionCount {
  constructor(options: ConfusionMetricOptions = {}) {
    super(options, "true_positives");
  }
}
export class TrueNegatives extends ConfusionCount {
  constructor(options: ConfusionMetricOptions = {}) {
    super(options, "true_negatives");
  }
}
export class FalsePositives extends ConfusionCount {
  constructor(options: ConfusionMetricOptions = {}) {
    super(options, "false_positives");
  }
}
export class FalseNegatives extends ConfusionCount {
  constructor(options: ConfusionMetricOptions = {}) {
    super(options, "false_negatives");
  }
}

export interface AUCOptions extends MetricOptions {
  readonly numThresholds?: number;
  readonly curve?: confusion.CurveKind;
  readonly summationMethod?: confusion.SummationMethod;
  readonly thresholds?: readonly number[] | null;
  /** A curve for each label (the last axis), averaged. */
  readonly multiLabel?: boolean;
  readonly numLabels?: number | null;
  readonly labelWeights?: readonly number[] | null;
  readonly fromLogits?: boolean;
}

/** Area under the ROC or the precision-recall curve, by a sum over thresholds. */
export class AUC extends Metric {
  private labels: number | undefined;

  constructor(options: AUCOptions = {}) {
    checkOptions("AUC", options, [
      "name",
      "numThresholds",
      "curve",
      "summationMethod",
      "thresholds",
      "multiLabel",
      "numLabels",
      "labelWeights",
      "fromLogits",
    ]);
    const { curve = "ROC", summationMethod = "interpolation", multiLabel = false, numLabels = null } = options;
    if (curve !== "ROC" && curve !== "PR")
      throw new ArgumentError(`AUC: curve must be "ROC" or "PR", received "${curve as string}".`);
    if (!["interpolation", "minoring", "majoring"].includes(summationMethod)) {
      throw new ArgumentError(
        `AUC: summationMethod must be "interpolation", "minoring" or "majoring", received "${summationMethod}".`,
      );
    }
    const settings = {
      numThresholds: options.numThresholds ?? 200,
      curve,
      summationMethod,
      thresholds: options.thresholds ?? undefined,
      fromLogits: options.fromLogits ?? false,
      labelWeights: options.labelWeights ?? undefined,
    };
    // Checked now, so that a mistake shows where it was made; with several labels their number comes with the first batch.
    confusion.areaUnderCurve(settings);
    super(() => confusion.areaUnderCurve({ ...settings, numLabels: multiLabel ? this.labels : undefined }), options, {
      ...settings,
      thresholds: options.thresholds ?? null,
      labelWeights: options.labelWeights ?? null,
      multiLabel,
      numLabels,
    });
    this.labels = numLabels ?? undefined;
  }
  override assignments(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): Assignment[] {
    this.labels ??= yPred.shape[yPred.rank - 1];
    return super.assignments(yTrue, yPred, sampleWeight);
  }
}
