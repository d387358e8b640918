import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { whyNoMachineCode } from "../../src/engine/default-target.ts";
import { loadModel } from "../../src/keras/index.ts";

const entry = fileURLToPath(new URL("./run-from-source.ts", import.meta.url));
const example = fileURLToPath(new URL("../../examples/keras-mnist.ts", import.meta.url));
const program = fileURLToPath(new URL("../../src/cli/train-mnist.ts", import.meta.url));
const compiled = test.skipIf(whyNoMachineCode() !== undefined);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trivium-train-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const argumentsFor = (out: string, ...more: string[]) => [
  "--import",
  "tsx",
  entry,
  "train",
  "mnist",
  "--out",
  out,
  ...more,
];

function train(out: string, threads: number, ...more: string[]) {
  const json = join(folder, `${out}.json`);
  const result = spawnSync(process.execPath, argumentsFor(join(folder, out), "--json", json, ...more), {
    encoding: "utf8",
    env: { ...process.env, TRIVIUM_THREADS: String(threads) },
  });
  return { ...result, report: JSON.parse(readFileSync(json, "utf8")) as Record<string, unknown> };
}

compiled("writes its results; the same bits on one thread and on two", async () => {
  const few = ["--limit", "200", "--epochs", "2", "--batch-size", "16"];
  const one = train("one", 1, ...few);
  const two = train("two", 2, ...few, "--verbose", "2");
  expect(one.status).toBe(0);
  expect(one.stderr).toBe("");
  expect(one.stdout).not.toContain("\r");
  expect(one.stdout).not.toContain("\x1b");
  expect(two.stdout).toContain("Epoch 2/2\n9/9 - ");
  expect(readdirSync(join(folder, "one")).sort()).toEqual(["curves.svg", "history.json", "model.safetensors"]);
  expect(two.report.weightsSha256).toBe(one.report.weightsSha256);
  expect(one.report).toMatchObject({
    threads: 1,
    seed: 0,
    parameters: 9467274,
    test: { loss: expect.any(Number), accuracy: expect.any(Number) },
  });
  const history = JSON.parse(readFileSync(join(folder, "one", "history.json"), "utf8")) as {
    history: Record<string, number[]>;
  };
  expect(one.report.epochs).toHaveLength(2);
  expect((one.report.epochs as { loss: number }[]).map((epoch) => epoch.loss)).toEqual(history.history.loss);
  const model = await loadModel(join(folder, "one", "model.safetensors"));
  expect(model.countParams()).toBe(9467274);
});

compiled("Ctrl-C stops after the step and still writes what was trained", async () => {
  const out = join(folder, "stopped");
  const child = spawn(process.execPath, argumentsFor(out, "--epochs", "50", "--limit", "200", "--verbose", "2"), {
    stdio: "pipe",
  });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
    // once: a second Ctrl-C ends the process without ado
    if (text.includes("Epoch 3/50") && !child.killed) child.kill("SIGINT");
  });
  const code = await new Promise((resolve) => child.on("exit", resolve));
  expect(code).toBe(130);
  expect(text).toMatch(/stopped after \d+ of 50 epochs/);
  expect(readdirSync(out).sort()).toEqual(["curves.svg", "history.json", "model.safetensors"]);
});

test("builds the network of examples/keras-mnist.ts, line for line", () => {
  const layersOf = (path: string) => readFileSync(path, "utf8").match(/model\.add\(.*\);/g);
  expect(layersOf(program)).toEqual(layersOf(example));
});
