import { ArgumentError, InternalError, TriviumError } from "../errors.ts";
import { suggestion } from "./command.ts";
import { packageVersion } from "./package-files.ts";

const help = `Trivium: deep learning in TypeScript, compiled to machine code.

usage: trivium COMMAND [options]

commands:
  train mnist    trains a convolutional network on MNIST: progress bar, accuracy, curves
  compare mnist  an article's programs as written, then one network in three styles: an HTML report
  profile        time per kernel of the MNIST network or of a program, beside what the machine can do
  doctor         what this machine offers, what is chosen, and a self-test

options:
  --help         help of a command, or this
  --version      version of the package
`;

/** Commands load when they run: asking for help must not wait for a compiler. */
async function dispatch(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  switch (name) {
    case undefined:
    case "--help":
    case "-h":
    case "help":
      process.stdout.write(help);
      return name === undefined ? 2 : 0;
    case "--version":
    case "-v":
      process.stdout.write(`${packageVersion()}\n`);
      return 0;
    case "train":
      return (await import("./train-command.ts")).runTrainCommand(rest);
    case "compare":
      return (await import("./compare-command.ts")).runCompareCommand(rest);
    case "profile":
      return (await import("./profile-command.ts")).runProfileCommand(rest);
    case "doctor":
      return (await import("./doctor.ts")).runDoctor(rest);
    default: {
      const kind = name.startsWith("-") ? "flag" : "command";
      const near = kind === "command" ? suggestion(name, ["train", "compare", "profile", "doctor"]) : "";
      throw new ArgumentError(`unknown ${kind} ${name}${near === "" ? "; see trivium --help" : near}`);
    }
  }
}

/** Runs the command line; a user's mistake is one line on stderr and exit code 2. */
export async function main(args: readonly string[]): Promise<void> {
  // A reader that closes the pipe early (`| head`) ends the program quietly.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  try {
    process.exitCode = await dispatch(args);
  } catch (error) {
    if (error instanceof TriviumError && !(error instanceof InternalError)) {
      process.stderr.write(`trivium: ${error.message}\n`);
      process.exitCode = 2;
    } else {
      process.stderr.write(
        `trivium: internal error, please report it\n${error instanceof Error ? error.stack : String(error)}\n`,
      );
      process.exitCode = 1;
    }
  }
}
