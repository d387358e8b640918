import { existsSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ArgumentError, DataError } from "../../errors.ts";
import { makeFolder, type NamedTensor, readSafetensors, writeSafetensors } from "../../interop/index.ts";
import { type Generator, getRandomState, type RandomState, setRandomState, type Variable } from "../../tensor/index.ts";
import { checkOptions } from "../options.ts";
import { assignSaved, checkSaved } from "../saving.ts";
import type { ShapeStructure } from "../structure.ts";
import { buildLayer } from "../symbolic.ts";
import { Callback } from "./callback.ts";

export interface BackupAndRestoreOptions {
  /** 'epoch', or every so many batches. */
  readonly saveFreq?: "epoch" | number;
  /** Remove the backup when training is done; true by default. An interrupted training keeps it. */
  readonly deleteCheckpoint?: boolean;
}

/** State of everything random: the default generator, then those that layers hold. */
type RandomStates = readonly RandomState[];

interface Progress {
  readonly epoch: number;
  /** Batches of the epoch that are done. */
  readonly step: number;
  readonly learningRate: number | null;
  /** At the start of the epoch, before its order was drawn. */
  readonly epochRandom: RandomStates;
  readonly random: RandomStates;
  readonly inputShape: ShapeStructure;
}

const formatName = "trivium-backup";
const formatVersion = "1";

/**
 * Lets an interrupted `fit` go on: after every epoch (or every so many batches) weights, the optimizer's state, counts of metrics, random state and
 * position are written, atomically, to `backupDir`; the same `fit` called again goes on from there and gives the same bits as one that was never
 * interrupted. With `stepsPerEpoch` the data must begin anew every epoch for that.
 *
 * @example
 * ```ts
 * await model.fit(x, y, { epochs: 100, callbacks: [new BackupAndRestore("backup")] });
 * ```
 */
export class BackupAndRestore extends Callback {
  readonly backupDir: string;
  private readonly saveFreq: "epoch" | number;
  private readonly deleteCheckpoint: boolean;
  private epochNow = 0;
  private batchesSinceSave = 0;
  private epochRandom: RandomStates = [];
  private restored: Progress | undefined;

  constructor(backupDir: string, options: BackupAndRestoreOptions = {}) {
    super();
    checkOptions("BackupAndRestore", options, ["saveFreq", "deleteCheckpoint"]);
    const { saveFreq = "epoch", deleteCheckpoint = true } = options;
    if (typeof backupDir !== "string" || backupDir === "") {
      throw new ArgumentError("BackupAndRestore: backupDir must name a folder.");
    }
    if (saveFreq !== "epoch" && !(Number.isInteger(saveFreq) && saveFreq > 0)) {
      throw new ArgumentError(
        `BackupAndRestore: saveFreq must be "epoch" or a number of batches, received ${String(saveFreq)}.`,
      );
    }
    this.backupDir = backupDir;
    this.saveFreq = saveFreq;
    this.deleteCheckpoint = deleteCheckpoint;
    if (saveFreq === "epoch") {
      // no hook after batches: nothing has to be read after every step
      Object.defineProperty(this, "onTrainBatchEnd", { value: Callback.prototype.onTrainBatchEnd });
    }
  }

  /** The file of the backup. */
  get path(): string {
    return join(this.backupDir, "backup.safetensors");
  }

  override onTrainBegin(): void {
    this.batchesSinceSave = 0;
    this.restored = undefined;
    if (!existsSync(this.path)) return;
    const { progress, random } = this.read();
    this.restored = progress;
    this.model.resumePoint = { epoch: progress.epoch, step: progress.step, restore: random };
  }
  override onEpochBegin(epoch: number): void {
    this.epochNow = epoch;
    if (this.restored) this.setRandom(this.restored.epochRandom);
    this.restored = undefined;
    this.epochRandom = this.random;
  }
  override onTrainBatchEnd(batch: number): void {
    if (this.saveFreq === "epoch" || ++this.batchesSinceSave < this.saveFreq) return;
    this.batchesSinceSave = 0;
    this.write(this.epochNow, batch + 1);
  }
  override onEpochEnd(epoch: number): void {
    this.epochRandom = this.random;
    this.write(epoch + 1, 0);
  }
  override onTrainEnd(): void {
    if (!this.deleteCheckpoint || this.model.interrupted) return;
    rmSync(this.path, { force: true });
    try {
      rmdirSync(this.backupDir);
    } catch {
      // other files are there: the folder stays
    }
  }

