/** The report's ratios as a picture: one line for each workload, one dot for each peer, on a logarithmic axis. */
import { escapeXml } from "../src/cli/curves-svg.ts";
import { type PeerName, peerNames } from "./catalogue.ts";
import type { Report, Row } from "./rows.ts";

/** A workload at one batch size with its ratio to each peer's better setting. */
export interface FigureLine {
  readonly section: string;
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

/** Workloads as someone calls them who does not know this bench. */
const names: Readonly<Record<string, string>> = {
  "seeds-cnn": "MNIST CNN",
  "seeds-8x8": "8x8 CNN",
  "cifar-cnn": "CIFAR CNN",
  "imdb-gru": "IMDB GRU",
  "resnet18-32px": "ResNet-18, 32 px",
  "transformer-layer": "transformer layer",
  "tiny-mlp-eager": "tiny MLP, plain loop",
  "tiny-mlp-compiled": "tiny MLP, compiled",
  resnet18: "ResNet-18",
  resnet50: "ResNet-50",
  mobilenet_v2: "MobileNetV2",
  vgg16: "VGG-16",
  densenet121: "DenseNet-121",
};

/** Of hundreds of kernels those that stand for themselves. */
const kernels: Readonly<Record<string, string>> = {
  "matmul 1024x1024x1024 nn": "matmul, 1024",
  "softmax 4096x4096": "softmax, 4096 x 4096",
  "gelu 16777216": "gelu, 16M numbers",
};

const sections: Readonly<Record<string, string>> = {
  train: "Training",
  infer: "Inference",
  kernels: "Single operations",
};

function labelOf({ suite, workload, shape, batch }: Row): string | undefined {
  if (suite === "kernels") return kernels[`${workload} ${shape ?? ""}`];
  return `${names[workload] ?? workload}, batch ${batch}`;
}

/** The lines of the figure by section, in the order of the rows; where a later report has the same ratio again, it counts. */
export function figureLines(reports: readonly Report[]): FigureLine[] {
  const lines = new Map<string, { section: string; label: string; ratios: Map<PeerName, number> }>();
  for (const row of reports.flatMap(({ rows }) => rows)) {
    const label = labelOf(row);
    // runs that are held to AVX2 are on the page, not in the picture
    if (label === undefined || !row.better || row.ratio === undefined || row.heldTo !== undefined) continue;
    const section = sections[row.suite]!;
    const line = lines.get(`${section} ${label}`) ?? { section, label, ratios: new Map() };
    line.ratios.set(row.peer as PeerName, row.ratio.median);
    lines.set(`${section} ${label}`, line);
  }
  const order = Object.values(sections);
  return [...lines.values()]
    .map(({ ratios, ...head }) => ({ ...head, ratios: [...ratios].map(([peer, ratio]) => ({ peer, ratio })) }))
    .sort((one, other) => order.indexOf(one.section) - order.indexOf(other.section));
}

const [left, right, top, rowHeight, sectionHeight, width] = [228, 44, 92, 20, 26, 760];
/** Where the axis ends at most: what is beyond stands at its end with an arrow. */
const farthest = 32;
/** Pixels that a number beside a dot needs. */
const numberWidth = 36;

// Numbers have a rim of the background, so that lines behind them do not cross them out. Colours that stay apart for colour-blind eyes, on white and on black.
const style = `
  .surface { fill: #ffffff } .ahead { fill: #f3f6f9 } .ink { fill: #1b1f24 } .quiet { fill: #59636e } .grid { stroke: #d8dee4 } .one { stroke: #1b1f24; stroke-dasharray: 4 3 }
  .torch { fill: #d1480a } .keras { fill: #8250df } .ort { fill: #0969da } .tfjs { fill: #bf8700 } .jax { fill: #1a7f6b }
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif } .title { font-size: 16px; font-weight: 600 } .head { font-weight: 600 } .small { font-size: 11px; paint-order: stroke; stroke: #f3f6f9; stroke-width: 3px }
  @media (prefers-color-scheme: dark) {
    .surface { fill: #0d1117 } .ahead { fill: #151b23 } .ink { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #2a313c } .one { stroke: #e6edf3 }
    .torch { fill: #f0883e } .keras { fill: #bc8cff } .ort { fill: #58a6ff } .tfjs { fill: #e3b341 } .jax { fill: #56d4bc }
    .small { stroke: #151b23 }
  }`;

/** Powers of two that enclose the ratios and 1. */
function powers(ratios: readonly number[]): number[] {
  const low = Math.floor(Math.log2(Math.min(1, ...ratios)) - 0.1);
  const high = Math.min(Math.log2(farthest), Math.ceil(Math.log2(Math.max(2, ...ratios)) + 0.1));
  return Array.from({ length: high - low + 1 }, (_, index) => 2 ** (low + index));
}

/** A ratio as a person says it. */
const spoken = (ratio: number) => (ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(ratio >= 2 ? 1 : 2));

/** Dots of one line with their numbers, where there is room for them: right of the dot, else left of it. */
function dotsOf(ratios: FigureLine["ratios"], y: number, across: (ratio: number) => number): string {
  const dots = ratios
    .map(({ peer, ratio }) => ({ peer, ratio, x: across(ratio) }))
    .sort((one, other) => one.x - other.x);
  const isFree = (from: number, to: number, own: number) =>
    dots.every(({ x }, index) => index === own || x + 5 < from || x - 5 > to);
  let taken = left;
  return dots
    .map(({ peer, ratio, x }, index) => {
      const parts = [
        `<circle class="${peer}" cx="${x}" cy="${y}" r="5"><title>${titles[peer]} ${ratio}x</title></circle>`,
      ];
      const number = (at: number, anchor: string) => {
        parts.push(`<text class="quiet small" x="${at}" y="${y + 4}" text-anchor="${anchor}">${spoken(ratio)}</text>`);
      };
      if (ratio > farthest)
        parts.push(
          `<text class="${peer} small" x="${x - 9}" y="${y + 4}" text-anchor="end">${spoken(ratio)}x →</text>`,
        );
      else if (ratio >= 1 && isFree(x + 5, x + numberWidth, index)) {
        number(x + 9, "start");
        taken = x + numberWidth;
      } else if (isFree(x - numberWidth, x - 5, index) && x - numberWidth > taken) number(x - 9, "end");
      return parts.join("");
    })
    .join("");
}

/** The ratios of reports as SVG. */
export function renderFigure(reports: readonly Report[]): string {
  const lines = figureLines(reports);
  const ticks = powers(lines.flatMap(({ ratios }) => ratios.map(({ ratio }) => ratio)));
  const [low, high] = [Math.log2(ticks[0]!), Math.log2(ticks.at(-1)!)];
  const across = (ratio: number) => {
    const part = (Math.log2(Math.min(ratio, farthest)) - low) / (high - low);
    return Number((left + (width - left - right) * part).toFixed(1));
  };
  let y = top;
  const rows = lines.map(({ section, label, ratios }, index) => {
    const parts: string[] = [];
    if (section !== lines[index - 1]?.section) {
      y += sectionHeight;
      parts.push(`<text class="ink head" x="16" y="${y - 8}">${section}</text>`);
    }
    y += rowHeight;
    const text = `<text class="ink" x="${left - 14}" y="${y - rowHeight / 2 + 4}" text-anchor="end">${escapeXml(label)}</text>`;
    return [...parts, text, dotsOf(ratios, y - rowHeight / 2, across)].join("");
  });
  const bottom = y + 4;
  const height = bottom + 30;
  const grid = ticks.map((tick) => {
    const x = across(tick);
    const label = tick >= 1 ? String(tick) : `1/${1 / tick}`;
    return (
      `<line class="${tick === 1 ? "one" : "grid"}" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>` +
      `<text class="quiet" x="${x}" y="${bottom + 18}" text-anchor="middle">${label}x</text>`
    );
  });
  let x = 16;
  const legend = peerNames
    .filter((peer) => lines.some(({ ratios }) => ratios.some((entry) => entry.peer === peer)))
    .map((peer) => {
      const at = x + 5;
      x += 36 + 7.5 * titles[peer].length;
      return `<circle class="${peer}" cx="${at}" cy="52" r="5"/><text class="ink" x="${at + 10}" y="56">${titles[peer]}</text>`;
    });
  const start = across(1);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    "<title>Throughput of Trivium over that of its peers, by workload</title>",
    `<style>${style}\n</style>`,
    `<rect class="surface" width="${width}" height="${height}"/>`,
    `<rect class="ahead" x="${start}" y="${top}" width="${width - right - start}" height="${bottom - top}"/>`,
    `<text class="title ink" x="16" y="28">Trivium's throughput over each framework's, in its better setting</text>`,
    `<text class="quiet" x="${start + 8}" y="${top - 8}">Trivium is faster →</text>`,
    ...legend,
    ...grid,
    ...rows,
    "</svg>",
  ].join("\n")}\n`;
}
