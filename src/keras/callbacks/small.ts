import { DataError } from "../../errors.ts";
import { checkOptions } from "../options.ts";
import { Callback, type HookResult, type Logs } from "./callback.ts";

export interface TerminateOnNaNOptions {
  /** Throw instead of stopping quietly. */
  readonly raiseError?: boolean;
}

/** Stops training when the loss is NaN or infinite. Reads the loss after every step. */
export class TerminateOnNaN extends Callback {
  private readonly raiseError: boolean;

  constructor(options: TerminateOnNaNOptions = {}) {
    super();
    checkOptions("TerminateOnNaN", options, ["raiseError"]);
    this.raiseError = options.raiseError ?? false;
  }
  override onBatchEnd(batch: number, logs: Logs = {}): void {
    const { loss } = logs;
    if (loss === undefined || Number.isFinite(loss)) return;
    if (this.raiseError) throw new DataError(`TerminateOnNaN: the loss is ${loss} at batch ${batch}.`);
    console.log(`Batch ${batch}: Invalid loss, terminating training`);
    this.model.stopTraining = true;
  }
}

/** Hooks of a LambdaCallback. */
export interface LambdaHooks {
  readonly onEpochBegin?: (epoch: number, logs?: Logs) => HookResult;
  readonly onEpochEnd?: (epoch: number, logs?: Logs) => HookResult;
  readonly onTrainBegin?: (logs?: Logs) => HookResult;
  readonly onTrainEnd?: (logs?: Logs) => HookResult;
  readonly onTrainBatchBegin?: (batch: number, logs?: Logs) => HookResult;
  readonly onTrainBatchEnd?: (batch: number, logs?: Logs) => HookResult;
}

/** A callback from functions. */
export class LambdaCallback extends Callback {
  constructor(hooks: LambdaHooks) {
    super();
    const names = [
      "onEpochBegin",
      "onEpochEnd",
      "onTrainBegin",
      "onTrainEnd",
      "onTrainBatchBegin",
      "onTrainBatchEnd",
    ] as const;
    checkOptions("LambdaCallback", hooks, names);
    for (const name of names) if (hooks[name]) Object.defineProperty(this, name, { value: hooks[name] });
  }
}
