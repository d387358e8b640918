/** Contenders in turns on the same work: validated first, then timed A B A B …, so that drift of the machine hits all alike. */
import { TriviumError } from "../src/errors.ts";
import type { Work } from "../src/targets/roofline.ts";
import { type LimitTracker, watchLoad } from "./machine.ts";
import type { Oracle } from "./oracle.ts";
import type { Comparison, Contestant, LeftOut } from "./rows.ts";
import { summarize } from "./statistics.ts";
import type { TimedStep } from "./step-profile.ts";
import { ContenderError, type WorkerProcess } from "./worker-process.ts";

/** How contenders are timed, the same for every workload of a run. */
export interface TimingOptions {
  readonly threads: number;
  readonly rounds: number;
  /** Least seconds of one contender's turn. */
  readonly roundSeconds: number;
  readonly limits: LimitTracker;
  /** Recorded in the rows; see `holdToAvx2`. */
  readonly heldTo?: "AVX2";
  readonly say: (text: string) => void;
}

/** One workload at one batch size. */
export interface Task {
  readonly suite: string;
  readonly workload: string;
  /** Name by which the workers know it, where the report has another. */
  readonly assignment?: string;
  readonly shape?: string;
  readonly batch: number;
  /** What a throughput counts, and how many of it a step has. */
  readonly unit: string;
  readonly unitsPerStep: number;
  readonly work?: Work;
  /** Steps of this framework that are timed kernel by kernel after each of its turns. */
  readonly profiledSteps?: number;
  /** Settings in which a contender runs it; one that is absent has a single one, `default`. */
  readonly settings: Readonly<Record<string, readonly string[] | undefined>>;
  /** Largest difference of two results, relative to the largest number among them. */
  readonly tolerance: number;
}

/** Thread pools of the peers spin for a while after their turn; the next contender starts after that. */
const settleMilliseconds = 300;

interface Contender extends Contestant {
  readonly worker: WorkerProcess;
  /** Whether nobody else's threads could still be spinning. */
  readonly alone: boolean;
  throughputs: number[];
  profiles: (readonly TimedStep[])[];
  loaded: boolean;
  steps: number;
  readonly check: readonly number[];
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Largest difference of two lists of numbers, relative to the largest number of the first; infinite where they cannot be compared. */
export function differenceOf(left: readonly number[], right: readonly number[]): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  let [difference, scale] = [0, 0];
  for (const [index, value] of left.entries()) {
    difference = Math.max(difference, Math.abs(value - right[index]!));
    scale = Math.max(scale, Math.abs(value));
  }
  if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
  return difference === 0 ? 0 : difference / scale;
}

/** What a worker is asked to set up for a task. */
export const assignmentOf = ({ suite, workload, assignment = workload, batch }: Task) => ({
  suite,
  workload: assignment,
  batch,
});

/** One turn: enough steps for `roundSeconds`, as many as last time's pace needs. */
async function turn(contender: Contender, task: Task, { roundSeconds }: TimingOptions): Promise<void> {
  const { worker, setting } = contender;
  await worker.setup({ ...assignmentOf(task), setting });
  if (!contender.alone) await pause(settleMilliseconds);
  const load = watchLoad();
  const { seconds, cpu } = await worker.round(contender.steps);
  if (load.other(cpu) > 0.1) contender.loaded = true;
  contender.throughputs.push((contender.steps * task.unitsPerStep) / seconds);
  if (task.profiledSteps !== undefined && worker.name === "trivium") {
    contender.profiles.push(await worker.profile(task.profiledSteps));
  }
  contender.steps = Math.max(1, Math.ceil((roundSeconds * contender.steps) / seconds));
}

/** Two turns find a contender's pace, because the first is a single step; one does where a step is a round's time already. */
async function findPace(contender: Contender, task: Task, options: TimingOptions): Promise<void> {
  await turn(contender, task, options);
  if (contender.steps > 1) await turn(contender, task, options);
}

/** A peer's failure in one setting has the reason noted, and the others go on; this framework's own ends the run. */
class Roll {
  readonly leftOut: LeftOut[] = [];
  readonly #task: Task;
  readonly #say: (text: string) => void;

  constructor(task: Task, say: (text: string) => void) {
    this.#task = task;
    this.#say = say;
  }

  strike(peer: string, setting: string, reason: string): void {
    const { suite, workload, shape, batch } = this.#task;
    this.leftOut.push({ suite, workload, ...(shape !== undefined && { shape }), batch, peer, setting, reason });
    this.#say(`${workload} batch ${batch}: ${peer} ${setting} left out: ${reason}`);
  }

  /** Whether the contender did what it was asked for. */
  async survives(peer: string, setting: string, ask: () => Promise<void>): Promise<boolean> {
    try {
      await ask();
      return true;
    } catch (error) {
      if (!(error instanceof ContenderError) || peer === "trivium") throw error;
      this.strike(peer, setting, error.reason);
      return false;
    }
  }

