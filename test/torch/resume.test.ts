/** A run resumed from a checkpoint in the middle of an epoch goes on bit for bit. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { type RunOptions, run } from "./resume-run.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-resume-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function inAnotherProcess(options: RunOptions): Promise<ReturnType<typeof run>> {
  const script = fileURLToPath(new URL("./resume-run.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script, JSON.stringify(options)]);
  return JSON.parse(stdout) as ReturnType<typeof run>;
}

test.each([false, true])("weights, moments, schedule, dropout, shuffling (compiled step: %s)", async (compiled) => {
  const path = join(folder, `checkpoint-${compiled}.pt`);
  const whole = run({ seed: 5, compiled, saveTo: path });
  expect(whole.losses.length).toBe(8);
  expect(new Set(whole.losses).size).toBe(8);
  // another seed, so that everything that matters must come from the checkpoint
  const options = { seed: 99, compiled, resumeFrom: path };
  const resumed = run(options);
  expect(resumed.losses).toEqual(whole.losses.slice(2));
  expect(resumed.digest).toBe(whole.digest);
  expect(await inAnotherProcess(options)).toEqual(resumed);
});

test("a compiled step and a plain one see the same masks", () => {
  const plain = run({ seed: 5, compiled: false });
  const compiled = run({ seed: 5, compiled: true });
  compiled.losses.forEach((loss, index) => {
    expect(loss).toBeCloseTo(plain.losses[index], 4);
  });
});
