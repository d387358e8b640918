/** The training loop: epochs, steps and their events, independent of any door. */
import { DataError } from "../errors.ts";
import type { Batch, BatchSource } from "./batches.ts";
import { Breather } from "./breather.ts";
import { watchInterrupts } from "./interrupt.ts";

/** Values by name, as they are shown and recorded. */
export type Logs = Record<string, number>;

/** What the loop drives: a model with its loss, metrics and optimizer. */
export interface Trainable {
  trainBatch(batch: Batch): void;
  testBatch(batch: Batch): void;
  resetMetrics(): void;
  /** The metrics at this moment. */
  readLogs(): Logs;
}

type Outcome = void | Promise<void>;

/** What happens, in order. Values of a batch are read only when somebody asks. */
export interface LoopEvents {
  trainBegin(): Outcome;
  trainEnd(logs: Logs): Outcome;
  epochBegin(epoch: number): Outcome;
  epochEnd(epoch: number, logs: Logs): Outcome;
  trainBatchBegin(step: number): Outcome;
  trainBatchEnd(step: number, logs: () => Logs): Outcome;
  testBegin(): Outcome;
  testEnd(logs: Logs): Outcome;
  testBatchBegin(step: number): Outcome;
  testBatchEnd(step: number, logs: () => Logs): Outcome;
}

/** Asks the loop to stop after the current step. */
export interface StopSignal {
  stopTraining: boolean;
  /** Set when it was Ctrl-C that asked. */
  interrupted?: boolean;
}

/**
 * Hands out the batches of one epoch after another. With a fixed number of steps per epoch the pass goes on where the last epoch left it;
 * otherwise every epoch is one pass.
 */
export class EpochFeeder {
  /** Steps per epoch; known after the first pass at the latest. */
  steps: number | undefined;
  private readonly source: BatchSource;
  private readonly fixedSteps: number | undefined;
  private readonly warn: (message: string) => void;
  private iterator: Iterator<Batch> | AsyncIterator<Batch> | undefined;
  private passes = 0;
  /** Set when a later pass gave nothing at all: the source cannot be read again. */
  exhausted = false;

  constructor(source: BatchSource, fixedSteps: number | undefined, warn: (message: string) => void) {
    this.source = source;
    this.fixedSteps = fixedSteps;
    this.steps = fixedSteps ?? source.steps;
    this.warn = warn;
  }

  /** Starts over: the next epoch begins a new pass. */
  reset(): void {
    this.iterator = undefined;
  }

  async *epoch(): AsyncGenerator<Batch> {
    if (this.fixedSteps === undefined || !this.iterator) this.iterator = this.source.batches();
    const limit = this.fixedSteps ?? Number.POSITIVE_INFINITY;
    let step = 0;
    for (; step < limit; step++) {
      const pending = this.iterator.next();
      const next = pending instanceof Promise ? await pending : pending;
      if (next.done) {
        this.iterator = undefined;
        break;
      }
      yield next.value;
    }
    if (step === 0) {
      if (this.passes === 0) throw new DataError("the data gave no batch at all: there is nothing to work on.");
      this.exhausted = true;
    }
    this.passes++;
    const short = this.fixedSteps !== undefined && step < this.fixedSteps;
    if (step === 0 || short) {
      this.warn(
        `the data ran out after ${step}${this.fixedSteps === undefined ? "" : ` of ${this.fixedSteps}`} steps of an epoch. Give an iterable that can be ` +
          "read again, a function that returns a new one, or fewer steps per epoch.",
      );
    }
    this.steps ??= step;
  }
}

/** Where an interrupted training goes on: so many steps of an epoch are done. */
export interface ResumePoint {
  readonly epoch: number;
  /** Batches of that epoch that are done; they are drawn again, so that the order goes on, but not trained. */
  readonly step: number;
  /** Called between the skipped batches and the first trained one. */
  readonly restore?: () => void;
}

export interface FitLoopOptions {
  readonly initialEpoch: number;
  readonly epochs: number;
  readonly feeder: EpochFeeder;
  /** Validation data, and the epochs (counted from 1) after which it is used. */
  readonly validation?: { readonly feeder: EpochFeeder; readonly due: (epoch: number) => boolean };
  readonly events: LoopEvents;
  readonly stop: StopSignal;
  /** Asked once, after the hooks of the beginning. */
  readonly resume?: () => ResumePoint | undefined;
}

/**
 * Trains for some epochs. Ctrl-C ends it after the current step: the end hooks run and what was trained stays. Returns whether that happened.
 */
export async function runFit(trainable: Trainable, options: FitLoopOptions): Promise<{ interrupted: boolean }> {
  const { feeder, validation, events, stop } = options;
  const breather = new Breather();
  const interrupts = watchInterrupts(() => {
    stop.stopTraining = true;
    stop.interrupted = true;
  });
  let finalLogs: Logs = {};
  try {
    await events.trainBegin();
    let resume = options.resume?.();
    for (let epoch = resume?.epoch ?? options.initialEpoch; epoch < options.epochs && !stop.stopTraining; epoch++) {
      trainable.resetMetrics();
      await events.epochBegin(epoch);
      let step = 0;
      const skipped = resume?.step ?? 0;
      if (skipped === 0) resume?.restore?.();
      for await (const batch of feeder.epoch()) {
        if (step < skipped) {
          if (++step === skipped) resume?.restore?.();
          continue;
        }
        await events.trainBatchBegin(step);
        trainable.trainBatch(batch);
        await events.trainBatchEnd(step, () => trainable.readLogs());
        step++;
        await breather.pause();
        if (stop.stopTraining) break;
      }
      resume = undefined;
      if (feeder.exhausted) break;
      finalLogs = trainable.readLogs();
      if (interrupts.interrupted) break;
      if (validation?.due(epoch + 1)) {
        const values = await runEvaluation(trainable, validation.feeder, events, breather, stop);
        for (const [name, value] of Object.entries(values)) finalLogs[`val_${name}`] = value;
        if (interrupts.interrupted) break;
      }
      await events.epochEnd(epoch, finalLogs);
    }
    await events.trainEnd(finalLogs);
  } finally {
    interrupts.stop();
  }
  return { interrupted: interrupts.interrupted };
}

/** One pass over the data with loss and metrics, nothing written to weights. */
export async function runEvaluation(
  trainable: Trainable,
  feeder: EpochFeeder,
  events: LoopEvents,
  breather = new Breather(),
  stop?: StopSignal,
): Promise<Logs> {
  const stoppedBefore = stop?.stopTraining ?? false;
  await events.testBegin();
  trainable.resetMetrics();
  feeder.reset();
  let step = 0;
  for await (const batch of feeder.epoch()) {
    await events.testBatchBegin(step);
    trainable.testBatch(batch);
    await events.testBatchEnd(step, () => trainable.readLogs());
    step++;
    await breather.pause();
    // Ctrl-C ends a validation too; a callback that stops training still gets its last validation.
    if (stop?.stopTraining && !stoppedBefore) break;
  }
  const logs = trainable.readLogs();
  await events.testEnd(logs);
  return logs;
}
