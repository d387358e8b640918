/** The report's ratios as a picture: one line for each workload, one dot for each peer, on a logarithmic axis with the peer's pace in the middle. */
import { escapeXml } from "../src/cli/curves-svg.ts";
import { type PeerName, peerNames } from "./catalogue.ts";
import type { Report, Row } from "./rows.ts";

/** A workload at one batch size with its ratio to each peer's better setting. */
export interface FigureLine {
  readonly label: string;
  readonly ratios: readonly { readonly peer: PeerName; readonly ratio: number }[];
}

const titles: Readonly<Record<PeerName, string>> = {
  torch: "PyTorch",
  keras: "Keras",
  ort: "ONNX Runtime",
  tfjs: "TensorFlow.js",
  jax: "JAX",
};

/** Of hundreds of kernels those that stand for themselves. */
const shownKernels = ["matmul 1024x1024x1024 nn", "softmax 4096x4096", "gelu 16777216"];

function labelOf(row: Row): string | undefined {
  if (row.suite === "train") return `${row.workload}, batch ${row.batch}`;
  if (row.suite === "infer") return `${row.workload} inference, batch ${row.batch}`;
  const name = `${row.workload} ${row.shape ?? ""}`;
  return shownKernels.includes(name) ? name : undefined;
}

/** The lines of the figure, in the order of the rows; where a later report has the same workload, its ratio counts. */
export function figureLines(reports: readonly Report[]): FigureLine[] {
  const lines = new Map<string, Map<PeerName, number>>();
  for (const row of reports.flatMap(({ rows }) => rows)) {
    const label = labelOf(row);
    // runs that are held to AVX2 are on the page, not in the picture
    if (label === undefined || !row.better || row.ratio === undefined || row.heldTo !== undefined) continue;
    const ratios = lines.get(label) ?? new Map<PeerName, number>();
    lines.set(label, ratios.set(row.peer as PeerName, row.ratio.median));
  }
  return [...lines].map(([label, ratios]) => ({
    label,
    ratios: [...ratios].map(([peer, ratio]) => ({ peer, ratio })),
  }));
}

const [left, right, top, rowHeight, width] = [240, 30, 84, 22, 760];

// Colours that stay apart for colour-blind eyes, on white and on black.
const style = `
  .surface { fill: #ffffff } .ink { fill: #1b1f24 } .quiet { fill: #59636e } .grid { stroke: #d8dee4 } .one { stroke: #1b1f24; stroke-dasharray: 4 3 }
  .torch { fill: #d1480a } .keras { fill: #8250df } .ort { fill: #0969da } .tfjs { fill: #bf8700 } .jax { fill: #1a7f6b }
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif } .title { font-size: 16px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .surface { fill: #0d1117 } .ink { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #2a313c } .one { stroke: #e6edf3 }
    .torch { fill: #f0883e } .keras { fill: #bc8cff } .ort { fill: #58a6ff } .tfjs { fill: #e3b341 } .jax { fill: #56d4bc }
  }`;

/** Powers of two that enclose the ratios and 1. */
function powers(ratios: readonly number[]): number[] {
  const low = Math.floor(Math.log2(Math.min(1, ...ratios)) - 0.2);
  const high = Math.ceil(Math.log2(Math.max(2, ...ratios)) + 0.2);
  return Array.from({ length: high - low + 1 }, (_, index) => 2 ** (low + index));
}

/** The ratios of reports as SVG. */
export function renderFigure(reports: readonly Report[]): string {
  const lines = figureLines(reports);
  const ticks = powers(lines.flatMap(({ ratios }) => ratios.map(({ ratio }) => ratio)));
  const [low, high] = [Math.log2(ticks[0]!), Math.log2(ticks.at(-1)!)];
  const across = (ratio: number) =>
    Number((left + ((width - left - right) * (Math.log2(ratio) - low)) / (high - low)).toFixed(1));
  const bottom = top + lines.length * rowHeight;
  const height = bottom + 34;
  const peers = peerNames.filter((peer) => lines.some(({ ratios }) => ratios.some((entry) => entry.peer === peer)));
  // labels of a wide axis would run into each other: every second power then
  const spaced = ticks.length > 9 ? ticks.filter((tick) => Math.log2(tick) % 2 === 0) : ticks;
  const grid = spaced.map((tick) => {
    const x = across(tick);
    const label = tick >= 1 ? String(tick) : `1/${1 / tick}`;
    return (
      `<line class="${tick === 1 ? "one" : "grid"}" x1="${x}" x2="${x}" y1="${top - 6}" y2="${bottom}"/>` +
      `<text class="quiet" x="${x}" y="${bottom + 18}" text-anchor="middle">${label}x</text>`
    );
  });
  const legend = peers.map((peer, index) => {
    const x = left + index * 108;
    return `<circle class="${peer}" cx="${x}" cy="52" r="5"/><text class="ink" x="${x + 10}" y="56">${titles[peer]}</text>`;
  });
  const rows = lines.map(({ label, ratios }, index) => {
    const y = top + (index + 0.5) * rowHeight;
    const dots = ratios.map(
      ({ peer, ratio }) =>
        `<circle class="${peer}" cx="${across(ratio)}" cy="${y}" r="5"><title>${titles[peer]} ${ratio}x</title></circle>`,
    );
    return `<text class="ink" x="${left - 12}" y="${y + 4}" text-anchor="end">${escapeXml(label)}</text>${dots.join("")}`;
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    "<title>Throughput of Trivium over that of its peers, by workload</title>",
    `<style>${style}\n</style>`,
    `<rect class="surface" width="${width}" height="${height}"/>`,
    `<text class="title ink" x="16" y="28">Throughput over each peer's better setting: right of the dashes Trivium is faster</text>`,
    ...legend,
    ...grid,
    ...rows,
    "</svg>",
  ].join("\n")}\n`;
}
