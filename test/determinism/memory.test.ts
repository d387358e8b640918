import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/**
 * How far V8 lets garbage pile up depends on its version and the machine's memory, and from version 13 on (Node 24) it keeps the pages of the
 * largest heap there ever was: resident memory then jumps by 100 MB at whichever step the garbage first reached that height. A bounded heap
 * has its height before the measurement begins, on every version, and what grows after that is a leak.
 */
const boundedHeap = ["--max-old-space-size=128", "--max-semi-space-size=16"];

/** Runs a loop in a process of its own and checks what it prints. */
async function expectConstant(name: string): Promise<void> {
  const script = fileURLToPath(new URL(name, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...boundedHeap,
    "--expose-gc",
    "--import",
    "tsx",
    script,
  ]);
  const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, number>;
  expect(result.trackedGrowth).toBe(0);
  expect(result.compilations).toBe(0);
  expect(result.residentGrowth).toBeLessThan(16 * 1024 * 1024);
  expect(Number.isFinite(result.last)).toBe(true);
}

test("10,000 synchronous steps, no await, no dispose: tracked bytes constant, resident memory grows by less than 16 MB", async () => {
  await expectConstant("./memory-loop.ts");
});

test("the same for the loop of the PyTorch door, with Adam, BatchNorm and loss.item()", async () => {
  await expectConstant("./memory-loop-torch.ts");
});
