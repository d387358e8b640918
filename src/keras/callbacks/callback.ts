import type { Logs } from "../../train/loop.ts";
import type { AnyModel } from "../model.ts";

export type { Logs } from "../../train/loop.ts";

/** What training was started with. */
export interface CallbackParams {
  readonly verbose: 0 | 1 | 2 | "auto";
  readonly epochs: number;
  /** Steps per epoch; null while unknown. */
  readonly steps: number | null;
}

/** A hook may be asynchronous; training waits for it. */
export type HookResult = void | Promise<void>;

/**
 * Base of all callbacks: override the hooks you want. Logs hold the metrics by name; those of a batch are averages since the start of the
 * epoch, as Keras shows them.
 */
export class Callback {
  protected model!: AnyModel;
  params: CallbackParams | undefined;

  setModel(model: AnyModel): void {
    this.model = model;
  }
  setParams(params: CallbackParams): void {
    this.params = params;
  }
  onTrainBegin(_logs?: Logs): HookResult {}
  onTrainEnd(_logs?: Logs): HookResult {}
  onEpochBegin(_epoch: number, _logs?: Logs): HookResult {}
  onEpochEnd(_epoch: number, _logs?: Logs): HookResult {}
  onTrainBatchBegin(batch: number, logs?: Logs): HookResult {
    return this.onBatchBegin(batch, logs);
  }
  onTrainBatchEnd(batch: number, logs?: Logs): HookResult {
    return this.onBatchEnd(batch, logs);
  }
  /** Another name of `onTrainBatchBegin`. */
  onBatchBegin(_batch: number, _logs?: Logs): HookResult {}
  /** Another name of `onTrainBatchEnd`. */
  onBatchEnd(_batch: number, _logs?: Logs): HookResult {}
  onTestBegin(_logs?: Logs): HookResult {}
  onTestEnd(_logs?: Logs): HookResult {}
  onTestBatchBegin(_batch: number, _logs?: Logs): HookResult {}
  onTestBatchEnd(_batch: number, _logs?: Logs): HookResult {}
  onPredictBegin(_logs?: Logs): HookResult {}
  onPredictEnd(_logs?: Logs): HookResult {}
  onPredictBatchBegin(_batch: number, _logs?: Logs): HookResult {}
  onPredictBatchEnd(_batch: number, _logs?: Logs): HookResult {}
}

/** Whether a callback does something in a hook; where none does, its logs need not be read. */
export function overrides(callback: Callback, ...hooks: readonly (keyof Callback)[]): boolean {
  return hooks.some((hook) => callback[hook] !== Callback.prototype[hook]);
}
