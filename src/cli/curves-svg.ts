import { labelTicks, niceTicks } from "./ticks.ts";

/** One line of a panel: a value per epoch. */
export interface Curve {
  readonly label: string;
  readonly values: readonly number[];
  readonly style: CurveStyle;
}

/** How a curve is drawn: training and validation of one run, or up to three runs that may lie on each other, the widest below. */
export type CurveStyle = "train" | "validation" | "wide" | "middle" | "narrow";

/** One diagram: curves over epochs. */
export interface Panel {
  readonly title: string;
  readonly curves: readonly Curve[];
  /** Upper end of the axis where the quantity has one (1 for an accuracy). */
  readonly limit?: number;
  /** Ends of the vertical axis, where panels are to be compared. Default: what the values need. */
  readonly domain?: readonly [low: number, high: number];
}

const panelWidth = 440;
const panelHeight = 300;
const gap = 32;
const margin = { top: 96, right: 20, bottom: 56, left: 60 };

/** Text of an XML or HTML document. */
export const escapeXml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const coordinate = (value: number) => String(Number(value.toFixed(2)));

// Blue and orange stay apart for colour-blind eyes; dashes tell the curves apart in print.
const style = `
  .surface { fill: #ffffff } .ink { fill: #1b1f24 } .quiet { fill: #59636e } .grid { stroke: #d8dee4 } .axis { stroke: #8c959f }
  .train { stroke: #0969da } .train-dot { fill: #0969da } .validation { stroke: #bc4c00; stroke-dasharray: 7 4 } .validation-dot { fill: #bc4c00 }
  .wide { stroke: #a5cdf7 } .wide-dot { fill: #a5cdf7 } .middle { stroke: #4493f8 } .middle-dot { fill: #4493f8 } .narrow { stroke: #bc4c00; stroke-dasharray: 6 6 } .narrow-dot { fill: #bc4c00 }
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif } .title { font-size: 18px; font-weight: 600 } .panel-title { font-size: 15px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .surface { fill: #0d1117 } .ink { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #2a313c } .axis { stroke: #656c76 }
    .train { stroke: #58a6ff } .train-dot { fill: #58a6ff } .validation { stroke: #f0883e } .validation-dot { fill: #f0883e }
    .wide { stroke: #1f4a7a } .wide-dot { fill: #1f4a7a } .middle { stroke: #58a6ff } .middle-dot { fill: #58a6ff } .narrow { stroke: #f0883e } .narrow-dot { fill: #f0883e }
  }`;

const strokeWidths: Readonly<Record<CurveStyle, number>> = { train: 2, validation: 2, wide: 9, middle: 4, narrow: 2 };

/** Lower and upper end of a panel's axis: the values with some room, zero included when it is near. */
export function domainOf({ curves, limit, domain }: Panel): readonly [low: number, high: number] {
  if (domain) return domain;
  const values = curves.flatMap((curve) => curve.values).filter(Number.isFinite);
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (values.length === 0) return [0, 1];
  const room = 0.08 * (high - low) || Math.abs(high) * 0.1 || 1;
  const from = low - room;
  return [
    low >= 0 && (from < 0 || low < 0.35 * high) ? 0 : from,
    Math.min(high + room, limit ?? Number.POSITIVE_INFINITY),
  ];
}

