import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("./run-from-source.ts", import.meta.url));

/** The command line as a process, from the sources. */
function trivium(...args: string[]) {
  const result = spawnSync(process.execPath, ["--import", "tsx", entry, ...args], { encoding: "utf8" });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trivium-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("mistakes are one line and exit code 2", () => {
  test.each([
    [["trian"], 'trivium: unknown command trian, did you mean "train"?\n'],
    [["--frobnicate"], "trivium: unknown flag --frobnicate; see trivium --help\n"],
    [["train", "mnist", "--epoch", "3"], 'trivium: unknown flag --epoch, did you mean "--epochs"?\n'],
    [["train"], "trivium: train what? There is: trivium train mnist\n"],
    [["train", "cifar"], 'trivium: there is no network "cifar" to train; there is: mnist\n'],
    [["doctor", "now"], 'trivium: doctor takes no argument "now"\n'],
  ])("%j", (args, message) => {
    expect(trivium(...args)).toEqual({ code: 2, out: "", err: message });
  });

  test("an output folder that cannot be written to, before anything is trained", () => {
    const blocked = join(folder, "file");
    writeFileSync(blocked, "");
    const { code, err } = trivium("train", "mnist", "--out", join(blocked, "run"));
    expect(code).toBe(2);
    expect(err).toMatch(/^trivium: --out: the folder .* cannot be written to \(ENOTDIR\)\.\n$/);
  });

  test.runIf(process.platform === "linux")(
    "an output folder where the system takes none (Linux has such a place)",
    () => {
      const { code, err } = trivium("train", "mnist", "--out", "/proc/none/run");
      expect(code).toBe(2);
      expect(err).toMatch(/^trivium: --out: the folder .* cannot be written to \(\w+\)\.\n$/);
    },
  );

  test("missing data", () => {
    const out = join(folder, "out");
    const { code, err } = trivium("train", "mnist", "--data", join(folder, "nowhere"), "--out", out);
    expect(code).toBe(2);
    expect(err).toMatch(/^trivium: .*no such folder.*\n$/);
    expect(readdirSync(out)).toEqual([]);
  });
});

test("help and version", () => {
  expect(trivium("--help")).toMatchObject({ code: 0, err: "" });
  expect(trivium("train", "mnist", "--help").out).toContain("--batch-size N");
  expect(trivium("doctor", "--help").out).toContain("usage: trivium doctor");
  expect(trivium("--version").out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("doctor finds the reference in agreement with itself", () => {
  const { code, out } = trivium("doctor", "--target", "reference");
  expect(out).toMatch(/self-test +ok (\d+) of \1 programs agree/);
  expect(code).toBe(0);
});
