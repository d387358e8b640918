import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { DataError } from "../../src/errors.ts";
import type { Figure } from "../rows.ts";
import type { FigureOptions } from "./neighbour.ts";

/** Runs PyTorch's own MNIST example to its end; the figure is the accuracy on the test set after the last epoch. */
export async function runRecipe({ threads, say }: Pick<FigureOptions, "threads" | "say">): Promise<Figure> {
  const child = spawn(process.execPath, ["--import", "tsx", "examples/torch-mnist-main.ts"], {
    env: { ...process.env, TRIVIUM_THREADS: String(threads) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let accuracy: number | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /Accuracy: (\d+)\/(\d+)/.exec(line);
    if (!found) continue;
    accuracy = Number(found[1]) / Number(found[2]);
    say(line);
  }
  if (accuracy === undefined) throw new DataError("examples/torch-mnist-main.ts printed no accuracy.");
  return {
    suite: "recipe",
    name: "pytorch/examples mnist (14 epochs, Adadelta, StepLR 0.7), test accuracy: npm run example torch-mnist-main",
    value: { median: accuracy, min: accuracy, max: accuracy },
    unit: "share",
    goal: ">= 0.99",
    loaded: false,
  };
}
