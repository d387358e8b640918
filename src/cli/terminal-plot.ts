import { labelTicks, niceTicks } from "./ticks.ts";

/** One line of a plot. */
export interface PlotSeries {
  readonly label: string;
  readonly values: readonly number[];
}

/** Size and colours of a plot; sizes in characters, axes not counted. */
export interface PlotOptions {
  readonly width?: number;
  readonly height?: number;
  readonly color?: boolean;
}

/** Dots of a braille character by row and column (Unicode 28xx). */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

const colors = ["\x1b[36m", "\x1b[33m", "\x1b[35m", "\x1b[32m"];
const markers = ["●", "○", "◆", "◇"];

/** A grid of characters in which lines are drawn at twice the columns and four times the rows. */
class Canvas {
  readonly #masks: Uint8Array;
  readonly #marks: string[];
  readonly #owners: Int8Array;
  readonly width: number;
  readonly height: number;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#masks = new Uint8Array(width * height);
    this.#marks = new Array<string>(width * height).fill("");
    this.#owners = new Int8Array(width * height).fill(-1);
  }

  line(fromX: number, fromY: number, toX: number, toY: number, owner: number): void {
    const steps = Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY), 1);
    for (let step = 0; step <= steps; step++) {
      const x = Math.round(fromX + ((toX - fromX) * step) / steps);
      const y = Math.round(fromY + ((toY - fromY) * step) / steps);
      const cell = (y >> 2) * this.width + (x >> 1);
      this.#masks[cell]! |= dots[y & 3]![x & 1]!;
      this.#owners[cell] = owner;
    }
  }

  mark(x: number, y: number, owner: number): void {
    const cell = (y >> 2) * this.width + (x >> 1);
    this.#marks[cell] = markers[owner % markers.length]!;
    this.#owners[cell] = owner;
  }

  row(index: number, color: boolean): string {
    let text = "";
    for (let cell = index * this.width; cell < (index + 1) * this.width; cell++) {
      const character =
        this.#marks[cell] || (this.#masks[cell] === 0 ? " " : String.fromCharCode(0x2800 + this.#masks[cell]!));
      text +=
        color && this.#owners[cell]! >= 0
          ? `${colors[this.#owners[cell]! % colors.length]}${character}\x1b[0m`
          : character;
    }
    return color ? text : text.trimEnd();
  }
}

/**
 * Curves over 1, 2, … drawn with braille dots, a marker at each value, round numbers at the axis and a legend.
 */
export function renderPlot(title: string, series: readonly PlotSeries[], options: PlotOptions = {}): string {
  const { width = 60, height = 12, color = false } = options;
  const values = series.flatMap((line) => line.values).filter(Number.isFinite);
  if (values.length === 0) return `${title}: nothing to draw\n`;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low || Math.abs(high) || 1;
  const canvas = new Canvas(width, height);
  const count = Math.max(...series.map((line) => line.values.length));
  const x = (index: number) => (count === 1 ? width : Math.round((index * (2 * width - 1)) / (count - 1)));
  const y = (value: number) => Math.round((high === low ? 0.5 : (high - value) / span) * (4 * height - 1));
  series.forEach((line, owner) => {
    line.values.forEach((value, index) => {
      const next = line.values[index + 1];
      if (next !== undefined && Number.isFinite(value) && Number.isFinite(next))
        canvas.line(x(index), y(value), x(index + 1), y(next), owner);
    });
  });
  if (count <= width / 2) {
    series.forEach((line, owner) => {
      line.values.forEach((value, index) => {
        if (Number.isFinite(value)) canvas.mark(x(index), y(value), owner);
      });
    });
  }
  const ticks = high === low ? [high] : niceTicks(low, high, 4);
  const texts = labelTicks(ticks);
  const labels = new Map(ticks.map((tick, index) => [y(tick) >> 2, texts[index]!]));
  const margin = Math.max(...texts.map((text) => text.length));
  const legend = series.map(({ label }, owner) => {
    const marker = markers[owner % markers.length]!;
    return `${color ? `${colors[owner % colors.length]}${marker}\x1b[0m` : marker} ${label}`;
  });
  const lines = [`${" ".repeat(margin + 2)}${title}   ${legend.join("   ")}`];
  for (let row = 0; row < height; row++) {
    lines.push(`${(labels.get(row) ?? "").padStart(margin)} ${labels.has(row) ? "┤" : "│"}${canvas.row(row, color)}`);
  }
  lines.push(`${" ".repeat(margin)} └${"─".repeat(width)}`);
  const last = String(count);
  lines.push(`${" ".repeat(margin + 2)}1${last === "1" ? "" : last.padStart(width - 1)}  epoch`);
  return `${lines.join("\n")}\n`;
}
