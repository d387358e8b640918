import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readListings, regionsOf } from "../../src/cli/compare/listings.ts";
import { highlighted } from "../../src/cli/compare/page.ts";
import { whyNoMachineCode } from "../../src/engine/default-target.ts";

const listings = readListings();
const root = fileURLToPath(new URL("../..", import.meta.url));
const entry = fileURLToPath(new URL("./run-from-source.ts", import.meta.url));
const compiled = test.skipIf(whyNoMachineCode() !== undefined);
const commandLine = (...args: string[]) => ["--import", "tsx", entry, "compare", ...args];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trivium-compare-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

compiled("one page with everything on it; the three styles agree to the bit and share one program", () => {
  const json = join(folder, "numbers.json");
  const args = ["mnist", "--limit", "300", "--epochs", "2", "--out", join(folder, "out"), "--json", json];
  const result = spawnSync(process.execPath, commandLine(...args), { encoding: "utf8", cwd: root });
  expect(result.stderr).toBe("");
  expect(result.status).toBe(0);
  expect(result.stdout).toContain("12 losses of the one network: the same to the bit in all three styles");

  const numbers = JSON.parse(readFileSync(json, "utf8"));
  expect(numbers.keras).toMatchObject({ parameters: 9467274, batchSize: 32, side: 28, trainingImages: 210 });
  expect(numbers.torch).toMatchObject({ parameters: 29066, batchSize: 512, side: 8, trainingImages: 300 });
  const { styles } = numbers.fair;
  expect(styles.map(({ name }: { name: string }) => name)).toEqual(["Keras", "PyTorch", "TensorFlow"]);
  for (const style of styles) {
    expect(style.losses).toEqual(styles[0].losses);
    expect(style.weightsSha256).toBe(styles[0].weightsSha256);
  }
  expect(styles[1].compilations + styles[2].compilations).toBe(0);
  const losses = [numbers.keras, numbers.torch, styles[0]].map(({ epochs }) =>
    epochs.map((row: { loss: number }) => row.loss),
  );
  for (const [before, after] of losses) expect(after).toBeLessThan(before);

  const html = readFileSync(join(folder, "out", "report.html"), "utf8");
  expect(html.replaceAll('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
    /https?:|<script|<link|<img|@import|url\(/,
  );
  expect(html).not.toMatch(/undefined|NaN/);
  expect(html.match(/<svg /g)).toHaveLength(3);
  for (const fact of ["9,467,274", "29,066", "28 x 28", "8 x 8", "<strong>32</strong>", "<strong>512</strong>"])
    expect(html).toContain(fact);
  for (const code of Object.values(listings)) expect(html).toContain(highlighted(code));
});

compiled("Ctrl-C stops after the step and writes nothing", async () => {
  const out = join(folder, "stopped");
  const args = ["mnist", "--limit", "1200", "--epochs", "1000", "--out", out];
  const child = spawn(process.execPath, commandLine(...args), { stdio: "pipe", cwd: root });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
    if (text.includes("Epoch 1/1000") && !child.killed) child.kill("SIGINT");
  });
  const code = await new Promise((resolve) => child.on("exit", resolve));
  expect(code).toBe(130);
  expect(text).toContain("stopped; nothing was written");
  expect(existsSync(join(out, "report.html"))).toBe(false);
});

test("help, and mistakes in one line", () => {
  const run = (...args: string[]) => spawnSync(process.execPath, commandLine(...args), { encoding: "utf8", cwd: root });
  const help = run("mnist", "--help");
  expect(help.status).toBe(0);
  expect(help.stdout).toContain("--epochs N");
  for (const [args, message] of [
    [["mnist", "--epoch", "3"], 'unknown flag --epoch, did you mean "--epochs"?'],
    [["mnist", "--limit", "7"], '--limit takes a whole number, at least 100, got "7"'],
    [["minst"], 'there is no comparison "minst", did you mean "mnist"?; there is: mnist'],
    [[], "compare on what? There is: trivium compare mnist"],
  ] as const) {
    const result = run(...args);
    expect(result.stderr).toBe(`trivium: ${message}\n`);
    expect(result.status).toBe(2);
  }
});

test("the fair programs are those of examples/fair-mnist.ts, line for line", () => {
  const source = readFileSync(`${root}examples/fair-mnist.ts`, "utf8");
  const regions = regionsOf(source).map(([, text]) => text);
  expect(regions).toEqual([listings.fairKeras, listings.fairTorch, listings.fairTensorFlow]);
});

test("the article's programs are those of the examples, in their order", () => {
  const lines = (text: string) => text.split("\n").map((line) => line.trim());
  for (const [example, program] of [
    ["keras-mnist", listings.kerasArticle],
    ["torch-mnist", listings.torchArticle],
  ]) {
    const source = readFileSync(`${root}examples/${example}.ts`, "utf8");
    const own = lines(program);
    // layers, activations, loss and optimizer; the data, which may be limited, and the history have lines of their own
    const network = lines(source).filter((line) => /model\.(add|compile)|nn\.|F\.|optim\.|transforms\./.test(line));
    const wanted = network.filter((line) => !/^(import|const F|class|const \{)/.test(line) || /extends/.test(line));
    expect(own.filter((line) => wanted.includes(line))).toEqual(wanted);
  }
});
