import { DataError } from "../../errors.ts";

/** An error as it crosses threads. */
export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** The example that was being made, where known. */
  readonly index?: number;
}

/** A data set failed inside a worker: the message holds the stack of the error as it was thrown there. The loop ends and the workers stop. */
export class DatasetError extends DataError {
  readonly workerId: number;
  /** Position of the example that failed, where known. */
  readonly index: number | undefined;
  /** Stack of the error in the worker. */
  readonly workerStack: string;

  constructor(workerId: number, report: ErrorReport) {
    const where = report.index === undefined ? "" : ` at example ${report.index}`;
    super(
      `DataLoader: ${report.name} in worker ${workerId}${where}: ${report.message}\nIn the worker:\n${report.stack}`,
    );
    this.workerId = workerId;
    this.index = report.index;
    this.workerStack = report.stack;
  }
}

export function reportError(error: unknown, index?: number): ErrorReport {
  if (error instanceof Error) {
    return { name: error.name, message: error.message, stack: error.stack ?? String(error), index };
  }
  return { name: "Error", message: String(error), stack: String(error), index };
}
