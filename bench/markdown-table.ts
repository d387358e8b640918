/** Pieces of Markdown that every page of the bench is made of. */
import type { Summary } from "./statistics.ts";

/** Median, then minimum and maximum; one number where there was one measurement. */
export const rangeOf = ({ median, min, max }: Summary) => (min === max ? `${median}` : `${median} (${min}-${max})`);

export const percent = (share: number, digits = 0) => `${(100 * share).toFixed(digits)} %`;

/** A table; a bar inside a cell does not end it. */
export const tableOf = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  [header, header.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
