/** Every row of the semantics table has its tests. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fileOf, type Row, rows } from "./rows.ts";

test("27 rows, each with a test in every door that it concerns", () => {
  expect(rows.length).toBe(27);
  const missing = rows.flatMap(({ program, tests }) =>
    (Object.keys(tests) as (keyof Row["tests"])[])
      .filter((where) => {
        const text = readFileSync(new URL(fileOf(where), import.meta.url), "utf8");
        return !text.includes(`test("${tests[where]}`);
      })
      .map((where) => `${program}: ${where}`),
  );
  expect(missing).toEqual([]);
});
