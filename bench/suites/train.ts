import { TriviumError } from "../../src/errors.ts";
import { flopsPerExample } from "../flop-table.ts";
import { type LimitTracker, watchLoad } from "../machine.ts";
import type { Row } from "../rows.ts";
import { rounded, summarize } from "../statistics.ts";
import { WorkerProcess } from "../worker-process.ts";

/** What the train suite is asked to do. */
export interface TrainOptions {
  readonly peers: readonly string[];
  readonly threads: number;
  readonly rounds: number;
  readonly batches: readonly number[];
  /** Least seconds of one contender's turn. */
  readonly roundSeconds: number;
  readonly trivium: boolean;
  /** Recorded in the rows; see `holdToAvx2`. */
  readonly heldTo?: "AVX2";
  readonly limits: LimitTracker;
  readonly say: (text: string) => void;
}

const settings: Readonly<Record<string, readonly string[]>> = {
  trivium: ["default"],
  torch: ["default", "channels_last"],
  keras: ["default", "no-jit"],
};

/** First-step losses may differ by what summation order does in f32. */
const lossTolerance = 1e-4;
/** Thread pools of the peers spin for a while after their turn; the next contender starts after that. */
const settleMilliseconds = 300;

interface Contender {
  readonly worker: WorkerProcess;
  readonly setting: string;
  readonly throughputs: number[];
  loaded: boolean;
  steps: number;
  loss: number;
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One turn: enough steps for `roundSeconds`, as many as last time's pace needs. */
async function turn(contender: Contender, batch: number, threads: number, roundSeconds: number): Promise<void> {
  const { worker, setting } = contender;
  await worker.setup({ workload: "seeds-cnn", batch, setting, threads });
  await pause(settleMilliseconds);
  const load = watchLoad();
  const { seconds, cpu } = await worker.round(contender.steps);
  if (load.other(cpu) > 0.1) contender.loaded = true;
  contender.throughputs.push((contender.steps * batch) / seconds);
  contender.steps = Math.max(1, Math.ceil((roundSeconds * contender.steps) / seconds));
}

async function compareAt(batch: number, workers: readonly WorkerProcess[], options: TrainOptions): Promise<Row[]> {
  const { threads, rounds, roundSeconds, say } = options;
  const contenders: Contender[] = [];
  for (const worker of workers) {
    for (const setting of settings[worker.name] ?? ["default"]) {
      const { loss } = await worker.setup({ workload: "seeds-cnn", batch, setting, threads });
      contenders.push({ worker, setting, throughputs: [], loaded: false, steps: 2, loss });
    }
  }
  const [first] = contenders;
  for (const { worker, setting, loss } of contenders) {
    if (!(Math.abs(loss - first!.loss) <= lossTolerance * Math.abs(first!.loss))) {
      throw new TriviumError(
        `bench: seeds-cnn, batch ${batch}: first loss of ${worker.name} ${setting} is ${loss}, of ${first!.worker.name} ${first!.loss}: not the same work.`,
      );
    }
  }
  for (const contender of contenders) await turn(contender, batch, threads, roundSeconds); // finds its pace
  for (const contender of contenders) {
    contender.throughputs.length = 0;
    contender.loaded = false;
  }
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) await turn(contender, batch, threads, roundSeconds);
  }
  for (const { worker, setting, throughputs, loaded } of contenders) {
    const { median, min, max } = summarize(throughputs);
    say(
      `seeds-cnn batch ${batch}: ${worker.name} ${setting} ${median} images/s (${min}-${max})${loaded ? " loaded" : ""}`,
    );
  }
  return rowsOf(batch, contenders, options);
}

function rowsOf(batch: number, contenders: readonly Contender[], { threads, heldTo }: TrainOptions): Row[] {
  const trivium = contenders.find(({ worker }) => worker.name === "trivium");
  const medianOf = ({ throughputs }: Contender) => summarize(throughputs).median;
  return contenders
    .filter((contender) => contender !== trivium)
    .map((contender) => {
      const { worker, setting, throughputs } = contender;
      const rivals = contenders.filter((other) => other.worker === worker);
      return {
        suite: "train",
        workload: "seeds-cnn",
        batch,
        threads,
        peer: worker.name,
        setting,
        ...(heldTo !== undefined && { heldTo }),
        better: medianOf(contender) === Math.max(...rivals.map(medianOf)),
        ...(trivium !== undefined && { trivium: summarize(trivium.throughputs) }),
        peerResult: summarize(throughputs),
        ...(trivium !== undefined && {
          ratio: summarize(throughputs.map((value, round) => trivium.throughputs[round]! / value)),
        }),
        unit: "images/s",
        loaded: contender.loaded || (trivium?.loaded ?? false),
      };
    });
}

/** Adds Trivium's share of the FMA peak, once the run's best measurement of the peak is known. */
function withRoofline(row: Row, fmaPeak: number): Row {
  if (row.trivium === undefined) return row;
  const flops = row.trivium.median * flopsPerExample(row.workload, true)!;
  return { ...row, rooflineShare: rounded(flops / (fmaPeak * 1e9)) };
}

/** Training step of the seeds' network against peers, interleaved. */
export async function runTrain(options: TrainOptions): Promise<{ rows: Row[]; versions: Record<string, string> }> {
  const names = [...(options.trivium ? ["trivium"] : []), ...options.peers];
  const workers: WorkerProcess[] = [];
  const versions: Record<string, string> = {};
  const rows: Row[] = [];
  try {
    // a peer that cannot be started ends the others too
    for (const name of names) workers.push(new WorkerProcess(name, options.threads));
    for (const batch of options.batches) {
      await options.limits.measure();
      rows.push(...(await compareAt(batch, workers, options)));
    }
    await options.limits.measure();
    for (const worker of workers) {
      const { threads } = options;
      const [setting] = settings[worker.name] ?? ["default"];
      const batch = options.batches[0]!;
      Object.assign(
        versions,
        (await worker.setup({ workload: "seeds-cnn", batch, setting: setting!, threads })).versions,
      );
    }
  } finally {
    for (const worker of workers) worker.close();
  }
  const peak = options.limits.limits?.fmaPeak;
  return { rows: peak === undefined ? rows : rows.map((row) => withRoofline(row, peak)), versions };
}
