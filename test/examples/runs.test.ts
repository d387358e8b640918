/** Each example runs as users run it, in a process of its own, on a part of its data: losses fall and accuracies rise. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { whyNoMachineCode } from "../../src/engine/default-target.ts";

const compiled = test.skipIf(whyNoMachineCode() !== undefined);
const root = fileURLToPath(new URL("../..", import.meta.url));

async function run(name: string, ...args: string[]): Promise<string> {
  const command = ["--import", "tsx", `examples/${name}.ts`, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: root });
  return stdout;
}

/** The numbers that follow a word, one for each time that it occurs. */
const numbersAfter = (label: string, output: string): number[] =>
  [...output.matchAll(new RegExp(`${label}:? ([\\d.e-]+)`, "g"))].map(([, value]) => Number(value));

const first = (values: readonly number[]): number => values[0];
const last = (values: readonly number[]): number => values[values.length - 1];

compiled("keras-cifar: the article's Keras network learns", async () => {
  const output = await run("keras-cifar", "--examples", "2500", "--epochs", "3");
  expect(output).toContain("Total params: 11,290");
  const losses = numbersAfter("val_loss", output);
  expect(last(losses)).toBeLessThan(first(losses) / 2);
  expect(last(numbersAfter("val_accuracy", output))).toBeGreaterThan(0.8);
});

compiled("torch-cifar: the article's PyTorch network learns", async () => {
  const output = await run("torch-cifar", "--examples", "2500", "--epochs", "3");
  const losses = numbersAfter("loss", output);
  expect(last(losses)).toBeLessThan(first(losses) / 2);
  expect(last(numbersAfter("test accuracy", output))).toBeGreaterThan(0.8);
});

compiled("torch-mnist: the article's PyTorch program, 8x8 pixels and batches of 512", async () => {
  const output = await run("torch-mnist", "--limit", "6000", "--epochs", "2");
  expect(output).toContain("29066 parameters");
  const losses = numbersAfter("train loss", output);
  expect(last(losses)).toBeLessThan(first(losses));
  const accuracies = numbersAfter("test accuracy", output);
  expect(last(accuracies)).toBeGreaterThan(first(accuracies));
});

compiled("torch-dynamic: loops, random depth and recursion over trees", async () => {
  const output = await run("torch-dynamic", "--steps", "150");
  expect(output).toContain("halved 5 times, norm 0.6250");
  const [, before, after] = /random depth: loss ([\d.]+) -> ([\d.]+)/.exec(output) ?? [];
  expect(Number(after)).toBeLessThan(Number(before) / 10);
  expect(output).toContain("trees: 16 of 16 right");
});

compiled("tf-conv-net: the article's TensorFlow network, trained with a tape", async () => {
  const output = await run("tf-conv-net", "--examples", "3000");
  expect(last(numbersAfter("cost", output))).toBeLessThan(first(numbersAfter("before training: cost", output)));
  expect(last(numbersAfter("test accuracy", output))).toBeGreaterThan(0.6);
  expect(output).toContain("traces of the training step: 1");
});

compiled("tf-session: the same network as a static graph", async () => {
  const output = await run("tf-session", "--examples", "3000");
  expect(last(numbersAfter("test accuracy", output))).toBeGreaterThan(0.6);
});

compiled("fair-mnist: one network in three styles, the same losses to the bit, one compiled program", async () => {
  const output = await run("fair-mnist", "--examples", "5000", "--epochs", "3");
  expect(output).toContain("300 losses, the same to the bit in all three styles");
  const styles = Object.fromEntries(
    ["keras", "torch", "tensorflow"].map((name) => [name, output.split("\n").filter((line) => line.startsWith(name))]),
  );
  const losses = numbersAfter("loss", styles.keras.join("\n"));
  expect(losses).toHaveLength(3);
  expect(last(losses)).toBeLessThan(first(losses));
  for (const lines of Object.values(styles)) expect(numbersAfter("loss", lines.join("\n"))).toEqual(losses);
  // Keras comes first and compiles the step, its first weights and its counters; the others find the step compiled
  expect(numbersAfter("programs compiled in training", output)).toEqual([expect.any(Number), 0, 0]);
});

compiled("keras-mnist: the article's Keras program", async () => {
  const output = await run("keras-mnist", "--limit", "1000");
  const losses = numbersAfter("val_loss", output);
  expect(losses).toHaveLength(5);
  expect(last(losses)).toBeLessThan(first(losses));
  expect(last(numbersAfter("test accuracy", output))).toBeGreaterThan(0.5);
});

test("no example is left out", () => {
  const elsewhere = ["classify-image", "torch-mnist-main"];
  const here = ["fair-mnist", "keras-cifar", "keras-mnist", "tf-conv-net", "tf-session"];
  const known = [...elsewhere, ...here, "torch-cifar", "torch-dynamic", "torch-mnist"];
  const examples = readdirSync(`${root}examples`).filter((file) => file.endsWith(".ts"));
  expect(examples.map((file) => basename(file, ".ts")).filter((name) => !known.includes(name))).toEqual([]);
});
