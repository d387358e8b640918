import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromeTrace, renderTable, shareOf, summarize } from "../../src/cli/profile/report.ts";
import { engine, ones } from "../../src/tensor/index.ts";

const limits = { fmaPeak: 100, copyBandwidth: 10 };
// 1 ms at the peak is 1e8 FLOP, at the bandwidth 1e7 bytes
const product = { label: "product", milliseconds: 2, flops: 1e8, bytes: 1e6 };
const copy = { label: "copy", milliseconds: 4, flops: 0, bytes: 2e7 };
const runs = [
  { start: 10, milliseconds: 7, kernels: [product, copy] },
  { start: 20, milliseconds: 2.5, kernels: [product] },
];

describe("what a profile says", () => {
  test("kernels of one name are one row, longest first", () => {
    const summary = summarize(runs, 20);
    expect(summary.kernels.map(({ label, calls, milliseconds }) => [label, calls, milliseconds])).toEqual([
      ["product", 2, 4],
      ["copy", 1, 4],
    ]);
    expect(summary).toMatchObject({
      runs: 2,
      kernelMilliseconds: 8,
      dispatchMilliseconds: 1.5,
      outsideMilliseconds: 10.5,
    });
  });

  test("the share is of the limit that binds, and there is none without limits", () => {
    expect(shareOf(product, limits)).toBeCloseTo(0.5);
    expect(shareOf(copy, limits)).toBeCloseTo(0.5);
    expect(shareOf(product, undefined)).toBeUndefined();
    expect(shareOf({ ...product, milliseconds: 0 }, limits)).toBeUndefined();
  });

  test("the table names the limit, and adds up what it does not list", () => {
    const lines = renderTable(summarize(runs, 20), limits, 1).split("\n");
    expect(lines[1]).toMatch(/^product +2 +4\.00 +2\.000 +20\.0% +50\.0 +0\.5 +50\.0% fma$/);
    expect(lines[2]).toMatch(/^1 more +4\.00 +20\.0%$/);
    expect(lines[4]).toMatch(/^kernels +8\.00 +40\.0%$/);
    expect(renderTable(summarize(runs, 20), undefined, 5)).toMatch(/product .* -\n/);
  });

  test("a trace holds programs and kernels in microseconds, kernels one after the other", () => {
    const { traceEvents } = chromeTrace(runs, limits) as { traceEvents: Record<string, unknown>[] };
    const kernels = traceEvents.filter((event) => event.cat === "kernel");
    expect(kernels.map(({ name, ts, dur }) => [name, ts, dur])).toEqual([
      ["product", 10_000, 2000],
      ["copy", 12_000, 4000],
      ["product", 20_000, 2000],
    ]);
    expect(traceEvents.filter((event) => event.cat === "program")).toHaveLength(2);
  });
});

test("a profile can be taken inside a program, one at a time", () => {
  const stop = engine.startProfiling();
  try {
    expect(() => engine.startProfiling()).toThrow(/already/);
    const x = ones([8, 8]);
    x.matmul(x).exp().dataSync();
  } finally {
    stop();
  }
  const taken = stop();
  expect(taken.length).toBeGreaterThan(0);
  expect(taken.every(({ kernels, milliseconds }) => kernels.length > 0 && milliseconds > 0)).toBe(true);
  ones([4]).add(1).dataSync();
  expect(stop()).toHaveLength(taken.length);
});

describe("trivium profile", () => {
  const entry = fileURLToPath(new URL("./run-from-source.ts", import.meta.url));
  const trivium = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", entry, "profile", ...args], {
      encoding: "utf8",
    });
    return { code: status, out: stdout, err: stderr };
  };
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "trivium-profile-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("a program: its arguments are its own, its kernels are listed and written", () => {
    const program = join(folder, "program.mjs");
    const library = new URL("../../src/index.ts", import.meta.url).href;
    writeFileSync(
      program,
      `import { ones } from ${JSON.stringify(library)};\nconst x = ones([16, 16]);\nconsole.log(process.argv.slice(2).join(), x.matmul(x).sum().item());\n`,
    );
    const [trace, json] = [join(folder, "new", "trace.json"), join(folder, "figures.json")];
    const { code, out, err } = trivium("--trace", trace, "--json", json, program, "a", "--top");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^a,--top 4096\n/);
    expect(out).toMatch(/matmul_16x16x16/);
    expect(JSON.parse(readFileSync(trace, "utf8")).traceEvents.length).toBeGreaterThan(2);
    expect(JSON.parse(readFileSync(json, "utf8")).kernels[0]).toMatchObject({ calls: expect.any(Number) });
  });

  test.each([
    [[], /^trivium: profile what\?/],
    [["mnist", "now"], /^trivium: profile mnist takes no argument "now"/],
    [["--stesp", "3", "mnist"], /^trivium: unknown flag --stesp, did you mean "--steps"\?/],
    [["nowhere.js"], /^trivium: profile: there is no file nowhere\.js/],
  ])("mistake %j is one line and exit code 2", (args, message) => {
    const { code, out, err } = trivium(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(existsSync(join(folder, "nowhere.js"))).toBe(false);
  });
});
