/** Same program, same bits: whatever the number of threads, the vector width or the batch an example is in. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { whyNoMachineCode } from "../../src/engine/default-target.ts";

const script = fileURLToPath(new URL("./train-small.ts", import.meta.url));

interface Digests {
  readonly weights: string;
  readonly losses: readonly number[];
  readonly predictions: string;
  readonly batchInvariant: readonly boolean[];
}

async function run(environment: Record<string, string>): Promise<Digests> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script], {
    env: { ...process.env, ...environment },
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Digests;
}

test.skipIf(whyNoMachineCode() !== undefined)(
  "training and prediction: equal bits for 1, 2 and 5 threads, twice, and for AVX2 and AVX-512 (skipped without machine code)",
  async () => {
    const first = await run({ TRIVIUM_THREADS: "1" });
    expect(first.batchInvariant).toEqual([true, true, true]);
    const environments: readonly Record<string, string>[] = [
      { TRIVIUM_THREADS: "1" },
      { TRIVIUM_THREADS: "2" },
      { TRIVIUM_THREADS: "5" },
      { TRIVIUM_THREADS: "2", TRIVIUM_AVX512: "0" },
    ];
    for (const environment of environments) {
      expect(await run(environment)).toEqual(first);
    }
  },
);
