/**
 * `npm run bench -- SUITE [options]`: validates, then times, then reports shares of the machine's limits and ratios to peers.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { DataError, TriviumError } from "../src/errors.ts";
import { writeTextAtomic } from "../src/interop/atomic-write.ts";
import { makeFolder } from "../src/interop/make-folder.ts";
import { holdToAvx2 } from "./instruction-set.ts";
import { describeMachine, LimitTracker } from "./machine.ts";
import { renderMarkdown } from "./markdown.ts";
import { measureLimits } from "./probe.ts";
import type { Figure, Report, Row } from "./rows.ts";
import { runDoors } from "./suites/doors.ts";
import { runKernels } from "./suites/kernels.ts";
import { runNeighbour } from "./suites/neighbour.ts";
import { runRecipe } from "./suites/recipe.ts";
import { runStartup } from "./suites/startup.ts";
import { runTrain } from "./suites/train.ts";

const usage = `usage: npm run bench -- SUITE [SUITE …] [options]
       npm run bench -- report FILE.json [FILE.json …] [--markdown FILE]   several runs on one page

suites:
  train       training step of the seeds' network against peers, interleaved
  kernels     share of the FMA peak of each contraction of the seeds' network, batch 128
  startup     process start to first training step, compile time
  doors       the usual PyTorch loop against the same step in Keras' fit and compiled, batch 32
  recipe      test accuracy of PyTorch's own MNIST example, 14 epochs (some minutes)
  neighbour   throughput kept while another process takes one core

options:
  --peers LIST      torch,keras (default: none)
  --threads N       threads of every contender (default 2)
  --rounds R        rounds of each contender (default 5)
  --batches LIST    batch sizes of the train suite (default 32,128,512)
  --seconds S       seconds of one contender's round (default 1.5)
  --avx2            every contender is held to AVX2, on a processor that has more
  --no-trivium      time the peers alone
  --json FILE       writes the report as JSON
  --markdown FILE   writes it as a page (bench/RESULTS.md)
`;

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

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    allowNegative: true,
    options: {
      peers: { type: "string", default: "" },
      threads: { type: "string", default: "2" },
      rounds: { type: "string", default: "5" },
      batches: { type: "string", default: "32,128,512" },
      seconds: { type: "string", default: "1.5" },
      trivium: { type: "boolean", default: true },
      avx2: { type: "boolean", default: false },
      json: { type: "string" },
      markdown: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (positionals[0] === "report" && !values.help) {
    const page = renderMarkdown(positionals.slice(1).map(readReport));
    if (values.markdown !== undefined) writeTextAtomic(values.markdown, page);
    else process.stdout.write(page);
    return;
  }
  const known = ["train", "kernels", "startup", "neighbour", "doors", "recipe"];
  const unknown = positionals.find((suite) => !known.includes(suite));
  if (values.help || positionals.length === 0 || unknown !== undefined) {
    process.stderr.write(unknown === undefined ? usage : `bench: unknown suite "${unknown}"\n${usage}`);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  // found out before minutes of timing, not after
  for (const file of [values.json, values.markdown]) if (file !== undefined) makeFolder(dirname(resolve(file)));
  if (values.avx2) holdToAvx2(process.env);
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const threads = Number(values.threads);
  const rounds = Number(values.rounds);
  const tracker = new LimitTracker(async () => (values.trivium ? measureLimits(threads, !values.avx2) : undefined));
  const rows: Row[] = [];
  const figures: Figure[] = [];
  const versions: Record<string, string> = {};
  if (positionals.includes("train")) {
    const result = await runTrain({
      peers: values.peers.split(",").filter((name) => name !== ""),
      batches: values.batches.split(",").map(Number),
      roundSeconds: Number(values.seconds),
      trivium: values.trivium,
      ...(values.avx2 && { heldTo: "AVX2" as const }),
      threads,
      rounds,
      limits: tracker,
      say,
    });
    rows.push(...result.rows);
    Object.assign(versions, result.versions);
  }
  if (positionals.includes("kernels")) figures.push(...(await runKernels({ rounds, threads, limits: tracker, say })));
  if (positionals.includes("startup")) figures.push(...(await runStartup({ rounds, threads, say })));
  if (positionals.includes("doors")) figures.push(...(await runDoors({ rounds, threads, say })));
  if (positionals.includes("recipe")) figures.push(await runRecipe({ threads, say }));
  if (positionals.includes("neighbour")) figures.push(...(await runNeighbour({ rounds, threads, say })));
  const { limits } = tracker;
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    command: `npm run bench -- ${process.argv.slice(2).join(" ")}`,
    machine: { ...describeMachine(), ...(values.avx2 && { "every contender": "held to AVX2" }) },
    versions,
    ...(limits !== undefined && { limits }),
    rows,
    figures,
  };
  if (values.json !== undefined) writeTextAtomic(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (values.markdown !== undefined) writeTextAtomic(values.markdown, renderMarkdown([report]));
  process.stdout.write(renderMarkdown([report]));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof TriviumError) && !(error instanceof TypeError && "code" in error)) throw error;
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
