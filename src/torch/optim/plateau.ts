import { Tensor } from "../../tensor/index.ts";
import { type AnyOptimizer, Scheduler, type SchedulerStateDict, stateNamesOf } from "./scheduler.ts";

export interface ReduceLROnPlateauOptions {
  /** Whether a smaller or a larger metric is better. */
  readonly mode?: "min" | "max";
  readonly factor?: number;
  /** Epochs without improvement that are let pass. */
  readonly patience?: number;
  /** What counts as an improvement, relative to the best metric or absolute. */
  readonly threshold?: number;
  readonly thresholdMode?: "rel" | "abs";
  /** Epochs after a reduction in which nothing is counted. */
  readonly cooldown?: number;
  /** Lower limit of the rate, or one for each group. */
  readonly minLr?: number | readonly number[];
  /** A smaller change of the rate is not made. */
  readonly eps?: number;
}

/**
 * Rate times `factor` (0.1) once a metric has not improved for more than `patience` (10) epochs.
 *
 * @example
 * ```ts
 * const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, "min", { patience: 3 });
 * scheduler.step(criterion(model(images), labels).item()); // a loss on data that are not trained on
 * ```
 */
export class ReduceLROnPlateau extends Scheduler {
  mode: "min" | "max";
  factor: number;
  patience: number;
  threshold: number;
  thresholdMode: "rel" | "abs";
  cooldown: number;
  eps: number;
  minLrs: number[];
  /** The best metric so far. */
  best: number;
  numBadEpochs = 0;
  cooldownCounter = 0;

  constructor(
    optimizer: AnyOptimizer,
    mode: "min" | "max" | ReduceLROnPlateauOptions = {},
    options: Omit<ReduceLROnPlateauOptions, "mode"> = {},
  ) {
    super(optimizer);
    const given: ReduceLROnPlateauOptions = typeof mode === "string" ? { ...options, mode } : mode;
    this.mode = given.mode ?? "min";
    this.factor = given.factor ?? 0.1;
    this.patience = given.patience ?? 10;
    this.threshold = given.threshold ?? 1e-4;
    this.thresholdMode = given.thresholdMode ?? "rel";
    this.cooldown = given.cooldown ?? 0;
    this.eps = given.eps ?? 1e-8;
    if (!(this.factor < 1)) this.fail(`factor must be below 1, received ${this.factor}.`);
    if (this.mode !== "min" && this.mode !== "max") this.fail(`mode must be "min" or "max", received "${this.mode}".`);
    if (this.thresholdMode !== "rel" && this.thresholdMode !== "abs")
      this.fail(`thresholdMode must be "rel" or "abs", received "${this.thresholdMode}".`);
    this.minLrs = this.perGroup("minLr", given.minLr ?? 0);
    this.best = this.mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    this.lastLr = optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** Takes the metric of an epoch. A tensor of one element is read. */
  step(metric: number | Tensor): void {
    this.checkPlace();
    const current = metric instanceof Tensor ? metric.item() : metric;
    if (typeof current !== "number") this.fail(`step() takes the metric, received ${typeof current}.`);
    this.lastEpoch++;
    if (this.improves(current)) {
      this.best = current;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this.lastLr = this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  private improves(current: number): boolean {
    const { best, threshold } = this;
    if (this.mode === "min")
      return current < (this.thresholdMode === "rel" ? best * (1 - threshold) : best - threshold);
    return current > (this.thresholdMode === "rel" ? best * (1 + threshold) : best + threshold);
  }
  private reduce(): void {
    this.optimizer.paramGroups.forEach((group, index) => {
      // a group that was added later has the limit of the last one known
      const limit = this.minLrs[index] ?? this.minLrs[this.minLrs.length - 1];
      const next = Math.max(group.lr * this.factor, limit);
      if (group.lr - next > this.eps) group.lr = next;
    });
  }

  protected override stateNames(): Record<string, string> {
    return {
      ...stateNamesOf("factor", "patience", "cooldown", "eps", "lastEpoch", "mode", "threshold", "thresholdMode"),
      ...stateNamesOf("minLrs", "best", "cooldownCounter", "numBadEpochs"),
      _last_lr: "lastLr",
    };
  }
  override checkState(stateDict: SchedulerStateDict): void {
    const { default_min_lr: _, ...known } = stateDict ?? {};
    super.checkState(known);
  }
}
