/** How modules are printed: the text of PyTorch's `repr`. */
import type { AnyModule } from "./any-module.ts";

const indented = (text: string): string => text.replaceAll("\n", "\n  ");

/** `Net(\n  (conv): Conv2d(1, 32, …)\n)`. */
export function moduleText(module: AnyModule): string {
  const extra = module.extraRepr();
  const extraLines = extra === "" ? [] : extra.split("\n");
  const childLines = module.namedChildren().map(([name, child]) => `(${name}): ${indented(String(child))}`);
  return framed(module.constructor.name, extraLines, childLines);
}

/** A list of modules; equal neighbours stand on one line: `(0-2): 3 x Linear(…)`. */
export function moduleListText(module: AnyModule): string {
  const runs: { first: number; last: number; text: string }[] = [];
  module.children().forEach((child, index) => {
    const text = String(child);
    const run = runs.at(-1);
    if (run?.text === text) run.last = index;
    else runs.push({ first: index, last: index, text });
  });
  if (runs.length === 0) return `${module.constructor.name}()`;
  const lines = runs.map(({ first, last, text }) =>
    indented(first === last ? `(${first}): ${text}` : `(${first}-${last}): ${last - first + 1} x ${text}`),
  );
  return framed(module.constructor.name, [], lines);
}

function framed(name: string, extraLines: readonly string[], childLines: readonly string[]): string {
  if (extraLines.length === 1 && childLines.length === 0) return `${name}(${extraLines[0]})`;
  const lines = [...extraLines, ...childLines];
  return lines.length === 0 ? `${name}()` : `${name}(\n  ${lines.join("\n  ")}\n)`;
}

/** Options as Python prints them: `True`, `None`, `(3, 3)`, `1e-05`, `'same'`. */
export function pythonText(value: unknown): string {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null || value === undefined) return "None";
  if (typeof value === "string") return `'${value}'`;
  if (Array.isArray(value))
    return value.length === 1 ? `(${pythonText(value[0])},)` : `(${value.map(pythonText).join(", ")})`;
  if (typeof value === "number") return numberText(value);
  return String(value);
}

/** Python's `repr` of a float has two digits in an exponent, and writes 0.0001 but 1e-05. */
function numberText(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    const [digits, exponent] = value.toExponential().split("e");
    const size = exponent.slice(1).padStart(2, "0");
    return `${digits}e${exponent[0]}${size}`;
  }
  return String(value);
}

/** A float: whole numbers keep their `.0`, as in Python. */
export function floatText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e16 ? `${value}.0` : numberText(value);
}
