/** The strategy of every op that is more than a loop over elements: one table, by meaning and op name. */
import { UnsupportedError } from "../../errors.ts";
import type { Shape } from "../../graph/shape.ts";
import type { Meaning } from "../../ops/define.ts";
import type { Strategy } from "../strategy.ts";
import { conv2d, matmul, outputTile, spreadsGradient } from "./contraction/index.ts";
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
  if (meaning.kind === "scan") return false;
  return meaning.kind !== "indexed" || streaming.has(opName);
}

/**
 * Whether the strategy of an op over `inputs` that gives `shape` pools what it computes before that leaves the first-level cache: a convolution
 * without groups, and max pooling whose windows tile its result (and the tiles in which it is computed).
 */
export function takesPooling(meaning: Meaning, inputs: readonly Shape[], shape: Shape, pooling: Meaning): boolean {
  if (meaning.kind !== "conv2d" || meaning.direction !== "forward" || meaning.groups !== 1) return false;
  if (pooling.kind !== "window" || pooling.combine !== "max") return false;
  const { window, strides, dilation, padding } = pooling.geometry;
  const tile = outputTile(meaning, inputs, shape);
  return [0, 1].every(
    (axis) =>
      tile % window[axis] === 0 &&
      strides[axis] === window[axis] &&
      dilation[axis] === 1 &&
      padding[axis].every((amount) => amount === 0) &&
      shape[axis + 1] % window[axis] === 0 &&
      shape[axis + 1] > 0,
  );
}

/**
 * Whether the strategy of a convolution's gradient over `inputs` that gives `shape` spreads the gradient that it reads over windows side by side: where
 * that is cut into tiles which the windows divide.
 */
export function takesSpread(
  meaning: Meaning,
  inputs: readonly Shape[],
  shape: Shape,
  window: readonly [height: number, width: number],
): boolean {
  if (meaning.kind !== "conv2d" || meaning.direction === "forward") return false;
  const gradient = meaning.direction === "inputGradient" ? inputs[0] : inputs[1];
  const tile = spreadsGradient(meaning, inputs, shape);
  return [0, 1].every((axis) => tile % window[axis] === 0 && gradient[axis + 1] % window[axis] === 0) && tile > 0;
}
