import { closeSync, existsSync, openSync, statSync, writeSync } from "node:fs";
import { DataError } from "../../errors.ts";
import { checkOptions } from "../options.ts";
import { Callback, type Logs } from "./callback.ts";

export interface CSVLoggerOptions {
  readonly separator?: string;
  /** Go on with a file that exists. */
  readonly append?: boolean;
}

/** Writes the values of each epoch as a line of a CSV file: epoch, then the metrics in alphabetical order. */
export class CSVLogger extends Callback {
  readonly filename: string;
  private readonly separator: string;
  private readonly append: boolean;
  private file: number | undefined;
  private keys: string[] | undefined;
  private needsHeader = true;

  constructor(filename: string, options: CSVLoggerOptions = {}) {
    super();
    checkOptions("CSVLogger", options, ["separator", "append"]);
    this.filename = filename;
    this.separator = options.separator ?? ",";
    this.append = options.append ?? false;
  }
  override onTrainBegin(): void {
    this.close();
    this.keys = undefined;
    this.needsHeader = !(this.append && existsSync(this.filename) && statSync(this.filename).size > 0);
    try {
      this.file = openSync(this.filename, this.append ? "a" : "w");
    } catch (cause) {
      throw new DataError(`CSVLogger: cannot write ${this.filename}.`, { cause });
    }
  }
  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    if (!this.keys) {
      this.keys = Object.keys(logs).sort();
      // Validation may come only in some epochs: its columns are there from the start.
      if (!this.keys.some((key) => key.startsWith("val_"))) this.keys.push(...this.keys.map((key) => `val_${key}`));
      if (this.needsHeader) this.write(["epoch", ...this.keys]);
      this.needsHeader = false;
    }
    this.write([String(epoch), ...this.keys.map((key) => (logs[key] === undefined ? "NA" : String(logs[key])))]);
  }
  override onTrainEnd(): void {
    this.close();
  }
  private write(cells: readonly string[]): void {
    const { separator } = this;
    const quoted = cells.map((cell) =>
      cell.includes(separator) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
    );
    if (this.file !== undefined) writeSync(this.file, `${quoted.join(separator)}\r\n`);
  }
  private close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }
}
