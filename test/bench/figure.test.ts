import { describe, expect, it } from "vitest";
import { figureLines, renderFigure } from "../../bench/figure.ts";
import type { Report, Row } from "../../bench/rows.ts";

const row = (fields: Partial<Row>): Row => ({
  ...{ suite: "train", workload: "net", batch: 8, threads: 2, peer: "torch", setting: "default", better: true },
  ...{ ratio: { median: 2, min: 1, max: 3 }, unit: "images/s", loaded: false },
  ...fields,
});
const report = (rows: Row[]): Report => ({
  ...{ date: "2026-01-01", command: "", machine: {}, versions: {}, figures: [] },
  rows,
});

describe("the figure", () => {
  it("takes each peer's better setting, and later reports over earlier ones", () => {
    const reports = [
      report([
        row({}),
        row({ setting: "slow", better: false, ratio: { median: 9, min: 9, max: 9 } }),
        row({ peer: "keras", ratio: { median: 0.5, min: 0.5, max: 0.5 } }),
        row({ workload: "held", heldTo: "AVX2" }),
        row({ suite: "kernels", workload: "matmul", shape: "64x64x64 nn" }),
        row({ suite: "kernels", workload: "softmax", shape: "4096x4096" }),
      ]),
      report([row({ ratio: { median: 4, min: 4, max: 4 } })]),
    ];
    expect(figureLines(reports)).toEqual([
      {
        label: "net, batch 8",
        ratios: [
          { peer: "torch", ratio: 4 },
          { peer: "keras", ratio: 0.5 },
        ],
      },
      { label: "softmax 4096x4096", ratios: [{ peer: "torch", ratio: 2 }] },
    ]);
  });
  it("is one well-formed picture with every dot inside", () => {
    const svg = renderFigure([report([row({ workload: "a < b", ratio: { median: 300, min: 1, max: 300 } })])]);
    expect(svg).toContain("a &lt; b, batch 8");
    expect(svg.match(/<circle/g)).toHaveLength(2); // legend and dot
    for (const [, x] of svg.matchAll(/cx="([\d.]+)"/g)) expect(Number(x)).toBeLessThan(760);
  });
  it("is empty but whole without rows", () => {
    expect(renderFigure([report([])])).toContain("</svg>");
  });
});
