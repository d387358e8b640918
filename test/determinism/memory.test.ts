import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** Runs a loop in a process of its own and checks what it prints. */
async function expectConstant(name: string): Promise<void> {
  const script = fileURLToPath(new URL(name, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", "--import", "tsx", script]);
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
