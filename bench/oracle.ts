/** Validation where no peer is: this framework's f64 interpreter, a process of its own, computes what it can of a workload. */
import { assignmentOf, type Task } from "./compare.ts";
import { WorkerProcess } from "./worker-process.ts";

/** What was held against the oracle. */
export interface OracleCheck {
  /** The part that was compared, in words. */
  readonly about: string;
  readonly expected: readonly number[];
  readonly computed: readonly number[];
}

/** The oracle's process, started when it is first needed. */
export class Oracle {
  #worker: WorkerProcess | undefined;

  /** Has the oracle and the contender that is timed compute the same part of a task, for which the contender has been set up. */
  async check(contender: WorkerProcess, task: Task): Promise<OracleCheck> {
    this.#worker ??= new WorkerProcess("oracle", 1);
    const asked = assignmentOf(task);
    const { about, check: expected } = await this.#worker.part(asked);
    const { check: computed } = await contender.part(asked);
    return { about, expected, computed };
  }

  close(): void {
    this.#worker?.close();
  }
}
