import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ArgumentError, TriviumError } from "../src/errors.ts";
import type { StepTiming } from "../src/targets/target.ts";

/** What a contender runs: one workload at one batch size in one setting. */
export interface Assignment {
  /** Suite that the workload belongs to (default train). */
  readonly suite?: string;
  readonly workload: string;
  readonly batch: number;
  readonly setting: string;
  readonly threads: number;
  /** Steps before the first round (default 3). */
  readonly warmup?: number;
}

/** Answer to a setup. */
export interface Readiness {
  /** Losses of the first steps without dropout, or what was computed: equal for contenders that do the same work. */
  readonly check: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
  /** Why this contender cannot run the assignment on this machine; the others go on. */
  readonly unavailable?: string;
}

/** Answer to a round of steps. */
export interface Round {
  readonly seconds: number;
  /** Processor seconds that the contender's process took. */
  readonly cpu: number;
}

const here = fileURLToPath(new URL(".", import.meta.url));

/** The interpreter that has the peers: `TRIVIUM_PYTHON`, or what bench/peers/setup made. */
export function pythonInterpreter(): string {
  const named = process.env.TRIVIUM_PYTHON;
  const made = `${here}peers/.venv/bin/python`;
  const chosen = named ?? made;
  if (!existsSync(chosen)) {
    throw new ArgumentError(
      named === undefined
        ? "no Python with the peers: run bench/peers/setup, or name an interpreter that has them in TRIVIUM_PYTHON."
        : `TRIVIUM_PYTHON names ${named}, which does not exist.`,
    );
  }
  return chosen;
}

/** The program that answers for a contender. */
function commandOf(name: string): [file: string, args: string[]] {
  if (name === "trivium") return [process.execPath, ["--import", "tsx", `${here}trivium-worker.ts`]];
  if (name === "tfjs") return [process.execPath, ["--import", "tsx", tfjsWorker()]];
  return [pythonInterpreter(), [`${here}peers/worker.py`, name]];
}

/** The worker of TensorFlow.js, which finds its packages where bench/peers/setup puts them. */
function tfjsWorker(): string {
  if (!existsSync(`${here}peers/node_modules/@tensorflow/tfjs`)) {
    throw new ArgumentError("TensorFlow.js is not installed: run bench/peers/setup.");
  }
  return `${here}peers/tfjs-worker.ts`;
}

/**
 * A contender as a process that answers requests, one line of JSON each (bench/peers/worker.py states the protocol).
 * It stays between rounds, so that warm caches, compiled programs and thread pools are everyone's.
 */
export class WorkerProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiting: { resolve: (answer: Record<string, unknown>) => void; reject: (problem: Error) => void }[] = [];
  #complaints = "";
  /** Why no more answers will come. */
  #ended: TriviumError | undefined;

  constructor(name: string, threads: number) {
    this.name = name;
    const [file, args] = commandOf(name);
    this.#child = spawn(file, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, TRIVIUM_THREADS: String(threads), OMP_NUM_THREADS: String(threads) },
    });
    this.#child.stderr!.on("data", (chunk) => {
      this.#complaints = (this.#complaints + chunk).slice(-2000);
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.#waiting.shift()?.resolve(JSON.parse(line) as Record<string, unknown>);
    });
    this.#child.on("exit", (code) => {
      this.#ended = new TriviumError(`bench: ${name} ended with code ${code}\n${this.#complaints}`);
      for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async #ask(request: Record<string, unknown>): Promise<Record<string, unknown>> {
    if (this.#ended) throw this.#ended;
    const answer = await new Promise<Record<string, unknown>>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    });
    if (typeof answer.error === "string") throw new TriviumError(`bench: ${this.name}: ${answer.error}`);
    return answer;
  }

  /** Makes an assignment ready (built, compared numbers computed, warmed up) or switches to one that is. */
  async setup(assignment: Assignment): Promise<Readiness> {
    return (await this.#ask({ do: "setup", ...assignment })) as unknown as Readiness;
  }

  async round(steps: number): Promise<Round> {
    return (await this.#ask({ do: "round", steps })) as unknown as Round;
  }

  /** Drops the workloads that were set up, and their memory. */
  async forget(): Promise<void> {
    await this.#ask({ do: "forget" });
  }

  /** What the process holds, in bytes: `rss` now, `growth` at most during the first steps of the last new setup; and Trivium's engine statistics. */
  async statistics(): Promise<Readonly<Record<string, number>>> {
    return (await this.#ask({ do: "statistics" })) as Readonly<Record<string, number>>;
  }

  /** Time per kernel of one step; Trivium only. */
  async profile(): Promise<readonly StepTiming[]> {
    return (await this.#ask({ do: "profile" })).kernels as StepTiming[];
  }

  close(): void {
    this.#child.stdin!.end(`${JSON.stringify({ do: "close" })}\n`);
  }
}
