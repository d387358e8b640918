import type { LossFunction } from "../../nn/losses.ts";
import * as losses from "../losses.ts";
import { constructing, Registry, type Serialized } from "../registry.ts";
import * as confusion from "./confusion.ts";
import * as means from "./means.ts";
import { Mean, Metric, Sum } from "./metric.ts";

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

/** One metric: a name, an instance, or a function of targets and predictions. */
export type MetricLike = MetricName | Metric | LossFunction;
/** A serialised metric: its class and configuration. */
export type SerializedMetric = Serialized;

/** A loss as a metric: its mean. */
function lossMetric(name: string): Metric {
  const loss = losses.get(name as losses.LossName);
  return new means.MeanMetricWrapper((target, prediction) => loss.call(target, prediction), { name });
}

const names: Readonly<Record<Exclude<MetricName, "acc">, (name: string) => Metric>> = {
  accuracy: (name) => new means.Accuracy({ name }),
  binary_accuracy: (name) => new means.BinaryAccuracy({ name }),
  categorical_accuracy: (name) => new means.CategoricalAccuracy({ name }),
  sparse_categorical_accuracy: (name) => new means.SparseCategoricalAccuracy({ name }),
  top_k_categorical_accuracy: (name) => new means.TopKCategoricalAccuracy({ name }),
  sparse_top_k_categorical_accuracy: (name) => new means.SparseTopKCategoricalAccuracy({ name }),
  precision: (name) => new confusion.Precision({ name }),
  recall: (name) => new confusion.Recall({ name }),
  auc: (name) => new confusion.AUC({ name }),
  root_mean_squared_error: (name) => new means.RootMeanSquaredError({ name }),
  ...(Object.fromEntries(losses.names.map((name) => [name, lossMetric])) as Record<losses.LossName, typeof lossMetric>),
};

type MetricClass = new (options: never) => Metric;
const isSavable = (value: unknown): value is MetricClass =>
  typeof value === "function" && value.prototype instanceof Metric && value !== means.MeanMetricWrapper;
const types = Object.values({ ...means, ...confusion, Mean, Sum } as Readonly<Record<string, unknown>>).filter(
  isSavable,
);

const registry = new Registry<Metric, LossFunction>({
  kind: "a metric",
  base: Metric,
  classes: constructing<Metric>(Object.fromEntries(types.map((type) => [type.name, type]))),
  names,
  wrapper: means.MeanMetricWrapper,
});

/**
 * The metric that a name, an instance, a function or a serialised form stands for. Under `compile`, "accuracy" is the one that suits the
 * shapes of targets and predictions; here it compares them as they are.
 */
export function get(identifier: MetricLike | SerializedMetric, owner = "metrics.get"): Metric {
  return registry.get(identifier, owner);
}

/** What `get` makes the same metric of. */
export function serialize(metric: Metric): SerializedMetric {
  return registry.serialize(metric);
}

/** Throws, with the nearest name, unless a string names a metric. */
export function checkMetricName(name: string, owner: string): void {
  registry.checkName(name, owner);
}
