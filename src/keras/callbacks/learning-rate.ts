import { ArgumentError } from "../../errors.ts";
import { checkOptions } from "../options.ts";
import { Callback, type Logs } from "./callback.ts";
import { MonitorCallback, type MonitorMode } from "./monitor-callback.ts";

export interface LearningRateSchedulerOptions {
  readonly verbose?: 0 | 1;
}

/** Sets the learning rate at the start of each epoch from a function of the epoch (counted from 0) and the rate so far. */
export class LearningRateScheduler extends Callback {
  private readonly schedule: (epoch: number, learningRate: number) => number;
  private readonly verbose: 0 | 1;

  constructor(schedule: (epoch: number, learningRate: number) => number, options: LearningRateSchedulerOptions = {}) {
    super();
    checkOptions("LearningRateScheduler", options, ["verbose"]);
    this.schedule = schedule;
    this.verbose = options.verbose ?? 0;
  }
  override onEpochBegin(epoch: number): void {
    const { optimizer } = this.model;
    const rate = this.schedule(epoch, optimizer.learningRate);
    if (typeof rate !== "number" || !Number.isFinite(rate)) {
      throw new ArgumentError(
        `LearningRateScheduler: the schedule must give a finite number, received ${String(rate)}.`,
      );
    }
    optimizer.learningRate = rate;
    if (this.verbose > 0) {
      console.log(`\nEpoch ${epoch + 1}: LearningRateScheduler setting learning rate to ${rate}.`);
    }
  }
  override onEpochEnd(_epoch: number, logs: Logs = {}): void {
    logs.learning_rate = Math.fround(this.model.optimizer.learningRate);
  }
}

export interface ReduceLROnPlateauOptions {
  readonly monitor?: string;
  /** New rate = old rate · factor. */
  readonly factor?: number;
  readonly patience?: number;
  readonly verbose?: 0 | 1;
  readonly mode?: MonitorMode;
  readonly minDelta?: number;
  /** Epochs to wait after a reduction. */
  readonly cooldown?: number;
  readonly minLr?: number;
}

/** Lowers the learning rate when a value has stopped getting better. */
export class ReduceLROnPlateau extends MonitorCallback {
  private readonly settings: Required<Omit<ReduceLROnPlateauOptions, "monitor" | "mode" | "minDelta">>;
  private wait = 0;
  private cooldownLeft = 0;

  constructor(options: ReduceLROnPlateauOptions = {}) {
    checkOptions("ReduceLROnPlateau", options, [
      "monitor",
      "factor",
      "patience",
      "verbose",
      "mode",
      "minDelta",
      "cooldown",
      "minLr",
    ]);
    super(options.monitor ?? "val_loss", options.mode ?? "auto", options.minDelta ?? 1e-4);
    const { factor = 0.1, patience = 10, verbose = 0, cooldown = 0, minLr = 0 } = options;
    if (!(factor > 0 && factor < 1)) {
      throw new ArgumentError(`ReduceLROnPlateau: factor must be between 0 and 1, received ${factor}.`);
    }
    this.settings = { factor, patience, verbose, cooldown, minLr };
  }
  override onTrainBegin(): void {
    this.best = undefined;
    this.wait = 0;
    this.cooldownLeft = 0;
  }
  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    logs.learning_rate = Math.fround(this.model.optimizer.learningRate);
    const current = this.watched(logs, "Learning rate reduction is");
    if (current === undefined) return;
    if (this.cooldownLeft > 0) {
      this.cooldownLeft--;
      this.wait = 0;
    }
    if (this.improves(current, this.best)) {
      this.best = current;
      this.wait = 0;
    } else if (this.cooldownLeft === 0 && ++this.wait >= this.settings.patience) {
      this.reduce(epoch);
    }
  }
  private reduce(epoch: number): void {
    const { factor, verbose, cooldown, minLr } = this.settings;
    const { optimizer } = this.model;
    const before = optimizer.learningRate;
    if (before <= minLr) return;
    optimizer.learningRate = Math.max(before * factor, minLr);
    if (verbose > 0) {
      console.log(`\nEpoch ${epoch + 1}: ReduceLROnPlateau reducing learning rate to ${optimizer.learningRate}.`);
    }
    this.cooldownLeft = cooldown;
    this.wait = 0;
  }
}
