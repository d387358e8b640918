/** What `model.compile` was given, made into objects: optimizer, losses, metrics. */
import { addBatchValue } from "../nn/accumulator.ts";
import type { Assignment } from "../nn/updates.ts";
import type { Tensor } from "../tensor/index.ts";
import { CompileLosses, type LossOption, type LossWeights } from "./compile-losses.ts";
import { CompileMetrics, type MetricsOption } from "./compile-metrics.ts";
import { type OutputSlot, outputSlots, valuesFor, weightsFor } from "./compile-outputs.ts";
import type { Config, ConfigValue } from "./config.ts";
import * as losses from "./losses.ts";
import type { MetricLike, MetricName } from "./metrics/by-name.ts";
import * as metrics from "./metrics.ts";
import * as optimizers from "./optimizers.ts";
import { checkOptions } from "./options.ts";
import { isRecord, type TensorStructure } from "./structure.ts";

export type { LossOption, LossWeights } from "./compile-losses.ts";
export type { MetricsOption } from "./compile-metrics.ts";
export type { MetricLike, MetricName } from "./metrics/by-name.ts";

export interface CompileOptions {
  readonly optimizer?: optimizers.OptimizerLike;
  /** One loss for all outputs, or one for each output in a list or by name. */
  readonly loss?: LossOption;
  /** Factors of the losses: one, or one for each output in a list or by name. */
  readonly lossWeights?: LossWeights;
  readonly metrics?: MetricsOption | null;
  /** Metrics that count with the weights of the examples. */
  readonly weightedMetrics?: MetricsOption | null;
  /** Build every step anew instead of replaying a traced one: layers may then decide in JavaScript, and read values. */
  readonly runEagerly?: boolean;
}

/** Optimizer, losses and metrics of a model, and the part of a step that they make. */
export class CompiledState {
  readonly optimizer: optimizers.Optimizer;
  readonly losses: CompileLosses;
  readonly runEagerly: boolean;
  readonly lossTracker = new metrics.Mean({ name: "loss" });
  private readonly options: CompileOptions;
  private readonly outputNames: () => readonly string[] | undefined;
  private readonly compileMetrics: CompileMetrics;

  constructor(options: CompileOptions, outputNames: () => readonly string[] | undefined = () => undefined) {
    checkOptions("compile", options, ["optimizer", "loss", "lossWeights", "metrics", "weightedMetrics", "runEagerly"]);
    this.options = options;
    this.outputNames = outputNames;
    this.compileMetrics = new CompileMetrics(options.metrics, options.weightedMetrics);
    this.optimizer = optimizers.get(options.optimizer ?? "rmsprop", "compile");
    this.losses = new CompileLosses(options.loss, options.lossWeights);
    this.runEagerly = options.runEagerly ?? false;
  }

  /** All metrics, the loss first. Those named by strings exist from the first batch on. */
  get metrics(): metrics.Metric[] {
    return [this.lossTracker, ...this.compileMetrics.all, ...this.losses.trackers];
  }

  private arrange(
    targets: TensorStructure | undefined,
    predictions: TensorStructure,
    sampleWeight: TensorStructure | undefined,
  ): { slots: OutputSlot[]; targets: (Tensor | undefined)[]; weights: (Tensor | undefined)[] } {
    const slots = outputSlots(predictions, this.outputNames());
    const expected = this.losses.expected(slots);
    return {
      slots,
      targets: valuesFor<Tensor>("y", slots, targets, expected),
      weights: weightsFor(slots, sampleWeight, expected),
    };
  }

  /** The losses of the outputs, weighted and added; undefined without a loss. */
  computeLoss(
    targets: TensorStructure | undefined,
    predictions: TensorStructure,
    sampleWeight: TensorStructure | undefined,
  ): Tensor | undefined {
    if (!this.losses.present) return undefined;
    const { slots, targets: list, weights } = this.arrange(targets, predictions, sampleWeight);
    return this.losses.total(slots, list, weights);
  }

