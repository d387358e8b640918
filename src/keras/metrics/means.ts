/** Metrics that are means of a measure. */
import { meanOf, rootMeanOf } from "../../nn/accumulator.ts";
import * as accuracies from "../../nn/accuracy.ts";
import * as neutralLosses from "../../nn/losses.ts";
import type { Tensor } from "../../tensor/index.ts";
import { toSnakeCase } from "../naming.ts";
import { checkOptions } from "../options.ts";
import { Metric, type MetricOptions } from "./metric.ts";

/** Metrics that count one number per example, or per step that the mask leaves. */
abstract class MaskedMetric extends Metric {
  protected override get masked(): boolean {
    return true;
  }
}

/** The mean of a function of targets and predictions that gives one number per example. */
export class MeanMetricWrapper extends MaskedMetric {
  constructor(fn: (yTrue: Tensor, yPred: Tensor) => Tensor, options: MetricOptions = {}) {
    checkOptions("MeanMetricWrapper", options, ["name"]);
    super(meanOf(fn), { name: options.name ?? (fn.name === "" ? "metric" : toSnakeCase(fn.name)) });
  }
}

type Measure = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** Metrics that are the mean of a measure and have no options but the name. */
abstract class MeanMetric extends MaskedMetric {
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
    super(options, "cosine_similarity", neutralLosses.cosineProximity, "up");
  }
}
export class RootMeanSquaredError extends Metric {
  constructor(options: MetricOptions = {}) {
    checkOptions("RootMeanSquaredError", options, ["name"]);
    super(rootMeanOf(neutralLosses.meanSquaredError), { name: options.name ?? "root_mean_squared_error" });
  }
}

export class BinaryAccuracy extends MaskedMetric {
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

export class TopKCategoricalAccuracy extends MaskedMetric {
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

export class SparseTopKCategoricalAccuracy extends MaskedMetric {
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

export class CategoricalCrossentropy extends MaskedMetric {
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

export class SparseCategoricalCrossentropy extends MaskedMetric {
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

export class BinaryCrossentropy extends MaskedMetric {
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