function renderPanel(panel: Panel, left: number): string {
  const [low, high] = domainOf(panel);
  const epochs = Math.max(1, ...panel.curves.map((curve) => curve.values.length));
  const x = (epoch: number) => left + (epochs === 1 ? panelWidth / 2 : ((epoch - 1) * panelWidth) / (epochs - 1));
  const y = (value: number) => margin.top + panelHeight * (1 - (value - low) / (high - low));
  const bottom = margin.top + panelHeight;
  const parts: string[] = [
    `<text class="ink panel-title" x="${left}" y="${margin.top - 34}">${escapeXml(panel.title)}</text>`,
  ];
  const ticks = niceTicks(low, high, 5);
  labelTicks(ticks).forEach((label, index) => {
    const at = coordinate(y(ticks[index]!));
    parts.push(`<line class="grid" x1="${left}" x2="${left + panelWidth}" y1="${at}" y2="${at}"/>`);
    parts.push(
      `<text class="quiet" x="${left - 8}" y="${at}" text-anchor="end" dominant-baseline="central">${label}</text>`,
    );
  });
  for (const epoch of niceTicks(1, epochs, Math.min(epochs, 8)).filter(Number.isInteger)) {
    const at = coordinate(x(epoch));
    parts.push(`<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}"/>`);
    parts.push(`<text class="quiet" x="${at}" y="${bottom + 20}" text-anchor="middle">${epoch}</text>`);
  }
  parts.push(`<line class="axis" x1="${left}" x2="${left + panelWidth}" y1="${bottom}" y2="${bottom}"/>`);
  parts.push(`<text class="quiet" x="${left + panelWidth / 2}" y="${bottom + 42}" text-anchor="middle">epoch</text>`);
  let legend = left;
  for (const { label, values, style: kind } of panel.curves) {
    const points = values.map((value, index) => ({ value, at: `${coordinate(x(index + 1))},${coordinate(y(value))}` }));
    const drawn = points.filter(({ value }) => Number.isFinite(value));
    if (drawn.length > 1)
      parts.push(
        `<polyline class="${kind}" fill="none" stroke-width="${strokeWidths[kind]}" points="${drawn.map(({ at }) => at).join(" ")}"/>`,
      );
    for (const { value, at } of drawn) {
      const [cx, cy] = at.split(",");
      parts.push(
        `<circle class="${kind}-dot" cx="${cx}" cy="${cy}" r="${epochs > 40 ? 1.5 : 3}"><title>${escapeXml(label)} ${value.toFixed(4)}</title></circle>`,
      );
    }
    const last = drawn.at(-1);
    const text = last === undefined ? label : `${label} ${last.value.toFixed(4)}`;
    const line = margin.top - 14;
    parts.push(
      `<line class="${kind}" x1="${legend}" x2="${legend + 24}" y1="${line - 4}" y2="${line - 4}" stroke-width="${strokeWidths[kind]}"/>`,
    );
    parts.push(`<text class="quiet" x="${legend + 30}" y="${line}">${escapeXml(text)}</text>`);
    legend += 44 + 7.2 * text.length;
  }
  return parts.join("\n");
}

/** What the classes of drawings mean. A page that holds several drawings has it once. */
export const curvesStyle = style;

/** Panels side by side as an SVG element without style or title of its own, for a page that has `curvesStyle`. */
export function renderFigure(label: string, panels: readonly Panel[]): string {
  const lift = 44; // the room that a title would take
  const { width, height } = sizeOf(panels.length);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 ${lift} ${width} ${height - lift}" role="img" aria-label="${escapeXml(label)}">`,
    ...drawPanels(panels),
    "</svg>",
  ].join("\n");
}

function drawPanels(panels: readonly Panel[]): string[] {
  return panels.map((panel, index) => renderPanel(panel, margin.left + index * (panelWidth + margin.left + gap)));
}

function sizeOf(panels: number): { width: number; height: number } {
  const width = margin.left + panels * (panelWidth + margin.right) + (panels - 1) * (margin.left + gap - margin.right);
  return { width, height: margin.top + panelHeight + margin.bottom };
}

/** Panels side by side as one SVG document, readable on light and dark pages. */
export function renderCurves(title: string, subtitle: string, panels: readonly Panel[]): string {
  const { width, height } = sizeOf(panels.length);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="surface" width="${width}" height="${height}"/>`,
    `<text class="ink title" x="${margin.left}" y="30">${escapeXml(title)}</text>`,
    `<text class="quiet" x="${width - margin.right}" y="30" text-anchor="end">${escapeXml(subtitle)}</text>`,
    ...drawPanels(panels),
    "</svg>",
    "",
  ].join("\n");
}
