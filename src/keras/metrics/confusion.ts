/** Metrics that count true and false positives and negatives. */
import { ArgumentError } from "../../errors.ts";
import * as confusion from "../../nn/confusion.ts";
import type { Assignment } from "../../nn/updates.ts";
import type { Tensor } from "../../tensor/index.ts";
import type { Config } from "../config.ts";
import { checkOptions } from "../options.ts";
import { Metric, type MetricOptions } from "./metric.ts";

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
