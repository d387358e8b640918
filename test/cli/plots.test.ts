import { describe, expect, test } from "vitest";
import { renderCurves } from "../../src/cli/curves-svg.ts";
import { renderPlot } from "../../src/cli/terminal-plot.ts";

const training = [0.36, 0.16, 0.115, 0.088, 0.071];
const validation = [0.19, 0.135, 0.114, 0.101, 0.0938];

describe("terminal plot", () => {
  test("two curves with axes and legend", () => {
    const text = renderPlot(
      "loss",
      [
        { label: "training", values: training },
        { label: "validation", values: validation },
      ],
      { width: 30, height: 6 },
    );
    expect(text).toMatchInlineSnapshot(`
      "     loss   ● training   ○ validation
          │●⢄
      0.3 ┤  ⠑⢄
          │    ⠣⡀
      0.2 ┤○⣀⣀  ⠈⠢⡀
          │   ⠉⠉⠒⠒○⠭⢖⣒⣢⣤⡤⣀●⡀
      0.1 ┤             ⠈⠉○⠉⠉⠑⠒⠒⠶○⠶⠶⠶⣒⣒⣒○
          └──────────────────────────────
           1                            5  epoch
      "
    `);
  });

  test("one value, none, and values that are not numbers", () => {
    expect(renderPlot("loss", [{ label: "a", values: [2] }])).toContain("2 ┤");
    expect(renderPlot("loss", [{ label: "a", values: [] }])).toBe("loss: nothing to draw\n");
    expect(renderPlot("loss", [{ label: "a", values: [1, Number.NaN, 2] }])).toContain("●");
  });

  test("without colour there are no escape codes, with colour every line ends reset", () => {
    const series = [{ label: "a", values: training }];
    expect(renderPlot("loss", series, { color: false })).not.toContain("\x1b");
    for (const line of renderPlot("loss", series, { color: true }).split("\n")) {
      expect(line.lastIndexOf("\x1b[36m")).toBeLessThanOrEqual(line.lastIndexOf("\x1b[0m"));
    }
  });

  test("long curves are lines without markers", () => {
    const values = Array.from({ length: 500 }, (_, index) => 1 / (index + 1));
    const text = renderPlot("loss", [{ label: "a", values }]);
    expect(text.split("\n").slice(1).join("")).not.toContain("●");
    expect(text).toContain("500  epoch");
  });
});

describe("SVG curves", () => {
  const svg = renderCurves("A <run> & more", "x86", [
    {
      title: "Loss",
      curves: [
        { label: "training", values: training, style: "train" },
        { label: "validation", values: validation, style: "validation" },
      ],
    },
    { title: "Accuracy", limit: 1, curves: [{ label: "training", values: [0.9], style: "train" }] },
    { title: "Empty", curves: [{ label: "training", values: [], style: "train" }] },
  ]);

  test("is well-formed: every element closed, text escaped, no coordinate that is not a number", () => {
    const open: string[] = [];
    for (const [, closing, name, selfClosing] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (closing) expect(open.pop()).toBe(name);
      else if (!selfClosing) open.push(name!);
    }
    expect(open).toEqual([]);
    expect(svg).toContain("A &lt;run&gt; &amp; more");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("draws each value once, on light and dark pages", () => {
    expect(svg.match(/<circle/g)?.length).toBe(11);
    expect(svg.match(/<polyline/g)?.length).toBe(2);
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(svg).toContain("validation 0.0938");
  });

  test("an accuracy's axis does not pass 1", () => {
    const flat = renderCurves("t", "", [
      { title: "Accuracy", limit: 1, curves: [{ label: "a", values: [0.98, 0.999], style: "train" }] },
    ]);
    expect(flat).toContain(">1.000<");
    expect(flat).not.toContain(">1.005<");
  });
});
