import { ArgumentError } from "../../errors.ts";
import type { LoopEvents } from "../../train/loop.ts";
import type { AnyModel } from "../model.ts";
import { Callback, type CallbackParams, type HookResult, type Logs, overrides } from "./callback.ts";
import { History } from "./history.ts";
import { ProgbarLogger } from "./progbar-logger.ts";

type Hook = (callback: Callback) => HookResult;

export interface CallbackListOptions {
  readonly addHistory?: boolean;
  readonly addProgbar?: boolean;
  readonly model: AnyModel;
  readonly params: CallbackParams;
}

/** Several callbacks as one, in order; with a History and a progress bar where asked for. */
export class CallbackList implements LoopEvents {
  readonly callbacks: readonly Callback[];
  readonly history: History | undefined;
  private readonly progress: ProgbarLogger | undefined;
  private readonly readers: Record<"train" | "test", readonly Callback[]>;

  constructor(callbacks: readonly Callback[], options: CallbackListOptions) {
    const list = [...callbacks];
    for (const callback of list) {
      if (callback instanceof Callback) continue;
      throw new ArgumentError(
        `callbacks: expected instances of keras.callbacks.Callback, received ${typeof callback}.`,
      );
    }
    let history = list.find((callback) => callback instanceof History);
    if (!history && options.addHistory) {
      history = new History();
      list.push(history);
    }
    let progress = list.find((callback) => callback instanceof ProgbarLogger);
    if (!progress && options.addProgbar) {
      progress = new ProgbarLogger();
      list.push(progress);
    }
    this.history = history;
    this.progress = progress;
    this.callbacks = list;
    const others = list.filter((callback) => callback !== progress);
    this.readers = {
      train: others.filter((callback) => overrides(callback, "onTrainBatchEnd", "onBatchEnd")),
      test: others.filter((callback) => overrides(callback, "onTestBatchEnd")),
    };
    for (const callback of list) {
      callback.setModel(options.model);
      callback.setParams(options.params);
    }
  }

  private async each(hook: Hook): Promise<void> {
    for (const callback of this.callbacks) await hook(callback);
  }
  /** Hooks of a batch: most callbacks have none, and awaiting nothing for each of them would cost more than the hooks. */
  private batch(callbacks: readonly Callback[], hook: Hook): HookResult {
    let pending: Promise<void> | undefined;
    for (const callback of callbacks) {
      if (pending) pending = pending.then(() => hook(callback));
      else {
        const result = hook(callback);
        if (result instanceof Promise) pending = result;
      }
    }
    return pending;
  }

  trainBegin(): Promise<void> {
    return this.each((callback) => callback.onTrainBegin({}));
  }
  trainEnd(logs: Logs): Promise<void> {
    return this.each((callback) => callback.onTrainEnd(logs));
  }
  epochBegin(epoch: number): Promise<void> {
    return this.each((callback) => callback.onEpochBegin(epoch, {}));
  }
  epochEnd(epoch: number, logs: Logs): Promise<void> {
    return this.each((callback) => callback.onEpochEnd(epoch, logs));
  }
  trainBatchBegin(step: number): HookResult {
    return this.batch(this.callbacks, (callback) => callback.onTrainBatchBegin(step, {}));
  }
  trainBatchEnd(step: number, logs: () => Logs): HookResult {
    this.progress?.trainStep(step, logs);
    if (this.readers.train.length === 0) return;
    const values = logs();
    return this.batch(this.readers.train, (callback) => callback.onTrainBatchEnd(step, values));
  }
  testBegin(): Promise<void> {
    return this.each((callback) => callback.onTestBegin({}));
  }
  testEnd(logs: Logs): Promise<void> {
    return this.each((callback) => callback.onTestEnd(logs));
  }
  testBatchBegin(step: number): HookResult {
    return this.batch(this.callbacks, (callback) => callback.onTestBatchBegin(step, {}));
  }
  testBatchEnd(step: number, logs: () => Logs): HookResult {
    this.progress?.testStep(step, logs);
    if (this.readers.test.length === 0) return;
    const values = logs();
    return this.batch(this.readers.test, (callback) => callback.onTestBatchEnd(step, values));
  }
  predictBegin(): Promise<void> {
    return this.each((callback) => callback.onPredictBegin({}));
  }
  predictEnd(): Promise<void> {
    return this.each((callback) => callback.onPredictEnd({}));
  }
  predictBatchBegin(step: number): HookResult {
    return this.batch(this.callbacks, (callback) => callback.onPredictBatchBegin(step, {}));
  }
  predictBatchEnd(step: number): HookResult {
    this.progress?.testStep(step, () => ({}));
    return this.batch(this.callbacks, (callback) => callback.onPredictBatchEnd(step, {}));
  }
  /** Leaves the terminal clean when something failed half-way. */
  abandon(): void {
    this.progress?.abandon();
  }
}
