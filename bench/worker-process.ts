import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ArgumentError, TriviumError } from "../src/errors.ts";
import { builtWorker } from "./built-worker.ts";
import type { TimedStep } from "./step-profile.ts";

/** What a contender runs: one workload at one batch size in one setting. */
export interface Assignment {
  /** Suite that the workload belongs to (default train). */
  readonly suite?: string;
  readonly workload: string;
  readonly batch: number;
  readonly setting: string;
  /** Steps before the first round (default 3). */
  readonly warmup?: number;
}

/** Answer to a setup. */
export interface Readiness {
  /** Losses of the first steps without dropout, or what was computed: equal for contenders that do the same work. */
  readonly check: readonly number[];
  /** Why this contender cannot run the assignment on this machine; the others go on. */
  readonly unavailable?: string;
}

/** Answer to a round of steps. */
export interface Round {
  readonly seconds: number;
  /** Processor seconds that the contender's process took. */
  readonly cpu: number;
}

/** Answer to a question for a part of a workload. */
export interface PartResult {
  /** The part in words. */
  readonly about: string;
  readonly check: readonly number[];
}

/** A contender that failed by itself at what it was asked to do; `reason` is one line. */
export class ContenderError extends TriviumError {
  readonly reason: string;
  constructor(contender: string, text: string) {
    super(`bench: ${contender}: ${text}`);
    this.reason = oneLine(text);
  }
}

const longest = 200;

/** The first line of a text that says something. */
export function oneLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  const line = lines.find((candidate) => candidate !== "") ?? "";
  return line.length > longest ? `${line.slice(0, longest)} …` : line;
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

/** The program that answers for a contender; `oracle` is this framework in f64, without machine code. */
function commandOf(name: string): [file: string, args: string[]] {
  if (name === "trivium" || name === "oracle") return [process.execPath, [builtWorker()]];
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

type Answer = Readonly<Record<string, unknown>>;

/** One life of a contender's process: requests and answers are lines, in order. */
class Conversation {
  readonly child: ChildProcess;
  /** What the contender says of itself before the first request. */
  readonly greeting: Promise<Answer>;
  readonly #name: string;
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (problem: Error) => void }[] = [];
  #complaints = "";
  /** Why no more answers will come. */
  ended: ContenderError | undefined;

  constructor(name: string, threads: number) {
    this.#name = name;
    const [file, args] = commandOf(name);
    const count = String(threads);
    this.child = spawn(file, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        ...{ TRIVIUM_THREADS: count, OMP_NUM_THREADS: count, TRIVIUM_BENCH_THREADS: count },
        ...(name === "oracle" && { TRIVIUM_TARGET: "reference" }),
      },
    });
    this.child.stderr!.on("data", (chunk) => {
      this.#complaints = (this.#complaints + chunk).slice(-2000);
    });
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      const asker = this.#waiting.shift();
      try {
        asker?.resolve(JSON.parse(line) as Answer);
      } catch {
        asker?.reject(new ContenderError(name, `answered what is not JSON: ${line.slice(0, 200)}`));
      }
    });
    // a process that ends while it is written to: its end says more than the broken pipe
    this.child.stdin!.on("error", () => {});
    this.child.on("error", (problem) => this.#end(problem.message));
    this.child.on("close", (code, signal) => {
      const lines = this.#complaints.trim().split("\n");
      const last = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1)!;
      this.#end(`ended ${signal === null ? `with code ${code}` : `by ${signal}`}${last === "" ? "" : `: ${last}`}`);
    });
    this.greeting = this.#next();
    this.greeting.catch(() => {}); // seen by whoever asks first
  }

  #end(reason: string): void {
    this.ended ??= new ContenderError(this.#name, reason);
    for (const { reject } of this.#waiting.splice(0)) reject(this.ended);
  }

  #next(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.ended) reject(this.ended);
      else this.#waiting.push({ resolve, reject });
    });
  }

  ask(request: object): Promise<Answer> {
    const answer = this.#next();
    this.child.stdin!.write(`${JSON.stringify(request)}\n`);
    return answer;
  }
}

/**
 * A contender as a process that answers requests, one line of JSON each (bench/peers/worker.py states the protocol).
 * It stays between rounds, so that warm caches, compiled programs and thread pools are everyone's. One that ended is started again by the next
 * `setup`: what it failed at is not what else it is asked to do.
 *
 * @throws ArgumentError when it cannot be started at all: no interpreter, a package that is missing.
 * @throws ContenderError when it fails at a request.
 */
export class WorkerProcess {
  readonly name: string;
  readonly #threads: number;
  #conversation: Conversation;

  constructor(name: string, threads: number) {
    this.name = name;
    this.#threads = threads;
    this.#conversation = new Conversation(name, threads);
  }

  get pid(): number {
    return this.#conversation.child.pid!;
  }

  /** Versions of what the contender runs on. */
  async versions(): Promise<Readonly<Record<string, string>>> {
    const { missing, versions } = await this.#conversation.greeting.catch((problem: ContenderError): Answer => {
      return { missing: problem.reason };
    });
    if (typeof missing === "string") {
      const [file] = commandOf(this.name);
      throw new ArgumentError(`${this.name} cannot be started with ${file}: ${missing}`);
    }
    return versions as Readonly<Record<string, string>>;
  }

  async #ask(request: object): Promise<Answer> {
    await this.versions();
    const answer = await this.#conversation.ask(request);
    if (typeof answer.error === "string") throw new ContenderError(this.name, answer.error);
    return answer;
  }

  /** Makes an assignment ready (built, compared numbers computed, warmed up) or switches to one that is. */
  async setup(assignment: Assignment): Promise<Readiness> {
    if (this.#conversation.ended) this.#conversation = new Conversation(this.name, this.#threads);
    return (await this.#ask({ do: "setup", ...assignment })) as unknown as Readiness;
  }

  async round(steps: number): Promise<Round> {
    return (await this.#ask({ do: "round", steps })) as unknown as Round;
  }

  /** Drops the workloads that were set up, and their memory. */
  async forget(): Promise<void> {
    if (!this.#conversation.ended) await this.#ask({ do: "forget" });
  }

  /** What the process holds, in bytes: `rss` now, `growth` at most during the first steps of the last new setup; and Trivium's engine statistics. */
  async statistics(): Promise<Readonly<Record<string, number>>> {
    return (await this.#ask({ do: "statistics" })) as Readonly<Record<string, number>>;
  }

  /** Time per kernel of so many steps right after one another; Trivium only. */
  async profile(steps: number): Promise<readonly TimedStep[]> {
    return (await this.#ask({ do: "profile", steps })).steps as TimedStep[];
  }

  /** The part of a workload that the oracle can compute; Trivium, after a setup, and the oracle only. */
  async part(asked: Pick<Assignment, "suite" | "workload" | "batch">): Promise<PartResult> {
    return (await this.#ask({ do: "part", ...asked })) as unknown as PartResult;
  }

  close(): void {
    this.#conversation.child.stdin!.end(`${JSON.stringify({ do: "close" })}\n`);
  }
}
