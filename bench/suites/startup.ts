import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TriviumError } from "../../src/errors.ts";
import { type FigureGoal, figureGoals, nameAndGoal } from "../goals.ts";
import { isLoaded } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { summarize } from "../statistics.ts";
import type { FigureOptions } from "./neighbour.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface TrainReport {
  readonly firstStepMs: number;
  readonly compileMs: number;
  /** When each part of the start was over. */
  readonly startMs: Readonly<Record<string, number>>;
}

/** What is over when a part of the start is, in order. */
const parts = {
  program: "Node and the program loaded",
  files: "data files read",
  examples: "target started, examples converted and checked",
  order: "examples shuffled",
  step: "first step: traced, compiled, weights drawn, run",
} as const;

/** Trains on all images until the first epoch has begun, then asks the command to stop as Ctrl-C does. */
function trainOneStep(folder: string, json: string, threads: number): Promise<void> {
  const args = ["train", "mnist", "--epochs", "2", "--verbose", "2", "--out", join(folder, "run"), "--json", json];
  const child = spawn(process.execPath, [join(root, "bin/trivium.js"), ...args], {
    env: { ...process.env, TRIVIUM_THREADS: String(threads) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const begun = output.includes("Epoch 1/2");
    output += text;
    if (!begun && output.includes("Epoch 1/2")) child.kill("SIGINT");
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  return new Promise((resolve, reject) => {
    child.on("close", (status) => {
      if (existsSync(json)) resolve();
      else reject(new TriviumError(`bench: trivium train mnist ended with ${status}\n${errors}`));
    });
  });
}

/** Milliseconds from process start to the first step of the smallest program that trains, written against the built package. */
function startTinyNetwork(threads: number): number {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(root, "bench/tiny-start.mjs")], {
    env: { ...process.env, TRIVIUM_THREADS: String(threads) },
    encoding: "utf8",
  });
  if (status !== 0) throw new TriviumError(`bench: the tiny network ended with ${status}\n${stderr}`);
  return Number(stdout);
}

/**
 * Process start to the end of the first training step, in fresh processes: a tiny network on random data, and `trivium train mnist` with its
 * data loading. Both run what `npm run build` made.
 */
export async function runStartup(options: FigureOptions): Promise<Figure[]> {
  if (!existsSync(join(root, "dist/command/main.cjs"))) {
    throw new TriviumError("bench: start-up is measured on the built command; run `npm run build` first.");
  }
  const folder = mkdtempSync(join(tmpdir(), "trivium-startup-"));
  const reports: TrainReport[] = [];
  const tiny: number[] = [];
  let loaded = false;
  try {
    for (let round = 0; round < options.rounds; round++) {
      loaded = (await isLoaded()) || loaded;
      tiny.push(startTinyNetwork(options.threads));
      const json = join(folder, `${round}.json`);
      await trainOneStep(folder, json, options.threads);
      reports.push(JSON.parse(readFileSync(json, "utf8")) as TrainReport);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const figure = (of: string | FigureGoal, values: number[]): Figure => ({
    ...(typeof of === "string" ? { suite: "system", name: of } : nameAndGoal(of)),
    value: summarize(values),
    unit: "ms",
    loaded,
  });
  let before = (_report: TrainReport): number => 0;
  const phases = Object.entries(parts).map(([part, name]) => {
    const from = before;
    before = (report) => report.startMs[part]!;
    return figure(
      name,
      reports.map((report) => report.startMs[part]! - from(report)),
    );
  });
  const figures = [
    figure(figureGoals.tinyStart, tiny),
    figure(
      figureGoals.mnistStart,
      reports.map((report) => report.firstStepMs),
    ),
    figure(
      "compile time of the training step",
      reports.map((report) => report.compileMs),
    ),
    ...phases,
  ];
  for (const { name, value, unit } of figures) {
    options.say(`${name}: ${value.median.toFixed(0)} ${unit} (${value.min.toFixed(0)} to ${value.max.toFixed(0)})`);
  }
  return figures;
}
