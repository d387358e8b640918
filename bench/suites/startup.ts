import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TriviumError } from "../../src/errors.ts";
import { isLoaded } from "../machine.ts";
import type { Figure } from "../rows.ts";
import { summarize } from "../statistics.ts";
import type { FigureOptions } from "./neighbour.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface TrainReport {
  readonly firstStepMs: number;
  readonly compileMs?: number;
}

/** Process start to the end of the first training step of `trivium train mnist`, data loading included, in fresh processes of the built command. */
export async function runStartup(options: FigureOptions): Promise<Figure[]> {
  if (!existsSync(join(root, "dist/command/main.cjs"))) {
    throw new TriviumError("bench: start-up is measured on the built command; run `npm run build` first.");
  }
  const folder = mkdtempSync(join(tmpdir(), "trivium-startup-"));
  let loaded = false;
  const firstSteps: number[] = [];
  const compilations: number[] = [];
  try {
    for (let round = 0; round < options.rounds; round++) {
      loaded ||= await isLoaded();
      const json = join(folder, `${round}.json`);
      const args = [
        "train",
        "mnist",
        "--epochs",
        "1",
        "--limit",
        "64",
        "--verbose",
        "0",
        "--out",
        join(folder, "run"),
        "--json",
        json,
      ];
      const result = spawnSync(process.execPath, [join(root, "bin/trivium.js"), ...args], {
        encoding: "utf8",
        env: { ...process.env, TRIVIUM_THREADS: String(options.threads) },
      });
      if (result.status !== 0)
        throw new TriviumError(`bench: trivium train mnist ended with ${result.status}\n${result.stderr}`);
      const report = JSON.parse(readFileSync(json, "utf8")) as TrainReport;
      firstSteps.push(report.firstStepMs);
      if (report.compileMs !== undefined) compilations.push(report.compileMs);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const figure = (name: string, values: number[], goal: string): Figure => ({
    suite: "startup",
    name,
    value: summarize(values),
    unit: "ms",
    goal,
    loaded,
  });
  const figures = [figure("process start to first step, train mnist", firstSteps, "< 1500")];
  if (compilations.length > 0) figures.push(figure("compile time of the training step", compilations, "< 150"));
  for (const { name, value, unit } of figures) options.say(`${name}: ${value.median} ${unit}`);
  return figures;
}
