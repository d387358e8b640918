/** What `model.compile` was given, made into objects: optimizer, loss, metrics. */
import { ArgumentError } from "../errors.ts";
import { addBatchValue } from "../nn/accumulator.ts";
import type { LossFunction } from "../nn/losses.ts";
import type { Assignment } from "../nn/updates.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Config, ConfigValue } from "./config.ts";
import * as losses from "./losses.ts";
import * as metrics from "./metrics.ts";
import * as optimizers from "./optimizers.ts";
import { checkOptions, lookUp } from "./options.ts";

/** Names of metrics; names of losses are metrics too. */
export type MetricName =
  | "accuracy"
  | "acc"
  | "binary_accuracy"
  | "categorical_accuracy"
  | "sparse_categorical_accuracy"
  | "top_k_categorical_accuracy"
  | "sparse_top_k_categorical_accuracy"
  | "precision"
  | "recall"
  | "auc"
  | "root_mean_squared_error"
  | losses.LossName;

/** What `compile({ metrics })` takes. */
export type MetricLike = MetricName | metrics.Metric | LossFunction;

export interface CompileOptions {
  readonly optimizer?: optimizers.OptimizerLike;
  readonly loss?: losses.LossLike | null;
  /** Factor of the loss. */
  readonly lossWeights?: number | readonly [number] | null;
  readonly metrics?: readonly MetricLike[] | null;
  /** Metrics that count with the weights of the examples. */
  readonly weightedMetrics?: readonly MetricLike[] | null;
  /** Build every step anew instead of replaying a traced one: layers may then decide in JavaScript, and read values. */
  readonly runEagerly?: boolean;
}

const byName: Readonly<Record<string, (options: metrics.MetricOptions) => metrics.Metric>> = {
  binary_accuracy: (options) => new metrics.BinaryAccuracy(options),
  categorical_accuracy: (options) => new metrics.CategoricalAccuracy(options),
  sparse_categorical_accuracy: (options) => new metrics.SparseCategoricalAccuracy(options),
  top_k_categorical_accuracy: (options) => new metrics.TopKCategoricalAccuracy(options),
  sparse_top_k_categorical_accuracy: (options) => new metrics.SparseTopKCategoricalAccuracy(options),
  precision: (options) => new metrics.Precision(options),
  recall: (options) => new metrics.Recall(options),
  auc: (options) => new metrics.AUC(options),
  root_mean_squared_error: (options) => new metrics.RootMeanSquaredError(options),
};

/** 'accuracy' is one of three, by the shapes: one output is binary, class numbers as targets are sparse, otherwise categorical. */
function accuracyFor(name: string, yTrue: Tensor, yPred: Tensor): metrics.Metric {
  const outputs = yPred.shape[yPred.rank - 1];
  const last = yTrue.shape[yTrue.rank - 1];
  if (outputs === 1) return new metrics.BinaryAccuracy({ name });
  if (yTrue.rank < yPred.rank || (last === 1 && outputs > 1)) return new metrics.SparseCategoricalAccuracy({ name });
  return new metrics.CategoricalAccuracy({ name });
}

function resolveMetric(metric: MetricLike, yTrue: Tensor, yPred: Tensor): metrics.Metric {
  if (metric instanceof metrics.Metric) return metric;
  if (typeof metric === "function") return new metrics.MeanMetricWrapper(metric);
  if (metric === "accuracy" || metric === "acc") return accuracyFor(metric, yTrue, yPred);
  if (losses.isLossName(metric)) {
    const loss = losses.get(metric);
    return new metrics.MeanMetricWrapper((target, prediction) => loss.call(target, prediction), { name: metric });
  }
  return byName[metric]({ name: metric });
}

/** Names are checked at once; what a name means may wait for the first batch. */
function checkMetrics(argument: string, list: readonly MetricLike[] | null | undefined): void {
  if (list === null || list === undefined) return;
  if (!Array.isArray(list)) {
    throw new ArgumentError(`compile: ${argument} must be an array, like ["accuracy"], received ${typeof list}.`);
  }
  for (const metric of list as readonly MetricLike[]) {
    if (typeof metric !== "string" || metric === "accuracy" || metric === "acc" || losses.isLossName(metric)) continue;
    lookUp("compile", "metric", metric, { accuracy: undefined, ...byName, ...losses.names });
  }
}

/** Optimizer, loss and metrics of a model, and the part of a step that they make. */
export class CompiledState {
  readonly optimizer: optimizers.Optimizer;
  readonly loss: losses.Loss | undefined;
  readonly runEagerly: boolean;
  private readonly options: CompileOptions;
  private readonly lossWeight: number;
  private readonly lossTracker = new metrics.Mean({ name: "loss" });
  private plain: metrics.Metric[] | undefined;
  private weighted: metrics.Metric[] | undefined;

  constructor(options: CompileOptions) {
    checkOptions("compile", options, ["optimizer", "loss", "lossWeights", "metrics", "weightedMetrics", "runEagerly"]);
    checkMetrics("metrics", options.metrics);
    checkMetrics("weightedMetrics", options.weightedMetrics);
    this.options = options;
    this.optimizer = optimizers.get(options.optimizer ?? "rmsprop", "compile");
    this.loss = options.loss ? losses.get(options.loss, "compile") : undefined;
    this.runEagerly = options.runEagerly ?? false;
    const { lossWeights = 1 } = options;
    this.lossWeight = typeof lossWeights === "number" ? lossWeights : (lossWeights?.[0] ?? 1);
  }

