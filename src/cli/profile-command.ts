import { ArgumentError } from "../errors.ts";
import { type Command, engineFlags, parseFlags, renderHelp, setUpEngine } from "./command.ts";

const command = {
  name: "profile",
  usage: "trivium profile (mnist | FILE.js [arguments of the program]) [options]",
  summary:
    "Runs training steps of the MNIST network, or a program, and prints time per kernel beside what the machine can do.",
  flags: {
    "batch-size": { type: "integer", above: 1, default: 32, description: "mnist: images a step" },
    steps: { type: "integer", above: 1, default: 20, description: "mnist: steps to time, after five that are not" },
    top: { type: "integer", above: 1, default: 20, description: "kernels to list" },
    trace: { type: "string", placeholder: "FILE", description: "writes a trace for chrome://tracing or Perfetto" },
    json: { type: "string", placeholder: "FILE", description: "writes the figures" },
    ...engineFlags,
  },
  notes:
    "Options of this command come before FILE; what follows FILE goes to the program. `engine.startProfiling()` takes the same figures inside a program.",
} as const satisfies Command;

/** The first argument that is neither a flag nor a flag's value: what is to be profiled. */
function positionOfSubject(args: readonly string[]): number {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (!arg.startsWith("-")) return index;
    if (!arg.includes("=")) index++;
  }
  return args.length;
}

/** `trivium profile`: reads the flags, then loads what runs. */
export async function runProfileCommand(args: readonly string[]): Promise<number> {
  const position = positionOfSubject(args);
  const subject = args[position];
  const own = subject === undefined || subject === "mnist" ? args : args.slice(0, position + 1);
  if (own.includes("--help") || own.includes("-h")) {
    process.stdout.write(renderHelp(command));
    return 0;
  }
  const { values, rest } = parseFlags(own, command.flags);
  if (subject === undefined)
    throw new ArgumentError("profile what? There is: trivium profile mnist, trivium profile FILE.js");
  if (rest[1] !== undefined)
    throw new ArgumentError(`profile mnist takes no argument "${rest[1]}"; see trivium profile --help`);
  setUpEngine(values);
  const { profileMnist, profileProgram } = await import("./profile/run.ts");
  const report = { rows: values.top, traceFile: values.trace, jsonFile: values.json };
  return subject === "mnist"
    ? profileMnist({ batchSize: values["batch-size"], steps: values.steps }, report)
    : profileProgram(subject, args.slice(position + 1), report);
}
