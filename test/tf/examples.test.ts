/** The examples run as users run them, on a part of MNIST. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

function run(name: string): string {
  return execFileSync(process.execPath, ["--import", "tsx", `examples/${name}.ts`, "--examples", "3000"], {
    cwd: root,
    encoding: "utf8",
  });
}

const accuracyOf = (output: string): number => Number(/test accuracy ([\d.]+)/.exec(output)?.[1]);

test("tf-conv-net: the article's TensorFlow listing, trained with a tape", () => {
  const output = run("tf-conv-net");
  expect(accuracyOf(output)).toBeGreaterThan(0.6);
  expect(output).toContain("traces of the training step: 1");
});

test("tf-session: the same listing as a static graph", () => {
  const output = run("tf-session");
  expect(accuracyOf(output)).toBeGreaterThan(0.6);
});
