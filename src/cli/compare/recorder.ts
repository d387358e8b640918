/** What a program of the comparison reports while it runs: means and times of its epochs, its progress, and whether it should stop. */
import { Breather } from "../../train/breather.ts";
import { type InterruptWatch, watchInterrupts } from "../../train/interrupt.ts";
import { ProgressBar } from "../../train/progress-bar.ts";

/** Ctrl-C was pressed. */
export class Interrupted extends Error {}

/** One epoch. `seconds` is the time of its training steps with their data; validation comes on top. */
export interface EpochRow {
  readonly loss: number;
  /** `undefined` where a program does not count it. */
  readonly accuracy: number | undefined;
  readonly valLoss: number;
  readonly valAccuracy: number;
  readonly seconds: number;
}

/** Sums over batches, weighted by their size. */
class Means {
  private loss = 0;
  private correct = 0;
  private count = 0;
  add(loss: number, count: number, correct: number): void {
    this.loss += loss * count;
    this.correct += correct;
    this.count += count;
  }
  get meanLoss(): number {
    return this.loss / this.count;
  }
  get accuracy(): number {
    return this.correct / this.count;
  }
}

/** Collects the epochs of one program. */
export class Recorder {
  readonly epochs: EpochRow[] = [];
  /** Losses of all training batches. */
  readonly losses: number[] = [];
  private readonly total: number;
  private readonly steps: number;
  private readonly watch: InterruptWatch;
  private readonly breather = new Breather();
  private training = new Means();
  private testing = new Means();
  private bar: ProgressBar | undefined;
  private started = 0;
  private trained: number | undefined;
  private step = 0;

  constructor(epochs: number, steps: number) {
    this.total = epochs;
    this.steps = steps;
    this.watch = watchInterrupts(() => undefined);
  }

  /** An epoch begins. With `quiet`, somebody else shows its progress. */
  begin(options: { readonly quiet?: boolean } = {}): void {
    this.check();
    this.training = new Means();
    this.testing = new Means();
    this.trained = undefined;
    this.step = 0;
    if (!options.quiet) {
      process.stdout.write(`Epoch ${this.epochs.length + 1}/${this.total}\n`);
      this.bar = new ProgressBar({ target: this.steps });
    }
    this.started = performance.now();
  }
  /** A training batch is done: its mean loss, its size, and how many of it were right where that is counted. */
  async trainBatch(loss: number, count = 1, correct = Number.NaN): Promise<void> {
    this.losses.push(loss);
    this.training.add(loss, count, correct);
    this.bar?.update(++this.step, [["loss", loss]]);
    await this.breather.pause();
    this.check();
  }
  /** A validation batch is done. The first one ends the training of the epoch. */
  async testBatch(loss: number, count: number, correct: number): Promise<void> {
    this.trainingEnds();
    this.testing.add(loss, count, correct);
    await this.breather.pause();
    this.check();
  }
  /** The training of the epoch is over, validation follows. */
  trainingEnds(): void {
    this.trained ??= (performance.now() - this.started) / 1000;
  }
  /** The epoch is over; values given here stand instead of the means over batches. */
  end(given: Partial<EpochRow> = {}): void {
    this.trainingEnds();
    const { training, testing } = this;
    const accuracy = Number.isNaN(training.accuracy) ? undefined : training.accuracy;
    const row: EpochRow = {
      loss: training.meanLoss,
      accuracy,
      valLoss: testing.meanLoss,
      valAccuracy: testing.accuracy,
      seconds: this.trained as number,
      ...given,
    };
    this.epochs.push(row);
    const shown: [string, number][] = [
      ...(row.accuracy === undefined ? [] : ([["accuracy", row.accuracy]] as [string, number][])),
      ["loss", row.loss],
      ["val_accuracy", row.valAccuracy],
      ["val_loss", row.valLoss],
    ];
    this.bar?.finish(this.step, shown);
    this.bar = undefined;
  }
  /** Ends the watch for Ctrl-C, and a bar that was not finished. */
  close(): void {
    this.bar?.abandon();
    this.watch.stop();
  }
  /** @throws Interrupted after Ctrl-C. */
  check(): void {
    if (this.watch.interrupted) throw new Interrupted();
  }
}
