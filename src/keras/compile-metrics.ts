/** The metrics that `compile` was given, for each output, and their names in logs. */
import { ArgumentError } from "../errors.ts";
import type { Assignment } from "../nn/updates.ts";
import type { Tensor } from "../tensor/index.ts";
import { type OutputSlot, valuesFor } from "./compile-outputs.ts";
import { checkMetricName, type MetricLike } from "./metrics/by-name.ts";
import * as metrics from "./metrics.ts";
import { isRecord } from "./structure.ts";

type MetricEntry = MetricLike | readonly MetricLike[] | null;
/** What `compile({ metrics })` takes: metrics of the one output; with several outputs an entry for each, in a list or by name. */
export type MetricsOption = readonly MetricEntry[] | { readonly [output: string]: MetricEntry };

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
  if (metric === "accuracy" || metric === "acc") return accuracyFor(metric, yTrue, yPred);
  return metrics.get(metric, "compile");
}

const listOf = (entry: MetricEntry | undefined): readonly MetricLike[] =>
  entry === null || entry === undefined
    ? []
    : Array.isArray(entry)
      ? (entry as readonly MetricLike[])
      : [entry as MetricLike];

/** Names are checked at once; what a name means may wait for the first batch. */
export function checkMetrics(argument: string, option: MetricsOption | null | undefined): void {
  if (option === null || option === undefined) return;
  if (!Array.isArray(option) && !isRecord(option)) {
    throw new ArgumentError(
      `compile: ${argument} must be an array, like ["accuracy"], or a record by output, received ${typeof option}.`,
    );
  }
  for (const metric of Object.values(option as Readonly<Record<string, MetricEntry>>).flatMap(listOf)) {
    if (typeof metric === "string" && metric !== "acc") checkMetricName(metric, "compile");
  }
}

/** Metrics of one output. */
interface Group {
  /** Goes before the metrics' names where there are several outputs. */
  readonly output: string | undefined;
  readonly metrics: readonly metrics.Metric[];
}

/** Plain and weighted metrics of a compiled model. */
export class CompileMetrics {
  private readonly options: Readonly<Record<"plain" | "weighted", MetricsOption>>;
  private groups: Readonly<Record<"plain" | "weighted", readonly Group[]>> | undefined;

  constructor(plain: MetricsOption | null | undefined, weighted: MetricsOption | null | undefined) {
    checkMetrics("metrics", plain);
    checkMetrics("weightedMetrics", weighted);
    this.options = { plain: plain ?? [], weighted: weighted ?? [] };
  }

  /** All metrics; those named by strings exist from the first batch on. */
  get all(): metrics.Metric[] {
    const { plain = [], weighted = [] } = this.groups ?? {};
    return [...plain, ...weighted].flatMap((group) => group.metrics);
  }

  private make(
    argument: string,
    option: MetricsOption,
    slots: readonly OutputSlot[],
    targets: readonly (Tensor | undefined)[],
  ): Group[] {
    const entries: readonly (MetricEntry | undefined)[] =
      slots.length === 1
        ? [Object.values(option as Readonly<Record<string, MetricEntry>>).flatMap(listOf)]
        : Object.keys(option).length === 0
          ? slots.map(() => null)
          : valuesFor<MetricEntry>(`compile: ${argument}`, slots, option as readonly MetricEntry[]);
    return entries.map((entry, index) => {
      const { prediction, name } = slots[index];
      const target = targets[index];
      const list = target ? listOf(entry).map((metric) => resolveMetric(metric, target, prediction)) : [];
      return { output: slots.length === 1 ? undefined : name, metrics: list };
    });
  }

  /** What a batch does to the counts. */
  assignments(
    slots: readonly OutputSlot[],
    targets: readonly (Tensor | undefined)[],
    sampleWeights: readonly (Tensor | undefined)[],
  ): Assignment[] {
    if (targets.every((target) => target === undefined)) return [];
    this.groups ??= {
      plain: this.make("metrics", this.options.plain, slots, targets),
      weighted: this.make("weightedMetrics", this.options.weighted, slots, targets),
    };
    const { plain, weighted } = this.groups;
    const assignments: Assignment[] = [];
    slots.forEach(({ prediction }, index) => {
      const target = targets[index];
      if (!target) return;
      for (const metric of plain[index].metrics) assignments.push(...metric.assignments(target, prediction));
      for (const metric of weighted[index].metrics) {
        assignments.push(...metric.assignments(target, prediction, sampleWeights[index]));
      }
    });
    return assignments;
  }

  /** The metrics by their names in logs: a name that comes twice gets a number, a weighted one its prefix. */
  named(): [name: string, metric: metrics.Metric][] {
    const used = new Map<string, number>();
    const result: [string, metrics.Metric][] = [];
    for (const kind of ["plain", "weighted"] as const) {
      for (const { output, metrics: list } of this.groups?.[kind] ?? []) {
        for (const metric of list) {
          const name = output === undefined ? metric.name : `${output}_${metric.name}`;
          const times = used.get(name) ?? 0;
          used.set(name, times + 1);
          if (times === 0) result.push([name, metric]);
          else if (kind === "plain") result.push([`${name}_${times}`, metric]);
          else result.push([uniqueWeighted(metric.name, output, used), metric]);
        }
      }
    }
    return result;
  }
}

/** Keras' name of a weighted metric whose own name is taken. */
function uniqueWeighted(name: string, output: string | undefined, used: Map<string, number>): string {
  const base = output === undefined ? `weighted_${name}` : `${output}_weighted_${name}`;
  const times = used.get(base) ?? 0;
  used.set(base, times + 1);
  return times === 0 ? base : `${base}_${times}`;
}
