/** The strategy of every op that is more than a loop over elements: one table, by meaning and op name. */
import { UnsupportedError } from "../../errors.ts";
import type { Meaning } from "../../ops/define.ts";
import type { Strategy } from "../strategy.ts";
import { conv2d, matmul } from "./contraction/index.ts";
import { indexedStrategies } from "./indexed/index.ts";
import { window } from "./window/index.ts";

/** Indexed ops whose kernels finish an element at a time, so that an epilogue costs no pass of its own. */
const streaming: ReadonlySet<string> = new Set(["checkIndices"]);

export function strategyFor(opName: string, meaning: Meaning): Strategy {
  if (meaning.kind === "matmul") return matmul;
  if (meaning.kind === "conv2d") return conv2d;
  if (meaning.kind === "window") return window;
  const strategy = meaning.kind === "indexed" ? indexedStrategies[opName] : undefined;
  if (!strategy)
    throw new UnsupportedError(`${opName}: no kernel for this op on this target yet; use the reference target.`);
  return strategy;
}

/** Whether elementwise work that follows the op should run in its kernel. */
export function takesEpilogue(opName: string, meaning: Meaning): boolean {
  return meaning.kind !== "indexed" || streaming.has(opName);
}
