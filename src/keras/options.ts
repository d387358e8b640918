import { ArgumentError } from "../errors.ts";
import { nearestName } from "../nearest-name.ts";

const suggestion = (name: string, candidates: readonly string[]): string => {
  const near = nearestName(name, candidates);
  return near ? ` (did you mean "${near}"?)` : "";
};

/** Rejects options that nobody reads: a misspelled one would otherwise be ignored without a word. */
export function checkOptions(owner: string, options: object, allowed: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || allowed.includes(name)) continue;
    throw new ArgumentError(
      `${owner}: unknown option "${name}"${suggestion(name, allowed)}; expected ${allowed.length > 0 ? allowed.join(", ") : "none"}.`,
    );
  }
}

/** A name from a table, or an error that lists the table. */
export function lookUp<Value>(
  owner: string,
  kind: string,
  name: string,
  table: Readonly<Record<string, Value>>,
): Value {
  if (Object.hasOwn(table, name)) return table[name];
  const names = Object.keys(table);
  throw new ArgumentError(
    `${owner}: unknown ${kind} "${name}"${suggestion(name, names)}; expected one of ${names.join(", ")}.`,
  );
}
