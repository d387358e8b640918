import { ArgumentError } from "../errors.ts";

/** One layer's row in a summary. */
export interface SummaryRow {
  readonly name: string;
  readonly type: string;
  /** `null` extents print as `None`, an undefined shape as `?` (not built yet). */
  readonly outputShape: readonly (number | null)[] | string | undefined;
  readonly parameters: number;
  /** Whether the layer has weights at all yet. */
  readonly built: boolean;
  /** `undefined` for a layer without weights. */
  readonly trainable?: boolean | undefined;
  /** Where its inputs come from; a column of its own where the rows have it. */
  readonly connectedTo?: string;
}

/** Parameter counts and bytes below the table. */
export interface SummaryTotals {
  readonly trainable: number;
  readonly nonTrainable: number;
  /** Optimizer variables, once the optimizer is built. */
  readonly optimizer?: number;
  /** Bytes, where they are not four a parameter (the optimizer's 64-bit counter in Keras). */
  readonly optimizerBytes?: number;
}

/** Options of `renderSummary`; names and defaults are Keras's. */
export interface SummaryOptions {
  readonly lineLength?: number;
  /** Where columns end, as shares of the line. */
  readonly positions?: readonly number[];
  readonly showTrainable?: boolean;
}

/** `1.55 MB`, as Keras writes it. */
export function readableMemorySize(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  let size = bytes;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${size.toFixed(2)} ${units[unit]}`;
}

/** `407,050` */
export const withThousands = (count: number) => count.toLocaleString("en-US");

const formatShape = (shape: SummaryRow["outputShape"]) => {
  if (shape === undefined || typeof shape === "string") return shape ?? "?";
  return `(${shape.map((extent) => extent ?? "None").join(", ")})`;
};

/** Breaks text at spaces into lines of at most `width`; a word that is longer still is cut with an ellipsis. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const cut = word.length > width ? `${word.slice(0, width - 1)}…` : word;
    if (line !== "" && line.length + 1 + cut.length > width) {
      lines.push(line);
      line = cut;
    } else {
      line = line === "" ? cut : `${line} ${cut}`;
    }
  }
  return [...lines, line];
}

type Alignment = "left" | "right" | "center";

function align(text: string, width: number, alignment: Alignment): string {
  const space = width - text.length;
  if (alignment === "right") return " ".repeat(space) + text;
  const before = alignment === "center" ? Math.floor(space / 2) : 0;
  return " ".repeat(before) + text + " ".repeat(space - before);
}

/** Python's `round`: halves go to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Widths of the columns' texts. Keras asks for columns that leave no room for borders and padding; the library that draws its tables (rich) takes
 * the excess evenly from the columns, left to right.
 */
function columnWidths(lineLength: number, positions: readonly number[]): number[] {
  let current = 0;
  const widths = positions.map((position) => {
    const width = Math.trunc(position * lineLength) - current;
    current += width;
    return width;
  });
  if (widths.some((width) => width < 4)) {
    throw new ArgumentError(`summary: lineLength ${lineLength} is too narrow for ${positions.length} columns.`);
  }
  const bordersAndPadding = 3 * widths.length + 1;
  let excess = widths.reduce((sum, width) => sum + width, bordersAndPadding) - lineLength;
  return widths.map((width, column) => {
    const share = Math.min(width, roundHalfEven(excess / (widths.length - column)));
    excess -= share;
    return width - share;
  });
}

/**
 * The summary of a model as Keras 3 prints it: the title, a table of layers, parameter counts.
 *
 * Source: Keras 3.15, `keras/src/utils/summary_utils.py`.
 */
export function renderSummary(
  modelName: string,
  rows: readonly SummaryRow[],
  totals: SummaryTotals,
  options: SummaryOptions = {},
): string {
  const showTrainable = options.showTrainable ?? false;
  const connected = rows.some((layer) => layer.connectedTo !== undefined);
  const base = options.positions ?? (connected ? [0.3, 0.56, 0.74, 1] : [0.45, 0.8, 1]);
  const positions = showTrainable ? [...base.map((position) => position * 0.9), 1] : base;
  const header = ["Layer (type)", "Output Shape", "Param #"];
  const alignments: Alignment[] = ["left", "left", "right"];
  if (connected) {
    header.push("Connected to");
    alignments.push("left");
  }
  if (showTrainable) {
    header.push("Trainable");
    alignments.push("center");
  }
  const width = (connected ? 108 : 88) + (showTrainable ? 12 : 0);
  const widths = columnWidths(options.lineLength ?? width, positions);

  const rule = (left: string, fill: string, middle: string, right: string) =>
    left + widths.map((width) => fill.repeat(width + 2)).join(middle) + right;
  const row = (cells: readonly string[], edge: string) => {
    const wrapped = cells.map((cell, column) => wrap(cell, widths[column]!));
    const height = Math.max(...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) => {
      const texts = wrapped.map((lines, column) => align(lines[line] ?? "", widths[column]!, alignments[column]!));
      return `${edge} ${texts.join(` ${edge} `)} ${edge}`;
    });
  };
  const body = rows.map((layer) => {
    const parameters = layer.built ? withThousands(layer.parameters) : "0 (unbuilt)";
    const cells = [`${layer.name} (${layer.type})`, formatShape(layer.outputShape), parameters];
    if (connected) cells.push(layer.connectedTo ?? "-");
    if (showTrainable) cells.push(layer.trainable === undefined ? "-" : layer.trainable ? "Y" : "N");
    return row(cells, "│");
  });
  const separator = rule("├", "─", "┼", "┤");
  const table = [
    rule("┏", "━", "┳", "┓"),
    ...row(header, "┃"),
    rule("┡", "━", "╇", "┩"),
    ...body.flatMap((lines, index) => (index === 0 ? lines : [separator, ...lines])),
    rule("└", "─", "┴", "┘"),
  ];
  const count = (label: string, parameters: number, bytes = 4 * parameters) =>
    ` ${label}: ${withThousands(parameters)} (${readableMemorySize(bytes)})`;
  const optimizer = totals.optimizer ?? 0;
  const optimizerBytes = totals.optimizerBytes ?? 4 * optimizer;
  const all = totals.trainable + totals.nonTrainable;
  const lines = [
    `Model: "${modelName}"`,
    ...table,
    count("Total params", all + optimizer, 4 * all + optimizerBytes),
    count("Trainable params", totals.trainable),
    count("Non-trainable params", totals.nonTrainable),
    ...(optimizer > 0 ? [count("Optimizer params", optimizer, optimizerBytes)] : []),
  ];
  return `${lines.join("\n")}\n`;
}
