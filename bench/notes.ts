/** bench/notes.md: by hand, for each goal that is not reached, what limit was hit and what was tried. */
import { readFileSync } from "node:fs";

/** The sections of a page of notes by their headings. */
export function parseNotes(page: string): ReadonlyMap<string, string> {
  const [, ...sections] = page.split(/^## /m);
  return new Map(
    sections.map((section) => {
      const end = section.indexOf("\n");
      return [section.slice(0, end).trim(), section.slice(end).trim()];
    }),
  );
}

/** The notes of this repository. */
export const readNotes = (): ReadonlyMap<string, string> =>
  parseNotes(readFileSync(new URL("notes.md", import.meta.url), "utf8"));
