import { dirname, resolve } from "node:path";
import { ArgumentError } from "../../errors.ts";
import { makeFolder } from "../../interop/index.ts";
import { checkOptions } from "../options.ts";
import type { Logs } from "./callback.ts";
import { MonitorCallback, type MonitorMode } from "./monitor-callback.ts";

export interface ModelCheckpointOptions {
  readonly monitor?: string;
  readonly verbose?: 0 | 1;
  /** Save only when the watched value got better. */
  readonly saveBestOnly?: boolean;
  /** Weights only, without architecture and optimizer. */
  readonly saveWeightsOnly?: boolean;
  readonly mode?: MonitorMode;
  /** 'epoch', or every so many batches. */
  readonly saveFreq?: "epoch" | number;
  /** A value that must be beaten before anything is saved. */
  readonly initialValueThreshold?: number | null;
}

/** One placeholder of a path: `{epoch}`, `{epoch:02d}`, `{val_loss:.2f}`. */
const placeholder = /\{(\w+)(?::(0)?(\d+)?(?:\.(\d+))?([dfe])?)?\}/g;

/** A path with its placeholders filled in, in Python's format for integers and fixed decimals. */
export function formatPath(path: string, values: Readonly<Record<string, number>>): string {
  return path.replace(
    placeholder,
    (whole, name: string, zero?: string, width?: string, digits?: string, kind?: string) => {
      const value = values[name];
      if (value === undefined) {
        throw new ArgumentError(
          `ModelCheckpoint: the path "${path}" names ${whole}, but only ${Object.keys(values).join(", ")} are known at this point.`,
        );
      }
      let text = String(value);
      if (kind === "d") text = Math.trunc(value).toString();
      else if (kind === "e") text = value.toExponential(Number(digits ?? 6)).replace(/e([+-])(\d)$/, "e$10$2");
      else if (digits !== undefined || kind === "f") text = value.toFixed(Number(digits ?? 6));
      return text.padStart(Number(width ?? 0), zero ? "0" : " ");
    },
  );
}

/** Saves the model, or its weights, at the end of every epoch or every so many batches. Writes are atomic. */
export class ModelCheckpoint extends MonitorCallback {
  readonly filepath: string;
  private readonly options: Required<Omit<ModelCheckpointOptions, "monitor" | "mode" | "initialValueThreshold">>;
  private batchesSinceSave = 0;
  private epochNow = 0;

  constructor(filepath: string, options: ModelCheckpointOptions = {}) {
    checkOptions("ModelCheckpoint", options, [
      "monitor",
      "verbose",
      "saveBestOnly",
      "saveWeightsOnly",
      "mode",
      "saveFreq",
      "initialValueThreshold",
    ]);
    super(options.monitor ?? "val_loss", options.mode ?? "auto", 0, options.initialValueThreshold ?? undefined);
    const { verbose = 0, saveBestOnly = false, saveWeightsOnly = false, saveFreq = "epoch" } = options;
    if (saveFreq !== "epoch" && !(Number.isInteger(saveFreq) && saveFreq > 0)) {
      throw new ArgumentError(
        `ModelCheckpoint: saveFreq must be "epoch" or a number of batches, received ${saveFreq}.`,
      );
    }
    this.filepath = filepath;
    this.options = { verbose, saveBestOnly, saveWeightsOnly, saveFreq };
  }
  override onEpochBegin(epoch: number): void {
    this.epochNow = epoch;
  }
  override onTrainBatchEnd(batch: number, logs: Logs = {}): void {
    const { saveFreq } = this.options;
    if (saveFreq === "epoch" || ++this.batchesSinceSave < saveFreq) return;
    this.batchesSinceSave = 0;
    this.save(logs, batch);
  }
  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    this.epochNow = epoch;
    if (this.options.saveFreq === "epoch") this.save(logs);
  }

  private save(logs: Logs, batch?: number): void {
    const { verbose, saveWeightsOnly } = this.options;
    const numbers = { epoch: this.epochNow + 1, ...(batch === undefined ? {} : { batch: batch + 1 }), ...logs };
    const path = formatPath(this.filepath, numbers);
    if (!this.due(logs, path)) return;
    makeFolder(dirname(resolve(path)));
    if (saveWeightsOnly) this.model.saveWeights(path);
    else this.model.save(path);
    if (verbose > 0) console.log(`\nEpoch ${this.epochNow + 1}: finished saving model to ${path}`);
  }

  private due(logs: Logs, path: string): boolean {
    const { verbose, saveBestOnly } = this.options;
    const say = (text: string) => {
      if (verbose > 0) console.log(`\nEpoch ${this.epochNow + 1}: ${text}`);
    };
    if (!saveBestOnly) {
      say(`saving model to ${path}`);
      return true;
    }
    const current = logs[this.monitor];
    if (current === undefined) {
      console.warn(`Can save best model only with ${this.monitor} available.`);
      return true;
    }
    const best = this.best === undefined ? "None" : this.best.toFixed(5);
    if (!this.improves(current, this.best)) {
      say(`${this.monitor} did not improve from ${best}`);
      return false;
    }
    say(`${this.monitor} improved from ${best} to ${current.toFixed(5)}, saving model to ${path}`);
    this.best = current;
    return true;
  }
}
