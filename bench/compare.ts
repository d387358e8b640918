/** Contenders in turns on the same work: validated first, then timed A B A B …, so that drift of the machine hits all alike. */
import { TriviumError } from "../src/errors.ts";
import type { Work } from "../src/targets/roofline.ts";
import { type LimitTracker, watchLoad } from "./machine.ts";
import type { Comparison, Contestant } from "./rows.ts";
import { summarize } from "./statistics.ts";
import type { WorkerProcess } from "./worker-process.ts";

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

/** One turn: enough steps for `roundSeconds`, as many as last time's pace needs. */
async function turn(contender: Contender, task: Task, { threads, roundSeconds }: TimingOptions): Promise<void> {
  const { worker, setting } = contender;
  const { suite, workload, assignment = workload, batch } = task;
  await worker.setup({ suite, workload: assignment, batch, setting, threads });
  if (!contender.alone) await pause(settleMilliseconds);
  const load = watchLoad();
  const { seconds, cpu } = await worker.round(contender.steps);
  if (load.other(cpu) > 0.1) contender.loaded = true;
  contender.throughputs.push((contender.steps * task.unitsPerStep) / seconds);
  contender.steps = Math.max(1, Math.ceil((roundSeconds * contender.steps) / seconds));
}

/** Two turns find a contender's pace, because the first is a single step; one does where a step is a round's time already. */
async function findPace(contender: Contender, task: Task, options: TimingOptions): Promise<void> {
  await turn(contender, task, options);
  if (contender.steps > 1) await turn(contender, task, options);
}

/** Sets every contender up in each of its settings; those that this machine cannot run are named and left out. */
async function enlist(
  workers: readonly WorkerProcess[],
  task: Task,
  { threads, say }: TimingOptions,
  versions: Record<string, string>,
): Promise<Contender[]> {
  const { suite, workload, assignment = workload, batch } = task;
  const contenders: Contender[] = [];
  for (const worker of workers) {
    for (const setting of task.settings[worker.name] ?? ["default"]) {
      const ready = await worker.setup({ suite, workload: assignment, batch, setting, threads });
      if (ready.unavailable !== undefined) {
        say(`${workload} batch ${batch}: ${worker.name} ${setting} left out: ${ready.unavailable}`);
        continue;
      }
      Object.assign(versions, ready.versions);
      const own = { throughputs: [], loaded: false, steps: 1, alone: workers.length === 1 };
      contenders.push({ ...own, worker, peer: worker.name, setting, check: ready.check });
    }
  }
  return contenders;
}

function validate(contenders: readonly Contender[], { suite, workload, batch, tolerance }: Task): void {
  const [first] = contenders;
  for (const { peer, setting, check } of contenders) {
    const difference = differenceOf(first!.check, check);
    if (difference <= tolerance) continue;
    const head = (values: readonly number[]) => values.slice(0, 3).join(" ");
    throw new TriviumError(
      `bench: ${suite} ${workload}, batch ${batch}: ${peer} ${setting} computes ${head(check)} …, ${first!.peer} ${head(first!.check)} … ` +
        `(relative difference ${difference.toPrecision(3)}, at most ${tolerance}): not the same work.`,
    );
  }
}

/** A comparison that is over: what rows are made of once the run's best measurement of the limits is known. */
export interface Outcome {
  readonly comparison: Comparison;
  readonly contestants: readonly Contestant[];
}

/** Compares contenders on one task; `versions` takes up what the peers say about theirs. */
export async function compare(
  workers: readonly WorkerProcess[],
  task: Task,
  options: TimingOptions,
  versions: Record<string, string>,
): Promise<Outcome | undefined> {
  const contenders = await enlist(workers, task, options, versions);
  if (contenders.length === 0) return undefined;
  validate(contenders, task);
  for (const contender of contenders) await findPace(contender, task, options);
  for (const contender of contenders) Object.assign(contender, { throughputs: [], loaded: false });
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of contenders) await turn(contender, task, options);
  }
  const { workload, shape, batch, unit } = task;
  const label = shape === undefined ? `${workload} batch ${batch}` : `${workload} ${shape}`;
  for (const { peer, setting, throughputs, loaded } of contenders) {
    const { median, min, max } = summarize(throughputs);
    const mark = loaded ? " loaded" : "";
    options.say(`${label}: ${peer} ${setting} ${median} ${unit} (${min}-${max})${mark}`);
  }
  const { threads, heldTo } = options;
  return { comparison: { ...task, threads, ...(heldTo !== undefined && { heldTo }) }, contestants: contenders };
}