  private get generators(): readonly Generator[] {
    return this.model.generators;
  }
  private get random(): RandomStates {
    return [getRandomState(), ...this.generators.map(({ state }) => state)];
  }
  private setRandom([first, ...others]: RandomStates): void {
    setRandomState(first);
    this.generators.forEach((generator, index) => {
      generator.state = others[index];
    });
  }

  private get parts(): Readonly<Record<string, readonly Variable[]>> {
    const { model } = this;
    return {
      weights: model.weights,
      optimizer: model.optimizer.variables,
      metrics: model.metrics.flatMap((metric) => metric.variables),
    };
  }

  private write(epoch: number, step: number): void {
    const { model } = this;
    const tensors = Object.entries(this.parts).flatMap(([part, variables]) =>
      variables.map(
        (variable, index): NamedTensor => ({
          name: `${part}/${index}/${variable.name}`,
          dtype: variable.dtype,
          shape: variable.shape,
          data: variable.dataSync(),
        }),
      ),
    );
    const progress: Progress = {
      epoch,
      step,
      learningRate: model.optimizer.followsSchedule ? null : model.optimizer.learningRate,
      epochRandom: this.epochRandom,
      random: this.random,
      inputShape: model.inputShape as ShapeStructure,
    };
    makeFolder(this.backupDir);
    writeSafetensors(this.path, tensors, {
      format: formatName,
      version: formatVersion,
      progress: JSON.stringify(progress),
    });
  }

  /** Gives the model everything in the backup, and says where to go on; nothing is changed unless all of it fits. */
  private read(): { progress: Progress; random: () => void } {
    const { path, model } = this;
    const { tensors, metadata } = readSafetensors(path);
    if (metadata.format !== formatName || metadata.version !== formatVersion) {
      throw new DataError(
        `${path}: not a backup that this Trivium reads (format ${metadata.format ?? "unknown"}, version ${metadata.version ?? "unknown"}).`,
      );
    }
    let progress: Progress;
    try {
      progress = JSON.parse(metadata.progress ?? "") as Progress;
    } catch (cause) {
      throw new DataError(`${path}: its record of progress is not JSON.`, { cause });
    }
    if (!model.built) buildLayer(model, progress.inputShape);
    model.optimizer.build(model.trainableWeights);
    const saved = (part: string): NamedTensor[] => tensors.filter(({ name }) => name.startsWith(`${part}/`));
    const parts = Object.entries(this.parts).map(([part, variables]) => {
      const list: NamedTensor[] = [];
      for (const tensor of saved(part)) list[Number(tensor.name.split("/")[1])] = tensor;
      return { part, variables, list };
    });
    // Metrics named by strings exist from the first batch on; a stream's come later, and start anew.
    const present = parts.filter(({ part, variables, list }) => part !== "metrics" || variables.length === list.length);
    for (const { part, variables, list } of present) checkSaved(path, part, variables, list);
    const count = (progress.random?.length ?? 0) - 1;
    if (count !== this.generators.length) {
      throw new DataError(
        `${path}: holds the state of ${count} random generators, the model has ${this.generators.length}.`,
      );
    }
    for (const { part, variables, list } of present) {
      if (part !== "metrics") assignSaved(path, part, variables, list);
    }
    if (progress.learningRate !== null) model.optimizer.learningRate = progress.learningRate;
    const counts = present.find(({ part }) => part === "metrics");
    return {
      progress,
      random: () => {
        this.setRandom(progress.random);
        if (counts && progress.step > 0) assignSaved(path, "metrics", counts.variables, counts.list);
      },
    };
  }
}
