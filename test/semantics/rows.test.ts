/** Every row of the semantics table has its tests. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { filesOf, type Row, rows } from "./rows.ts";

test("27 rows, each with a test in every door that it concerns", () => {
  expect(rows.length).toBe(27);
  const missing = rows.flatMap(({ program, tests }) =>
    (Object.keys(tests) as (keyof Row["tests"])[])
      .filter((where) => {
        const texts = filesOf(where).map((file) => readFileSync(new URL(file, import.meta.url), "utf8"));
        return !texts.some((text) => text.includes(`test("${tests[where]}`));
      })
      .map((where) => `${program}: ${where}`),
  );
  expect(missing).toEqual([]);
});
