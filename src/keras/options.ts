import { ArgumentError } from "../errors.ts";
import { didYouMean } from "../nearest-name.ts";

/** Rejects options that nobody reads: a misspelled one would otherwise be ignored without a word. */
export function checkOptions(owner: string, options: object, allowed: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || allowed.includes(name)) continue;
    throw new ArgumentError(
      `${owner}: unknown option "${name}"${didYouMean(name, allowed)}; expected ${allowed.length > 0 ? allowed.join(", ") : "none"}.`,
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
  throw unknownName(owner, kind, name, Object.keys(table));
}

/** The error about a name that is none of those that there are. */
export function unknownName(owner: string, kind: string, name: string, names: readonly string[]): ArgumentError {
  return new ArgumentError(
    `${owner}: unknown ${kind} "${name}"${didYouMean(name, names)}; expected one of ${names.join(", ")}.`,
  );
}
