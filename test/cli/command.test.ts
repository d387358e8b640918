import { describe, expect, test } from "vitest";
import { type Command, parseFlags, renderHelp } from "../../src/cli/command.ts";
import { describeDuration } from "../../src/cli/estimate.ts";
import { labelTicks, niceTicks } from "../../src/cli/ticks.ts";
import { ArgumentError } from "../../src/errors.ts";

const command = {
  name: "demo",
  usage: "trivium demo",
  summary: "Does nothing.",
  flags: {
    epochs: { type: "integer", above: 1, default: 5, description: "passes" },
    lr: { type: "number", above: 0, default: 0.01, placeholder: "RATE", description: "rate" },
    out: { type: "string", placeholder: "DIR", description: "where" },
    quiet: { type: "boolean", default: false, description: "says nothing" },
    target: { type: "string", choices: ["x86", "reference"], description: "what computes" },
  },
} as const satisfies Command;

describe("parseFlags", () => {
  test("values, defaults, positionals", () => {
    const { values, rest } = parseFlags(["mnist", "--epochs", "3", "--lr=1e-3", "--quiet"], command.flags);
    expect(values).toEqual({ epochs: 3, lr: 0.001, quiet: true });
    expect(rest).toEqual(["mnist"]);
    expect(parseFlags([], command.flags).values).toEqual({ epochs: 5, lr: 0.01, quiet: false });
  });

  test.each([
    [["--epoch", "3"], 'unknown flag --epoch, did you mean "--epochs"?'],
    [["--zzzzzzzz"], "unknown flag --zzzzzzzz"],
    [["-e", "3"], "unknown flag -e"],
    [["--epochs"], "--epochs needs a value (integer)"],
    [["--epochs", "2.5"], '--epochs takes a whole number, at least 1, got "2.5"'],
    [["--epochs", "0"], '--epochs takes a whole number, at least 1, got "0"'],
    [["--epochs", ""], "--epochs takes a whole number"],
    [["--lr=-1"], '--lr takes a number above 0, got "-1"'],
    [["--lr", "fast"], '--lr takes a number above 0, got "fast"'],
    [["--quiet=yes"], '--quiet takes no value, got "yes"'],
    [["--target", "gpu"], '--target is one of x86, reference, got "gpu"'],
  ])("%j is one clear line", (args, message) => {
    expect(() => parseFlags(args, command.flags)).toThrow(ArgumentError);
    expect(() => parseFlags(args, command.flags)).toThrow(message);
  });
});

test("help", () => {
  expect(renderHelp(command)).toMatchInlineSnapshot(`
    "Does nothing.

    usage: trivium demo

    options:
      --epochs N  passes [5]
      --lr RATE   rate [0.01]
      --out DIR   where
      --quiet     says nothing
      --target N  what computes (x86, reference)
      --help      shows this
    "
  `);
});

test("ticks are round, inside and evenly spaced", () => {
  expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(niceTicks(0.0938, 0.36, 4)).toEqual([0.1, 0.2, 0.3]);
  expect(niceTicks(1, 5, 5)).toEqual([1, 2, 3, 4, 5]);
  expect(niceTicks(3, 3, 5)).toEqual([3]);
  expect(labelTicks([0.9, 0.92, 0.94])).toEqual(["0.90", "0.92", "0.94"]);
  expect(labelTicks([0, 500, 1000])).toEqual(["0", "500", "1000"]);
});

test("durations", () => {
  expect([5, 200, 9000, 1e6].map(describeDuration)).toEqual(["5 seconds", "3.3 minutes", "2.5 hours", "12 days"]);
});
