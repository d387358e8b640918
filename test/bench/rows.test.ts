import { describe, expect, it } from "vitest";
import { differenceOf } from "../../bench/compare.ts";
import { renderMarkdown } from "../../bench/markdown.ts";
import { type Report, rowsOf } from "../../bench/rows.ts";
import { rooflineShare } from "../../src/targets/roofline.ts";

const limits = { fmaPeak: 400, copyBandwidth: 50 };
const comparison = {
  ...{ suite: "train", workload: "net", batch: 10, threads: 2, unit: "images/s", unitsPerStep: 10 },
  work: { flops: 1e9, bytes: 1e6 },
};
const trivium = { peer: "trivium", setting: "default", throughputs: [2000, 1000, 3000], loaded: false };
const torch = (setting: string, throughputs: number[], loaded = false) => ({
  peer: "torch",
  setting,
  throughputs,
  loaded,
});

describe("rows", () => {
  it("compares round by round and marks the peer's better setting", () => {
    const rows = rowsOf(
      comparison,
      [trivium, torch("default", [500, 500, 500]), torch("fast", [1000, 800, 1000], true)],
      limits,
    );
    expect(rows).toEqual([
      {
        ...{ suite: "train", workload: "net", batch: 10, threads: 2, peer: "torch", setting: "default" },
        better: false,
        trivium: { median: 2000, min: 1000, max: 3000 },
        peerResult: { median: 500, min: 500, max: 500 },
        ratio: { median: 4, min: 2, max: 6 },
        unit: "images/s",
        rooflineShare: 0.5,
        loaded: false,
      },
      expect.objectContaining({
        setting: "fast",
        better: true,
        ratio: { median: 2, min: 1.25, max: 3 },
        loaded: true,
      }),
    ]);
  });
  it("has one row for Trivium alone, and none of its fields where the peers run alone", () => {
    expect(rowsOf(comparison, [trivium], limits)).toEqual([
      expect.objectContaining({ peer: "none", better: true, trivium: { median: 2000, min: 1000, max: 3000 } }),
    ]);
    const [alone] = rowsOf(comparison, [torch("default", [5])], limits);
    expect(alone).not.toHaveProperty("ratio");
    expect(alone).not.toHaveProperty("rooflineShare");
  });
});

describe("roofline", () => {
  it("is arithmetic or traffic, whichever is larger", () => {
    expect(rooflineShare({ flops: 1e9, bytes: 0 }, 5, limits)).toBe(0.5);
    expect(rooflineShare({ flops: 1e9, bytes: 1e9 }, 25, limits)).toBe(0.8);
  });
});

describe("validation", () => {
  it("is relative to the largest number", () => {
    expect(differenceOf([100, 1], [100, 1.1])).toBeCloseTo(0.001);
    expect(differenceOf([0, 0], [0, 0])).toBe(0);
  });
  it("never accepts other lengths or NaN", () => {
    expect(differenceOf([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
    expect(differenceOf([1], [Number.NaN])).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("the page", () => {
  it("shows limits, rows and figures", () => {
    const report: Report = {
      ...{
        date: "2026-01-01",
        command: "npm run bench -- train",
        machine: { cores: "2" },
        versions: { torch: "2" },
        limits,
      },
      rows: rowsOf(comparison, [trivium, torch("default", [500, 500, 500])], limits),
      figures: [
        { suite: "system", name: "start", value: { median: 1, min: 1, max: 2 }, unit: "ms", goal: "< 5", loaded: true },
      ],
    };
    const page = renderMarkdown([report]);
    expect(page).toContain(
      "| net | 10 | 2 | torch default * | images/s | 2000 (1000-3000) | 500 | 4 (2-6) | 50 % |  |  |",
    );
    expect(page).toContain("| system | start | 1 (1-2) | ms | < 5: reached | loaded |");
    expect(page).toContain("FMA peak 400 GFLOP/s");
  });
});
