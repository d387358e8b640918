import type { Tensor } from "../../tensor/index.ts";
import { checkOptions } from "../options.ts";
import type { Logs } from "./callback.ts";
import { MonitorCallback, type MonitorMode } from "./monitor-callback.ts";

export interface EarlyStoppingOptions {
  readonly monitor?: string;
  /** Least change that counts. */
  readonly minDelta?: number;
  /** Epochs without improvement after which training stops. */
  readonly patience?: number;
  readonly verbose?: 0 | 1;
  readonly mode?: MonitorMode;
  /** A value that must be beaten. */
  readonly baseline?: number | null;
  /** Go back to the weights of the best epoch at the end. */
  readonly restoreBestWeights?: boolean;
  /** Epochs before this one do not count. */
  readonly startFromEpoch?: number;
}

/** Stops training when a value has stopped getting better. */
export class EarlyStopping extends MonitorCallback {
  private readonly options: Required<EarlyStoppingOptions>;
  private wait = 0;
  private bestWeights: Tensor[] | undefined;
  private bestEpoch = 0;
  /** Number of the epoch that ended training; 0 while none did. */
  stoppedEpoch = 0;

  constructor(options: EarlyStoppingOptions = {}) {
    checkOptions("EarlyStopping", options, [
      "monitor",
      "minDelta",
      "patience",
      "verbose",
      "mode",
      "baseline",
      "restoreBestWeights",
      "startFromEpoch",
    ]);
    const { monitor = "val_loss", minDelta = 0, mode = "auto" } = options;
    super(monitor, mode, minDelta);
    const { patience = 0, verbose = 0, baseline = null, restoreBestWeights = false, startFromEpoch = 0 } = options;
    this.options = { monitor, minDelta, mode, patience, verbose, baseline, restoreBestWeights, startFromEpoch };
  }
  override onTrainBegin(): void {
    this.wait = 0;
    this.stoppedEpoch = 0;
    this.best = undefined;
    this.bestWeights = undefined;
    this.bestEpoch = 0;
  }
  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    const { patience, baseline, restoreBestWeights, startFromEpoch } = this.options;
    const current = this.watched(logs, "Early stopping");
    if (current === undefined || epoch < startFromEpoch) return;
    if (restoreBestWeights && !this.bestWeights) this.remember(epoch);
    this.wait++;
    if (this.improves(current, this.best)) {
      this.best = current;
      if (restoreBestWeights) this.remember(epoch);
      else this.bestEpoch = epoch;
      if (baseline === null || this.improves(current, baseline)) this.wait = 0;
      return;
    }
    if (this.wait >= patience && epoch > 0) {
      this.stoppedEpoch = epoch;
      this.model.stopTraining = true;
    }
  }
  private remember(epoch: number): void {
    this.bestWeights = this.model.getWeights();
    this.bestEpoch = epoch;
  }
  override onTrainEnd(): void {
    const { verbose, restoreBestWeights } = this.options;
    if (this.stoppedEpoch > 0 && verbose > 0) console.log(`Epoch ${this.stoppedEpoch + 1}: early stopping`);
    if (!restoreBestWeights || !this.bestWeights) return;
    if (verbose > 0) {
      console.log(`Restoring model weights from the end of the best epoch: ${this.bestEpoch + 1}.`);
    }
    this.model.setWeights(this.bestWeights);
  }
}
