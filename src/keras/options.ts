import { ArgumentError } from "../errors.ts";

/** Rejects options that nobody reads: a misspelled one would otherwise be ignored without a word. */
export function checkOptions(owner: string, options: object, allowed: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || allowed.includes(name)) continue;
    const near = nearest(name, allowed);
    throw new ArgumentError(
      `${owner}: unknown option "${name}"${near ? ` (did you mean "${near}"?)` : ""}; expected ${allowed.length > 0 ? allowed.join(", ") : "none"}.`,
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
  const near = nearest(name, names);
  throw new ArgumentError(
    `${owner}: unknown ${kind} "${name}"${near ? ` (did you mean "${near}"?)` : ""}; expected one of ${names.join(", ")}.`,
  );
}

/** The closest name, if one is close. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/_/g, "");
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plain(name), plain(candidate));
    if (distance < least) [least, best] = [distance, candidate];
  }
  return best;
}

/** Levenshtein's distance. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const change = previous[column - 1] + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(change, previous[column] + 1, current[column - 1] + 1));
    }
    previous = current;
  }
  return previous[right.length];
}
