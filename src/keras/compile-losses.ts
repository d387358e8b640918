/** The losses that `compile` was given, one for each output, and what they make of a batch. */
import { ArgumentError } from "../errors.ts";
import { addBatchValue } from "../nn/accumulator.ts";
import { sumOfLosses, weightedLoss } from "../nn/regularizers.ts";
import { pendingValue, recordUpdate } from "../nn/updates.ts";
import type { Tensor } from "../tensor/index.ts";
import { type OutputSlot, valuesFor } from "./compile-outputs.ts";
import * as losses from "./losses.ts";
import * as metrics from "./metrics.ts";
import { isRecord, leavesOf, mapStructure, type Structure } from "./structure.ts";

/** One loss for all outputs, or one for each: in a list or by name. Null: the output has no loss. */
export type LossOption = Structure<losses.LossLike | null> | null;
/** Factors of the losses. */
export type LossWeights = Structure<number> | null;

interface Part {
  readonly loss: losses.Loss;
  readonly weight: number;
  /** The unweighted loss over the epoch, where there are several. */
  readonly tracker: metrics.Mean | undefined;
}

/** The losses of a compiled model. */
export class CompileLosses {
  /** Made from the options at once, so that mistakes show where they were made. */
  private readonly made: Structure<losses.Loss | undefined> | undefined;
  private readonly weights: LossWeights;
  private parts: (Part | undefined)[] | undefined;

  constructor(option: LossOption | undefined, weights: LossWeights | undefined) {
    const make = (loss: losses.LossLike | null | undefined) => (loss ? losses.get(loss, "compile") : undefined);
    this.made = option ? mapStructure<losses.LossLike | null, losses.Loss | undefined>(option, make) : undefined;
    this.weights = weights ?? null;
    if (weights === null || weights === undefined) return;
    const wrong = leavesOf<number>(weights).find((weight) => typeof weight !== "number");
    if (wrong !== undefined) {
      throw new ArgumentError(`compile: lossWeights must be numbers, received ${typeof wrong}.`);
    }
  }

  /** Whether there is any loss. */
  get present(): boolean {
    return this.made !== undefined && leavesOf<losses.Loss | undefined>(this.made).some(Boolean);
  }
  /** Trackers of single losses. */
  get trackers(): metrics.Metric[] {
    return (this.parts ?? []).flatMap((part) => part?.tracker ?? []);
  }
  /** Which outputs have a loss. */
  expected(slots: readonly OutputSlot[]): boolean[] {
    return this.resolve(slots).map((part) => part !== undefined);
  }
  /** Whether the targets of an output, by position or name, are class numbers. */
  sparse(key: number | string | undefined, position: number): boolean {
    const { made } = this;
    if (made === undefined) return false;
    if (isRecord(made)) {
      return typeof key === "string" && Object.hasOwn(made, key)
        ? ((made as Readonly<Record<string, losses.Loss | undefined>>)[key]?.sparse ?? false)
        : false;
    }
    const list = Array.isArray(made) ? (made as readonly (losses.Loss | undefined)[])[position] : made;
    return (list as losses.Loss | undefined)?.sparse ?? false;
  }

  private resolve(slots: readonly OutputSlot[]): (Part | undefined)[] {
    this.parts ??= this.makeParts(slots);
    return this.parts;
  }
  private makeParts(slots: readonly OutputSlot[]): (Part | undefined)[] {
    const { made, weights } = this;
    const shared = made === undefined || (!Array.isArray(made) && !isRecord(made));
    const list = shared
      ? slots.map(() => made as losses.Loss | undefined)
      : valuesFor<losses.Loss | undefined>("compile: loss", slots, made);
    const factors =
      weights === null
        ? slots.map(() => undefined)
        : valuesFor<number>(
            "compile: lossWeights",
            slots,
            weights,
            list.map((loss) => loss !== undefined),
          );
    const several = list.filter(Boolean).length > 1;
    return list.map((loss, index) => {
      if (!loss) return undefined;
      const tracker = several ? new metrics.Mean({ name: `${slots[index].name ?? loss.name}_loss` }) : undefined;
      return { loss, weight: factors[index] ?? 1, tracker };
    });
  }

  /** The weighted sum of the losses of a batch; undefined without any. Counts each loss where there are several. */
  total(
    slots: readonly OutputSlot[],
    targets: readonly (Tensor | undefined)[],
    sampleWeights: readonly (Tensor | undefined)[],
  ): Tensor | undefined {
    const values: Tensor[] = [];
    this.resolve(slots).forEach((part, index) => {
      if (!part) return;
      const { prediction, name } = slots[index];
      const target = targets[index];
      if (!target) {
        throw new ArgumentError(
          slots.length === 1
            ? `the loss "${part.loss.name}" needs targets, but the data has no y.`
            : `the loss "${part.loss.name}" of output "${name ?? index}" needs targets, but y has none for it.`,
        );
      }
      const value = part.loss(target, prediction, sampleWeights[index]);
      if (part.tracker && value.rank === 0) {
        const { variables } = part.tracker;
        const next = addBatchValue(variables.map(pendingValue), value.detach(), prediction.shape[0]);
        variables.forEach((variable, position) => {
          recordUpdate(variable, next[position]);
        });
      }
      values.push(weightedLoss(value, part.weight));
    });
    return values.length === 1 ? values[0] : sumOfLosses(values);
  }
}