  /** All metrics, the loss first. Those named by strings exist from the first batch on. */
  get metrics(): metrics.Metric[] {
    return [this.lossTracker, ...(this.plain ?? []), ...(this.weighted ?? [])];
  }

  computeLoss(yTrue: Tensor | undefined, yPred: Tensor, sampleWeight: Tensor | undefined): Tensor {
    if (!this.loss) throw new ArgumentError("no loss to compute: pass a `loss` to compile().");
    if (!yTrue) throw new ArgumentError(`the loss "${this.loss.name}" needs targets, but the data has no y.`);
    const value = this.loss(yTrue, yPred, sampleWeight);
    return this.lossWeight === 1 ? value : value.mul(this.lossWeight);
  }

  /** What a batch does to the metrics' counts. */
  metricAssignments(
    loss: Tensor,
    size: number,
    yTrue: Tensor | undefined,
    yPred: Tensor,
    sampleWeight: Tensor | undefined,
  ): Assignment[] {
    const tracker = this.lossTracker.variables;
    const totals = addBatchValue(tracker, loss, size);
    const assignments = tracker.map((variable, index): Assignment => [variable, totals[index]]);
    if (!yTrue) return assignments;
    this.plain ??= (this.options.metrics ?? []).map((metric) => resolveMetric(metric, yTrue, yPred));
    this.weighted ??= (this.options.weightedMetrics ?? []).map((metric) => resolveMetric(metric, yTrue, yPred));
    for (const metric of this.plain) assignments.push(...metric.assignments(yTrue, yPred));
    for (const metric of this.weighted) assignments.push(...metric.assignments(yTrue, yPred, sampleWeight));
    return assignments;
  }

  reset(): void {
    for (const metric of this.metrics) metric.resetState();
  }

  /** Results in the order of `metrics`; a name that comes twice gets a number, a metric of several numbers one entry for each. */
  results(): [name: string, value: number][] {
    const used = new Map<string, number>();
    const results: [string, number][] = [];
    const add = (metric: metrics.Metric, prefix: string): void => {
      let { name } = metric;
      const times = used.get(name) ?? 0;
      used.set(name, times + 1);
      if (times > 0) name = prefix === "" ? `${name}_${times}` : `${prefix}${name}`;
      const value = metric.result();
      if (typeof value === "number") results.push([name, value]);
      else value.forEach((part, index) => results.push([`${name}_${index}`, part]));
    };
    add(this.lossTracker, "");
    for (const metric of this.plain ?? []) add(metric, "");
    for (const metric of this.weighted ?? []) add(metric, "weighted_");
    return results;
  }

  /** What makes the same state again, for a saved model; metrics and losses that are functions of the user's own cannot be saved. */
  getConfig(): Config {
    return {
      optimizer: optimizers.serialize(this.optimizer) as unknown as Config,
      loss: lossConfig(this.options.loss),
      lossWeights: this.lossWeight,
      metrics: (this.options.metrics ?? []).map(metricConfig),
      weightedMetrics: (this.options.weightedMetrics ?? []).map(metricConfig),
      runEagerly: this.runEagerly,
    };
  }
  static fromConfig(config: Config): CompileOptions {
    const list = (value: ConfigValue | undefined): MetricLike[] =>
      ((value ?? []) as readonly ConfigValue[]).map(metricOf);
    const { loss } = config;
    return {
      optimizer: optimizers.get(config.optimizer as unknown as optimizers.SerializedOptimizer),
      loss: loss === null || loss === undefined ? null : losses.get(loss as unknown as losses.SerializedLoss),
      lossWeights: (config.lossWeights as number | undefined) ?? 1,
      metrics: list(config.metrics),
      weightedMetrics: list(config.weightedMetrics),
      runEagerly: config.runEagerly === true,
    };
  }
}

function lossConfig(loss: losses.LossLike | null | undefined): ConfigValue {
  if (!loss || typeof loss === "string") return loss ?? null;
  if (loss instanceof losses.Loss && !(loss instanceof losses.LossFunctionWrapper)) {
    return losses.serialize(loss) as unknown as Config;
  }
  throw new ArgumentError("the loss is a function of your own, which cannot be saved; save the weights only.");
}

function metricConfig(metric: MetricLike): ConfigValue {
  if (typeof metric === "string") return metric;
  if (metric instanceof metrics.Metric && Object.hasOwn(metrics, metric.className)) {
    return { className: metric.className, config: metric.getConfig() };
  }
  throw new ArgumentError("a metric is a function of your own, which cannot be saved; save the weights only.");
}

function metricOf(value: ConfigValue): MetricLike {
  if (typeof value === "string") return value as MetricName;
  const { className, config } = value as { className: string; config: Config };
  const types = metrics as unknown as Readonly<Record<string, new (options: object) => metrics.Metric>>;
  const options = Object.fromEntries(Object.entries(config).filter(([, entry]) => entry !== null));
  return new (lookUp("compile", "metric", className, types))(options);
}
