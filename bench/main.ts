/**
 * `npm run bench -- SUITE [options]`: validates, then times, then reports shares of the machine's limits and ratios to peers.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ArgumentError, DataError, TriviumError } from "../src/errors.ts";
import { writeTextAtomic } from "../src/interop/atomic-write.ts";
import { makeFolder } from "../src/interop/make-folder.ts";
import { measureLimits } from "../src/targets/x86/machine-limits.ts";
import { type BenchOptions, parseCommand, type ReportOptions, usage } from "./arguments.ts";
import { inferWorkloads, kernelWorkloads, type SuiteName, systemWorkloads, trainWorkloads } from "./catalogue.ts";
import { renderFigure } from "./figure.ts";
import { holdToAvx2 } from "./instruction-set.ts";
import { describeMachine, LimitTracker } from "./machine.ts";
import { renderMarkdown } from "./markdown.ts";
import { readNotes } from "./notes.ts";
import type { Figure, LeftOut, Report, Row } from "./rows.ts";
import type { StepProfile } from "./step-profile.ts";
import { runDoors } from "./suites/doors.ts";
import { runKernels } from "./suites/kernels.ts";
import { runNetworks } from "./suites/networks.ts";
import { runRecipe } from "./suites/recipe.ts";
import { runSystem } from "./suites/system.ts";

/** The report that an earlier run wrote. */
function readReport(file: string): Report {
  try {
    const report = JSON.parse(readFileSync(file, "utf8")) as Report;
    if (Array.isArray(report.rows) && Array.isArray(report.figures)) return report;
  } catch (error) {
    throw new DataError(`cannot read the report ${file}.`, { cause: error });
  }
  throw new DataError(`${file} is no report of this bench.`);
}

function writeReports({ files, markdown, figure }: ReportOptions): void {
  const reports = files.map(readReport);
  if (figure !== undefined) writeTextAtomic(figure, renderFigure(reports));
  const page = renderMarkdown(reports, { notes: readNotes(), complete: true });
  if (markdown !== undefined) writeTextAtomic(markdown, page);
  else if (figure === undefined) process.stdout.write(page);
}

/** What a suite adds to the report. */
interface Findings {
  readonly rows?: readonly Row[];
  readonly figures?: readonly Figure[];
  readonly profiles?: readonly StepProfile[];
  readonly leftOut?: readonly LeftOut[];
  readonly versions?: Readonly<Record<string, string>>;
}

/** The workloads of a suite that `--only` leaves. */
function kept<Entry>(all: readonly Entry[], options: BenchOptions, nameOf: (entry: Entry) => string): Entry[] {
  return all.filter((entry) => options.only?.includes(nameOf(entry)) ?? true);
}

function runSuite(suite: SuiteName, options: BenchOptions, limits: LimitTracker): Promise<Findings> | Findings {
  const { rounds, threads, peers, trivium, batches, minutes } = options;
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const timing = {
    ...{ rounds, threads, limits, say, roundSeconds: options.seconds },
    ...(options.avx2 && { heldTo: "AVX2" as const }),
  };
  switch (suite) {
    case "train":
    case "infer": {
      const workloads = kept(suite === "train" ? trainWorkloads : inferWorkloads, options, ({ name }) => name);
      return runNetworks(suite, { ...timing, peers, trivium, workloads, ...(batches !== undefined && { batches }) });
    }
    case "kernels": {
      const groups = kept(kernelWorkloads, options, (name) => name);
      return runKernels({ ...timing, peers, trivium, groups });
    }
    case "system": {
      const workloads = kept(systemWorkloads, options, (name) => name);
      return runSystem({ ...timing, peers, workloads, minutes });
    }
    case "doors":
      return runDoors({ rounds, threads, say }).then((figures) => ({ figures }));
    case "recipe":
      return runRecipe({ threads, say }).then((figure) => ({ figures: [figure] }));
  }
}

async function run(options: BenchOptions): Promise<void> {
  // found out before minutes of timing, not after
  for (const file of [options.json, options.markdown]) if (file !== undefined) makeFolder(dirname(resolve(file)));
  if (options.avx2) holdToAvx2(process.env);
  const tracker = new LimitTracker(async () => (options.trivium ? measureLimits(options.threads) : undefined));
  const rows: Row[] = [];
  const figures: Figure[] = [];
  const profiles: StepProfile[] = [];
  const leftOut: LeftOut[] = [];
  const versions: Record<string, string> = {};
  for (const suite of options.suites) {
    const found = await runSuite(suite, options, tracker);
    rows.push(...(found.rows ?? []));
    figures.push(...(found.figures ?? []));
    profiles.push(...(found.profiles ?? []));
    leftOut.push(...(found.leftOut ?? []));
    Object.assign(versions, found.versions);
  }
  const { limits } = tracker;
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    command: `npm run bench -- ${process.argv.slice(2).join(" ")}`,
    machine: { ...describeMachine(), ...(options.avx2 && { "every contender": "held to AVX2" }) },
    versions,
    ...(limits !== undefined && { limits }),
    rows,
    figures,
    ...(profiles.length > 0 && { profiles }),
    ...(leftOut.length > 0 && { leftOut }),
  };
  const page = renderMarkdown([report], { notes: readNotes() });
  if (options.json !== undefined) writeTextAtomic(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.markdown !== undefined) writeTextAtomic(options.markdown, page);
  process.stdout.write(page);
}

try {
  const command = parseCommand(process.argv.slice(2));
  if (command.kind === "help") process.stdout.write(usage);
  else if (command.kind === "report") writeReports(command.options);
  else await run(command.options);
} catch (error) {
  // a mistake of whoever asked (an unknown option, a folder that cannot be made), or a finding of the run
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const fromSystem = code.startsWith("ERR_PARSE_ARGS") || (error instanceof Error && "syscall" in error);
  const asked = error instanceof ArgumentError || error instanceof DataError || fromSystem;
  if (!(error instanceof Error) || (!asked && !(error instanceof TriviumError))) throw error;
  process.stderr.write(`bench: ${error.message.replace(/^bench: /, "")}\n`);
  process.exitCode = asked ? 2 : 1;
}