  /** What a batch does to the counts of the loss over the epoch. */
  lossAssignments(loss: Tensor, size: number): Assignment[] {
    const { variables } = this.lossTracker;
    const totals = addBatchValue(variables, loss, size);
    return variables.map((variable, index): Assignment => [variable, totals[index]]);
  }
  /** What a batch does to the metrics' counts. */
  metricAssignments(
    targets: TensorStructure | undefined,
    predictions: TensorStructure,
    sampleWeight: TensorStructure | undefined,
  ): Assignment[] {
    if (targets === undefined) return [];
    const { slots, targets: list, weights } = this.arrange(targets, predictions, sampleWeight);
    return this.compileMetrics.assignments(slots, list, weights);
  }

  reset(): void {
    for (const metric of this.metrics) metric.resetState();
  }

  /** The metrics by their names in logs, in the order in which `evaluate` lists them. */
  named(): [name: string, metric: metrics.Metric][] {
    const named = this.compileMetrics.named();
    const own = new Set(this.compileMetrics.all.map(({ name }) => name));
    const trackers = this.losses.trackers.map((tracker): [string, metrics.Metric] => [tracker.name, tracker]);
    const listed = named.filter(([name]) => own.has(name));
    const others = named.filter(([name]) => !own.has(name)).sort(([left], [right]) => (left < right ? -1 : 1));
    return [["loss", this.lossTracker], ...listed, ...trackers, ...others];
  }

  /** What makes the same state again, for a saved model; metrics and losses that are functions of the user's own cannot be saved. */
  getConfig(): Config {
    return {
      optimizer: optimizers.serialize(this.optimizer),
      loss: structureConfig(this.options.loss, lossConfig),
      lossWeights: structureConfig(this.options.lossWeights ?? 1, (weight) => weight),
      metrics: structureConfig(this.options.metrics ?? [], metricConfig),
      weightedMetrics: structureConfig(this.options.weightedMetrics ?? [], metricConfig),
      runEagerly: this.runEagerly,
    };
  }
  static fromConfig(config: Config): CompileOptions {
    const { loss, lossWeights } = config;
    return {
      optimizer: optimizers.get(config.optimizer as unknown as optimizers.SerializedOptimizer),
      loss: structureOf(loss, (value) =>
        value === null ? null : losses.get(value as unknown as losses.SerializedLoss),
      ) as LossOption,
      lossWeights: structureOf(lossWeights ?? 1, (weight) => weight) as LossWeights,
      metrics: structureOf(config.metrics ?? [], metricOf) as MetricsOption,
      weightedMetrics: structureOf(config.weightedMetrics ?? [], metricOf) as MetricsOption,
      runEagerly: config.runEagerly === true,
    };
  }
}

/** A structure as data. A record is written as `{ outputs: [[name, value], …] }`, since names are not keys to be respelled. */
function structureConfig(value: unknown, leaf: (value: never) => ConfigValue): ConfigValue {
  if (Array.isArray(value)) return value.map((entry) => structureConfig(entry, leaf));
  if (isRecord(value)) {
    return { outputs: Object.entries(value).map(([name, entry]) => [name, structureConfig(entry, leaf)]) };
  }
  return leaf(value as never);
}
function structureOf(value: ConfigValue | undefined, leaf: (value: ConfigValue) => unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => structureOf(entry, leaf));
  if (isRecord(value) && Array.isArray(value.outputs)) {
    const entries = value.outputs as readonly (readonly [string, ConfigValue])[];
    return Object.fromEntries(entries.map(([name, entry]) => [name, structureOf(entry, leaf)]));
  }
  return leaf((value ?? null) as ConfigValue);
}

function lossConfig(loss: losses.LossLike | null | undefined): ConfigValue {
  if (!loss || typeof loss === "string") return loss ?? null;
  return losses.serialize(losses.get(loss));
}

function metricConfig(metric: MetricLike | null): ConfigValue {
  if (metric === null || typeof metric === "string") return metric;
  return metrics.serialize(metrics.get(metric));
}

function metricOf(value: ConfigValue): MetricLike | null {
  if (value === null || typeof value === "string") return value as MetricName | null;
  return metrics.get(value as unknown as metrics.SerializedMetric, "compile");
}
