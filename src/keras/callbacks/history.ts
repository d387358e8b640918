import { Callback, type Logs } from "./callback.ts";

/** What happened in each epoch: `history.history.val_loss[2]`. `fit` returns one. */
export class History extends Callback {
  /** Values by metric, one per epoch. */
  history: Record<string, number[]> = {};
  /** Numbers of the epochs. */
  epoch: number[] = [];
  /** Whether Ctrl-C ended the training early. */
  interrupted = false;

  override onTrainBegin(): void {
    this.epoch = [];
  }
  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(logs)) {
      this.history[name] ??= [];
      this.history[name].push(value);
    }
  }
}
