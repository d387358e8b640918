import { ArgumentError } from "../../errors.ts";
import { Callback, type Logs } from "./callback.ts";

export type MonitorMode = "auto" | "min" | "max";

/** Base of callbacks that watch one value and ask whether it got better. */
export abstract class MonitorCallback extends Callback {
  readonly monitor: string;
  protected best: number | undefined;
  private readonly mode: MonitorMode;
  private readonly minDelta: number;
  private better: ((value: number, reference: number) => boolean) | undefined;

  constructor(monitor: string, mode: MonitorMode, minDelta: number, best?: number) {
    super();
    if (!["auto", "min", "max"].includes(mode)) {
      throw new ArgumentError(`${new.target.name}: mode must be "auto", "min" or "max", received "${mode}".`);
    }
    this.monitor = monitor;
    this.mode = mode;
    this.minDelta = Math.abs(minDelta);
    this.best = best;
  }

  /** Whether a value is better than another by more than the least change; anything is better than nothing. */
  protected improves(value: number, reference: number | undefined): boolean {
    this.better ??= this.comparison();
    return reference === undefined || this.better(value, reference);
  }

  private comparison(): (value: number, reference: number) => boolean {
    const { minDelta } = this;
    const less = (value: number, reference: number) => value + minDelta < reference;
    const more = (value: number, reference: number) => value - minDelta > reference;
    if (this.mode === "min") return less;
    if (this.mode === "max") return more;
    const name = this.monitor.replace(/^val_/, "");
    if (name === "loss") return less;
    const direction = this.model.metrics.find((metric) => metric.name === name)?.direction;
    if (direction === "up") return more;
    if (direction === "down") return less;
    throw new ArgumentError(
      `${this.constructor.name}: whether more or less of "${this.monitor}" is better is not known; pass mode: "max" or mode: "min".`,
    );
  }

  /** The watched value, with a warning where it is missing. */
  protected watched(logs: Logs, purpose: string): number | undefined {
    const value = logs[this.monitor];
    if (value === undefined) {
      console.warn(
        `${purpose} conditioned on metric \`${this.monitor}\` which is not available. Available metrics are: ${Object.keys(logs).join(",")}`,
      );
    }
    return value;
  }
}
