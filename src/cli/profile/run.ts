import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ProfiledRun } from "../../engine/program-runner.ts";
import { ArgumentError } from "../../errors.ts";
import { writeTextAtomic } from "../../interop/index.ts";
import { setRandomSeed } from "../../keras/index.ts";
import { measureLimits } from "../../targets/x86/machine-limits.ts";
import { engine, oneHot, randomUniform, tensor } from "../../tensor/index.ts";
import { checkWritable } from "../run-folder.ts";
import { buildNetwork } from "../train-mnist.ts";
import { chromeTrace, renderTable, shareOf, summarize } from "./report.ts";

/** What is written about a profile. */
export interface ProfileReport {
  /** Kernels listed. */
  readonly rows: number;
  readonly traceFile: string | undefined;
  readonly jsonFile: string | undefined;
}

/** Steps before the clock starts: compiling and the first touch of memory are not part of a step. */
const warmUp = 5;

function checkFiles({ traceFile, jsonFile }: ProfileReport): void {
  if (traceFile !== undefined) checkWritable(dirname(resolve(traceFile)), "--trace");
  if (jsonFile !== undefined) checkWritable(dirname(resolve(jsonFile)), "--json");
}

async function write(
  title: string,
  runs: readonly ProfiledRun[],
  elapsed: number,
  report: ProfileReport,
): Promise<void> {
  const limits = engine.targetName === "x86" ? await measureLimits(engine.threads) : undefined;
  const summary = summarize(runs, elapsed);
  const measured =
    limits && ` · peak ${limits.fmaPeak.toFixed(0)} GFLOP/s, copy ${limits.copyBandwidth.toFixed(0)} GB/s`;
  process.stdout.write(
    `${title} · ${engine.targetDescription}${measured ?? ""}\n\n${renderTable(summary, limits, report.rows)}`,
  );
  if (report.traceFile !== undefined) writeTextAtomic(report.traceFile, JSON.stringify(chromeTrace(runs, limits)));
  if (report.jsonFile !== undefined) {
    const kernels = summary.kernels.map((kernel) => ({ ...kernel, rooflineShare: shareOf(kernel, limits) }));
    const content = { title, target: engine.targetDescription, limits, ...summary, kernels };
    writeTextAtomic(report.jsonFile, `${JSON.stringify(content, undefined, 2)}\n`);
  }
  const written = [report.traceFile, report.jsonFile].filter((path) => path !== undefined);
  if (written.length > 0) process.stdout.write(`\nwritten: ${written.join(", ")}\n`);
}

/** Training steps of the MNIST network on random images. */
export async function profileMnist(
  { batchSize, steps }: { readonly batchSize: number; readonly steps: number },
  report: ProfileReport,
): Promise<number> {
  checkFiles(report);
  setRandomSeed(0);
  const model = buildNetwork();
  model.compile({ optimizer: "sgd", loss: "categorical_crossentropy", metrics: ["accuracy"] });
  const images = randomUniform([batchSize, 28, 28, 1]);
  const classes = oneHot(tensor(Int32Array.from({ length: batchSize }, (_, index) => index % 10)), 10);
  for (let step = 0; step < warmUp; step++) model.trainOnBatch(images, classes);
  const stop = engine.startProfiling();
  const start = performance.now();
  for (let step = 0; step < steps; step++) model.trainOnBatch(images, classes);
  const elapsed = performance.now() - start;
  await write(`${steps} training steps of ${batchSize} random images`, stop(), elapsed, report);
  return 0;
}

/** A program of the user's: its module is loaded with its arguments in `process.argv`, and every program that it runs is timed. */
export async function profileProgram(file: string, args: readonly string[], report: ProfileReport): Promise<number> {
  const path = resolve(file);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new ArgumentError(`profile: there is no file ${file}; give a JavaScript module, or mnist`);
  }
  checkFiles(report);
  process.argv = [process.argv[0]!, path, ...args];
  const stop = engine.startProfiling();
  const start = performance.now();
  try {
    await import(pathToFileURL(path).href);
  } finally {
    stop();
  }
  await write(file, stop(), performance.now() - start, report);
  return 0;
}