  /** Has each contender do something; gives those that did. */
  async each(contenders: readonly Contender[], ask: (contender: Contender) => Promise<void>): Promise<Contender[]> {
    const left: Contender[] = [];
    for (const contender of contenders) {
      if (await this.survives(contender.peer, contender.setting, () => ask(contender))) left.push(contender);
    }
    return left;
  }
}

/** Sets every contender up in each of its settings. */
async function enlist(workers: readonly WorkerProcess[], task: Task, roll: Roll): Promise<Contender[]> {
  const assignment = assignmentOf(task);
  const contenders: Contender[] = [];
  for (const worker of workers) {
    const peer = worker.name;
    for (const setting of task.settings[peer] ?? ["default"]) {
      await roll.survives(peer, setting, async () => {
        const { unavailable, check } = await worker.setup({ ...assignment, setting });
        if (unavailable !== undefined) return roll.strike(peer, setting, unavailable);
        const own = { throughputs: [], profiles: [], loaded: false, steps: 1, alone: workers.length === 1 };
        contenders.push({ ...own, worker, peer, setting, check });
      });
    }
  }
  return contenders;
}

/** What is wrong where two contenders do not compute the same. */
function disagreement(
  { suite, workload, shape, batch, tolerance }: Task,
  name: string,
  computed: readonly number[],
  against: string,
  expected: readonly number[],
): string | undefined {
  const difference = differenceOf(expected, computed);
  if (difference <= tolerance) return undefined;
  const head = (values: readonly number[]) => values.slice(0, 3).join(" ");
  return (
    `bench: ${suite} ${workload}${shape === undefined ? "" : ` ${shape}`}, batch ${batch}: ${name} computes ${head(computed)} …, ${against} ${head(expected)} … ` +
    `(relative difference ${difference.toPrecision(3)}, at most ${tolerance}): not the same work.`
  );
}

/**
 * Holds contenders against each other; this framework alone against the oracle, and then says which part of the result that was. A further
 * setting of a peer that agrees with another contender in its first one is left out where it does not: it is that setting which is broken.
 */
async function validate(
  contenders: readonly Contender[],
  task: Task,
  oracle: Oracle,
  roll: Roll,
): Promise<{ readonly valid: readonly Contender[]; readonly checked?: string }> {
  const [first, ...others] = contenders;
  const valid = [first!];
  for (const contender of others) {
    const { peer, setting, check } = contender;
    const problem = disagreement(task, `${peer} ${setting}`, check, first!.peer, first!.check);
    if (problem === undefined) valid.push(contender);
    else if (valid.slice(1).some((agreeing) => agreeing.peer === peer)) roll.strike(peer, setting, problem);
    else throw new TriviumError(problem);
  }
  if (first!.peer !== "trivium" || others.length > 0) return { valid };
  await first!.worker.setup({ ...assignmentOf(task), setting: first!.setting });
  const { about, expected, computed } = await oracle.check(first!.worker, task);
  const problem = disagreement(task, "trivium", computed, "the f64 oracle", expected);
  if (problem !== undefined) throw new TriviumError(problem);
  return { valid, checked: about };
}

/** A comparison that is over: what rows are made of once the run's best measurement of the limits is known. */
export interface Outcome {
  readonly comparison: Comparison;
  readonly contestants: readonly Contestant[];
  readonly leftOut: readonly LeftOut[];
}

/** Who takes part in comparisons. */
export interface Field {
  readonly workers: readonly WorkerProcess[];
  readonly oracle: Oracle;
}

/** Compares contenders on one task. */
export async function compare({ workers, oracle }: Field, task: Task, options: TimingOptions): Promise<Outcome> {
  const roll = new Roll(task, options.say);
  const outcome = (contestants: readonly Contestant[], checked?: string): Outcome => {
    const { threads, heldTo } = options;
    const comparison = { ...task, threads, ...(heldTo && { heldTo }), ...(checked && { oracle: checked }) };
    return { comparison, contestants, leftOut: roll.leftOut };
  };
  const enlisted = await enlist(workers, task, roll);
  if (enlisted.length === 0) return outcome([]);
  const { valid, checked } = await validate(enlisted, task, oracle, roll);
  let contenders = await roll.each(valid, (contender) => findPace(contender, task, options));
  for (const contender of contenders) Object.assign(contender, { throughputs: [], profiles: [], loaded: false });
  for (let round = 0; round < options.rounds; round++) {
    contenders = await roll.each(contenders, (contender) => turn(contender, task, options));
  }
  const { workload, shape, batch, unit } = task;
  const label = shape === undefined ? `${workload} batch ${batch}` : `${workload} ${shape}`;
  for (const { peer, setting, throughputs, loaded } of contenders) {
    const { median, min, max } = summarize(throughputs);
    const mark = loaded ? " loaded" : "";
    options.say(`${label}: ${peer} ${setting} ${median} ${unit} (${min}-${max})${mark}`);
  }
  return outcome(contenders, checked);
}
