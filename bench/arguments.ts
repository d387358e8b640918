/** The bench's command line. */
import { parseArgs } from "node:util";
import { ArgumentError } from "../src/errors.ts";
import { knownNames, type PeerName, peerNames, type SuiteName, suites } from "./catalogue.ts";

/** What a command line asks for. */
export interface BenchOptions {
  readonly suites: readonly SuiteName[];
  readonly peers: readonly PeerName[];
  readonly threads: number;
  readonly rounds: number;
  /** Least seconds of one contender's round. */
  readonly seconds: number;
  /** Batch sizes to keep to; each workload's own otherwise. */
  readonly batches?: readonly number[];
  /** Workloads to keep to. */
  readonly only?: readonly string[];
  /** Length of the run that looks for drift. */
  readonly minutes: number;
  readonly trivium: boolean;
  readonly avx2: boolean;
  readonly json?: string;
  readonly markdown?: string;
}

/** A page and a figure from the reports of earlier runs. */
export interface ReportOptions {
  readonly files: readonly string[];
  readonly markdown?: string;
  readonly figure?: string;
}

export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "run"; readonly options: BenchOptions }
  | { readonly kind: "report"; readonly options: ReportOptions };

const suiteLines = Object.entries(suites).map(([name, { about, workloads }]) => {
  const list = workloads.length > 0 ? `\n              ${workloads.join(", ")}` : "";
  return `  ${name.padEnd(10)}${about}${list}`;
});

export const usage = `usage: npm run bench -- SUITE [SUITE …] [options]
       npm run bench -- report FILE.json [FILE.json …] [--markdown FILE] [--figure FILE.svg]   several runs on one page

suites, and the workloads that --only may name:
${suiteLines.join("\n")}

options:
  --peers LIST      ${peerNames.join(",")} (default: none)
  --only LIST       these workloads alone
  --batches LIST    these batch sizes alone (default: each workload's own)
  --threads N       threads of every contender (default 2)
  --rounds R        rounds of each contender (default 5)
  --seconds S       seconds of one contender's round (default 1.5)
  --minutes M       length of the system suite's steady run (default 0: left out)
  --avx2            every contender is held to AVX2, on a processor that has more
  --no-trivium      time the peers alone
  --json FILE       writes the report as JSON
  --markdown FILE   writes it as a page (bench/RESULTS.md)
  --figure FILE     (report) draws the ratios of all workloads as SVG
`;

const listOf = (text: string | undefined): string[] => (text ?? "").split(",").filter((part) => part !== "");

function numberOf(flag: string, text: string, rule: { readonly whole: boolean; readonly least: number }): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= rule.least) || (rule.whole && !Number.isInteger(value))) {
    const kind = rule.whole ? "a whole number" : "a number";
    throw new ArgumentError(`--${flag} ${text}: expected ${kind} of ${rule.least} or more.`);
  }
  return value;
}

/** Reads a command line; a mistake is an `ArgumentError` of one line. */
export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    allowNegative: true,
    options: {
      peers: { type: "string" },
      only: { type: "string" },
      batches: { type: "string" },
      threads: { type: "string", default: "2" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "1.5" },
      minutes: { type: "string", default: "0" },
      trivium: { type: "boolean", default: true },
      avx2: { type: "boolean", default: false },
      json: { type: "string" },
      markdown: { type: "string" },
      figure: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return { kind: "help" };
  const { markdown, figure, json } = values;
  if (positionals[0] === "report") {
    const files = positionals.slice(1);
    if (json !== undefined) throw new ArgumentError("report: --json is for runs; a report is made from their files.");
    if (files.length === 0) throw new ArgumentError("report: name the JSON files of one or more runs.");
    return {
      kind: "report",
      options: { files, ...(markdown !== undefined && { markdown }), ...(figure !== undefined && { figure }) },
    };
  }
  const chosen = knownNames("suite", positionals, Object.keys(suites) as SuiteName[]);
  if (chosen.length === 0)
    throw new ArgumentError(`name a suite: ${Object.keys(suites).join(", ")} (--help says more).`);
  const only = knownNames(
    "workload",
    listOf(values.only),
    chosen.flatMap((suite) => [...suites[suite].workloads]),
  );
  if (figure !== undefined)
    throw new ArgumentError("--figure draws reports: npm run bench -- report FILE.json --figure FILE.svg");
  const peers = knownNames("peer", listOf(values.peers), peerNames);
  if (values.avx2 && peers.includes("ort")) {
    throw new ArgumentError("--avx2: ONNX Runtime cannot be held to AVX2, it has no switch for that: leave ort out.");
  }
  const whole = { whole: true, least: 1 };
  const batches = listOf(values.batches).map((text) => numberOf("batches", text, whole));
  return {
    kind: "run",
    options: {
      suites: chosen,
      peers,
      threads: numberOf("threads", values.threads, whole),
      rounds: numberOf("rounds", values.rounds, whole),
      seconds: numberOf("seconds", values.seconds, { whole: false, least: 0 }),
      minutes: numberOf("minutes", values.minutes, { whole: false, least: 0 }),
      ...(batches.length > 0 && { batches }),
      ...(only.length > 0 && { only }),
      trivium: values.trivium,
      avx2: values.avx2,
      ...(json !== undefined && { json }),
      ...(markdown !== undefined && { markdown }),
    },
  };
}
