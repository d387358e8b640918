import { parseArgs } from "node:util";
import { ArgumentError } from "../errors.ts";
import { nearestName } from "../nearest-name.ts";

/** An option of a command. */
export interface Flag {
  readonly type: "string" | "boolean" | "integer" | "number";
  /** What stands for its value in the help. */
  readonly placeholder?: string;
  readonly description: string;
  readonly default?: string | number | boolean;
  /** Least value of a number (inclusive for integers, exclusive for others). */
  readonly above?: number;
  readonly choices?: readonly string[];
}

export type Flags = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F["type"] extends "boolean" ? boolean : F["type"] extends "string" ? string : number;

/** Values of a command's flags: always there where the flag has a default. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: F[Name] extends { readonly default: unknown }
    ? ValueOf<F[Name]>
    : ValueOf<F[Name]> | undefined;
};

/** The flags of every command that computes. */
export const engineFlags = {
  target: {
    type: "string",
    placeholder: "NAME",
    choices: ["auto", "x86", "reference"],
    default: "auto",
    description: "what computes",
  },
  threads: {
    type: "integer",
    above: 1,
    description: "threads (default: TRIVIUM_THREADS, else the cores of this process)",
  },
} as const satisfies Flags;

/** Tells the engine, which reads the environment when it first computes: to be called before it is loaded. */
export function setUpEngine({ target, threads }: Partial<FlagValues<typeof engineFlags>>): void {
  if (threads !== undefined) process.env.TRIVIUM_THREADS = String(threads);
  if (target !== undefined && target !== "auto") process.env.TRIVIUM_TARGET = target;
}

/** A command of the command line. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly flags: Flags;
  readonly notes?: string;
}

/** `, did you mean "--epochs"?` where some name is close. */
export function suggestion(word: string, names: readonly string[], prefix = ""): string {
  const near = nearestName(word, names);
  return near === undefined ? "" : `, did you mean "${prefix}${near}"?`;
}

function numberOf(name: string, text: string, flag: Flag): number {
  const value = Number(text);
  const wanted = flag.type === "integer" ? "a whole number" : "a number";
  const bound =
    flag.above === undefined ? "" : flag.type === "integer" ? `, at least ${flag.above}` : ` above ${flag.above}`;
  const inside = flag.above === undefined || (flag.type === "integer" ? value >= flag.above : value > flag.above);
  if (
    text.trim() === "" ||
    !Number.isFinite(value) ||
    (flag.type === "integer" && !Number.isSafeInteger(value)) ||
    !inside
  ) {
    throw new ArgumentError(`--${name} takes ${wanted}${bound}, got "${text}"`);
  }
  return value;
}

/**
 * Reads a command's arguments.
 * @throws ArgumentError with one line that says what is wrong and what was meant.
 */
export function parseFlags<F extends Flags>(
  args: readonly string[],
  flags: F,
): { values: FlagValues<F>; rest: string[] } {
  const names = [...Object.keys(flags), "help"];
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(flags).map(([name, flag]) => [name, { type: flag.type === "boolean" ? "boolean" : "string" }]),
    ),
    strict: false,
    tokens: true,
  });
  const values: Record<string, unknown> = {};
  const rest: string[] = [];
  for (const [name, flag] of Object.entries(flags)) if (flag.default !== undefined) values[name] = flag.default;
  for (const token of tokens) {
    if (token.kind === "positional") rest.push(token.value);
    if (token.kind !== "option") continue;
    const flag = flags[token.name];
    if (flag === undefined || !token.rawName.startsWith("--")) {
      throw new ArgumentError(`unknown flag ${token.rawName}${suggestion(token.name, names, "--")}`);
    }
    if (flag.type === "boolean") {
      if (token.value !== undefined) throw new ArgumentError(`--${token.name} takes no value, got "${token.value}"`);
      values[token.name] = true;
      continue;
    }
    if (token.value === undefined)
      throw new ArgumentError(`--${token.name} needs a value (${flag.placeholder ?? flag.type})`);
    if (flag.choices !== undefined && !flag.choices.includes(token.value)) {
      throw new ArgumentError(`--${token.name} is one of ${flag.choices.join(", ")}, got "${token.value}"`);
    }
    values[token.name] = flag.type === "string" ? token.value : numberOf(token.name, token.value, flag);
  }
  return { values: values as FlagValues<F>, rest };
}

/** The help text of a command. */
export function renderHelp({ usage, summary, flags, notes }: Command): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const placeholder = flag.type === "boolean" ? "" : ` ${flag.placeholder ?? "N"}`;
    const choices = flag.choices === undefined ? "" : ` (${flag.choices.join(", ")})`;
    const fallback = flag.default === undefined || flag.default === false ? "" : ` [${flag.default}]`;
    return [`--${name}${placeholder}`, `${flag.description}${choices}${fallback}`] as const;
  });
  rows.push(["--help", "shows this"]);
  const width = Math.max(...rows.map(([left]) => left.length));
  const options = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
  return `${summary}\n\nusage: ${usage}\n\noptions:\n${options}\n${notes === undefined ? "" : `\n${notes}\n`}`;
}
