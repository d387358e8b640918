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
        section: "Training",
        label: "net, batch 8",
        ratios: [
          { peer: "torch", ratio: 4 },
          { peer: "keras", ratio: 0.5 },
        ],
      },
      { section: "Single operations", label: "softmax, 4096 x 4096", ratios: [{ peer: "torch", ratio: 2 }] },
    ]);
  });
  it("is one well-formed picture with every dot inside", () => {
    const svg = renderFigure([report([row({ workload: "a < b", ratio: { median: 300, min: 1, max: 300 } })])]);
    expect(svg).toContain("a &lt; b, batch 8");
    expect(svg.match(/<circle/g)).toHaveLength(2); // legend and dot
    for (const [, x] of svg.matchAll(/cx="([\d.]+)"/g)) expect(Number(x)).toBeLessThan(760);
  });
  it("ends its axis where a peer is hundreds of times slower, and says by how much", () => {
    const svg = renderFigure([report([row({ peer: "tfjs", ratio: { median: 300, min: 300, max: 300 } })])]);
    expect(svg).toContain(">32x</text>");
    expect(svg).not.toContain(">64x</text>");
    expect(svg).toContain(">300x →</text>");
  });
  it("writes numbers beside dots, never over another dot", () => {
    const ratios = { torch: 2, keras: 2.05, ort: 0.9 };
    const rows = Object.entries(ratios).map(([peer, median]) =>
      row({ peer, ratio: { median, min: median, max: median } }),
    );
    const svg = renderFigure([report(rows)]);
    const dots = [...svg.matchAll(/<circle class="\w+" cx="([\d.]+)" cy="1\d\d"/g)].map(([, x]) => Number(x));
    const numbers = [...svg.matchAll(/small" x="([\d.]+)" y="\d+" text-anchor="(start|end)">([\d.]+)</g)];
    expect(dots).toHaveLength(3);
    expect(numbers.map(([, , , text]) => text)).toEqual(["0.90", "2.0", "2.0"]);
    for (const [, at, anchor] of numbers) {
      const from = anchor === "start" ? Number(at) : Number(at) - 20;
      for (const x of dots) expect(x < from || x > from + 20).toBe(true);
    }
  });
  it("is empty but whole without rows", () => {
    expect(renderFigure([report([])])).toContain("</svg>");
  });
});
