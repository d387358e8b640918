import { join } from "node:path";
import { ArgumentError } from "../../errors.ts";
import { EventFile } from "../../interop/index.ts";
import { checkOptions } from "../options.ts";
import { Callback, type Logs } from "./callback.ts";

export interface TensorBoardOptions {
  /** Where event files go: `train` and `validation` inside it. 'logs' by default. */
  readonly logDir?: string;
  /** Every how many epochs histograms of the weights are written; 0: never. */
  readonly histogramFreq?: number;
  /** 'epoch', 'batch', or every so many batches: when the values of batches are written. */
  readonly updateFreq?: "epoch" | "batch" | number;
  readonly writeStepsPerSecond?: boolean;
}

/**
 * Writes event files that TensorBoard shows: `epoch_loss`, `epoch_accuracy`, …, `epoch_learning_rate` of training and validation,
 * `evaluation_loss_vs_iterations`, on request the values of batches and histograms of the weights.
 *
 * @example
 * ```ts
 * await model.fit(x, y, { epochs: 5, callbacks: [new TensorBoard({ logDir: "logs" })] });
 * // tensorboard --logdir logs
 * ```
 */
export class TensorBoard extends Callback {
  readonly logDir: string;
  private readonly histogramFreq: number;
  private readonly updateFreq: number | undefined;
  private readonly writeStepsPerSecond: boolean;
  private readonly files = new Map<"train" | "validation", EventFile>();
  private batches = 0;
  private batchesAtEpoch = 0;
  private epochStart = 0;
  private batchStart = 0;
  private training = false;

  constructor(logDir?: string | TensorBoardOptions, options: TensorBoardOptions = {}) {
    super();
    const given = typeof logDir === "object" ? logDir : { logDir, ...options };
    checkOptions("TensorBoard", given, ["logDir", "histogramFreq", "updateFreq", "writeStepsPerSecond"]);
    const { histogramFreq = 0, updateFreq = "epoch", writeStepsPerSecond = false } = given;
    this.logDir = given.logDir ?? "logs";
    if (!Number.isInteger(histogramFreq) || histogramFreq < 0) {
      throw new ArgumentError(
        `TensorBoard: histogramFreq must be a number of epochs, received ${String(histogramFreq)}.`,
      );
    }
    const every = updateFreq === "batch" ? 1 : updateFreq;
    if (every !== "epoch" && !(Number.isInteger(every) && every > 0)) {
      throw new ArgumentError(
        `TensorBoard: updateFreq must be "epoch", "batch" or a number of batches, received ${String(updateFreq)}.`,
      );
    }
    this.histogramFreq = histogramFreq;
    this.updateFreq = every === "epoch" ? undefined : every;
    this.writeStepsPerSecond = writeStepsPerSecond;
    if (this.updateFreq === undefined) {
      // without values of batches nothing has to be read after every step
      Object.defineProperty(this, "onTrainBatchEnd", { value: Callback.prototype.onTrainBatchEnd });
    }
  }

  private file(part: "train" | "validation"): EventFile {
    let file = this.files.get(part);
    if (!file) {
      file = new EventFile(join(this.logDir, part));
      this.files.set(part, file);
    }
    return file;
  }

  override onTrainBegin(): void {
    this.training = true;
    this.batches = 0;
  }
  override onTrainEnd(): void {
    this.training = false;
    this.closeFiles();
  }
  private closeFiles(): void {
    for (const file of this.files.values()) file.close();
    this.files.clear();
  }
  override onEpochBegin(): void {
    this.epochStart = performance.now();
    this.batchesAtEpoch = this.batches;
  }
  override onTrainBatchBegin(): void {
    this.batches++;
    this.batchStart = performance.now();
  }
  override onTrainBatchEnd(_batch: number, logs: Logs = {}): void {
    if (this.updateFreq === undefined || this.batches % this.updateFreq !== 0) return;
    const file = this.file("train");
    if (this.writeStepsPerSecond) {
      file.scalar("batch_steps_per_second", 1000 / (performance.now() - this.batchStart), this.batches);
    }
    for (const [name, value] of Object.entries(logs)) file.scalar(`batch_${name}`, value, this.batches);
  }
  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    const train = this.file("train");
    for (const [name, value] of Object.entries(logs)) {
      if (name.startsWith("val_")) this.file("validation").scalar(`epoch_${name.slice(4)}`, value, epoch);
      else train.scalar(`epoch_${name}`, value, epoch);
    }
    train.scalar("epoch_learning_rate", this.model.optimizer.learningRate, epoch);
    if (this.writeStepsPerSecond) {
      const seconds = (performance.now() - this.epochStart) / 1000;
      train.scalar("epoch_steps_per_second", (this.batches - this.batchesAtEpoch) / seconds, epoch);
    }
    if (this.histogramFreq > 0 && epoch % this.histogramFreq === 0) this.writeWeights(train, epoch);
  }
  private writeWeights(file: EventFile, epoch: number): void {
    for (const weight of this.model.weights) file.histogram(`${weight.name}/histogram`, weight.dataSync(), epoch);
  }
  override onTestEnd(logs: Logs = {}): void {
    const { optimizer } = this.model;
    const step = optimizer.iterations.item();
    for (const [name, value] of Object.entries(logs)) {
      this.file("validation").scalar(`evaluation_${name}_vs_iterations`, value, step);
    }
    if (!this.training) this.closeFiles();
  }
}
