import { ProgressBar } from "../../train/progress-bar.ts";
import { Callback, type CallbackParams, type Logs } from "./callback.ts";

/** The values are averages over the epoch already, so the bar shows all of them as they are. */
class AllNames extends Set<string> {
  override has(): boolean {
    return true;
  }
}

/** Shows progress on standard output: a bar (verbose 1) or a line per epoch (verbose 2). Values are read only when something is drawn. */
export class ProgbarLogger extends Callback {
  private bar: ProgressBar | undefined;
  private verbose: 0 | 1 | 2 = 1;
  private epochs = 1;
  private target: number | undefined;
  private seen = 0;
  private training = false;

  override setParams(params: CallbackParams): void {
    super.setParams(params);
    this.verbose = params.verbose === "auto" ? 1 : params.verbose;
    this.epochs = params.epochs;
    this.target = params.steps ?? undefined;
  }
  private start(): void {
    this.seen = 0;
    this.bar = new ProgressBar({ target: this.target, verbose: this.verbose, statefulMetrics: new AllNames() });
  }
  private step(step: number, logs: () => Logs): void {
    this.seen = step + 1;
    this.bar?.update(this.seen, this.bar.wouldDraw() ? Object.entries(logs()) : []);
  }
  private finish(logs: Logs): void {
    this.target ??= this.seen;
    this.bar?.finish(this.seen, Object.entries(logs));
    this.bar = undefined;
  }

  override onTrainBegin(): void {
    this.training = true;
  }
  override onTrainEnd(): void {
    this.training = false;
    this.abandon();
  }
  override onEpochBegin(epoch: number): void {
    this.start();
    if (this.verbose > 0 && this.epochs > 1) process.stdout.write(`Epoch ${epoch + 1}/${this.epochs}\n`);
  }
  override onEpochEnd(_epoch: number, logs: Logs = {}): void {
    this.finish(logs);
  }
  override onTestBegin(): void {
    if (!this.training) this.start();
  }
  override onTestEnd(logs: Logs = {}): void {
    if (!this.training) this.finish(logs);
  }
  override onPredictBegin(): void {
    this.start();
  }
  override onPredictEnd(): void {
    this.finish({});
  }
  trainStep(step: number, logs: () => Logs): void {
    this.step(step, logs);
  }
  testStep(step: number, logs: () => Logs): void {
    if (!this.training) this.step(step, logs);
  }
  /** Ends an unfinished bar with a new line. */
  abandon(): void {
    this.bar?.abandon();
    this.bar = undefined;
  }
}
