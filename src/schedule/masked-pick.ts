/** Relu in front of max pooling: its mask is applied to the pooled gradient, before that is spread over the windows. */
import type { TensorType } from "../graph/node.ts";
import { sameShape } from "../graph/shape.ts";
import { scalarInput } from "../kernel/scalar.ts";
import type { Meaning } from "../ops/define.ts";
import type { Value } from "./tensor-graph.ts";

type Window = Extract<Meaning, { kind: "window" }>;

/** What takes the place of a masked gradient: `pick(select(pooled > 0, gradient, 0), taps)`. */
export interface MaskedPick {
  /** The comparison and the zero of the mask. */
  readonly comparison: Value;
  readonly zero: Value;
  /** The values of the pooled shape: what the windows gave, and the gradient that came back to it. */
  readonly pooled: number;
  readonly gradient: number;
  readonly taps: number;
  readonly pick: Value;
}

/**
 * Finds `select(y > 0, pickTranspose(g, argmax(y)), 0)` where `max(y)` over the same windows is computed as well. Every element that takes part
 * in the sum of `pickTranspose` equals the largest of its window, so `pickTranspose(select(max(y) > 0, g, 0), argmax(y))` is the same to the
 * bit: elements that no window chose are 0 either way, NaN is not greater than 0 in both. `y` need not be read again.
 */
export function findMaskedPick(
  values: readonly Value[],
  meaning: Meaning,
  inputs: readonly number[],
  type: TensorType,
): MaskedPick | undefined {
  if (meaning.kind !== "elementwise" || inputs.length !== 3) return undefined;
  const [comparison, pick, zero] = inputs.map((input) => values[input]);
  const spread = windowOf(pick, "pickTranspose");
  if (!spread || ![comparison, pick, zero].every((value) => sameShape(value.type.shape, type.shape))) return undefined;
  const choice = meaning.expression(inputs.map((input, index) => scalarInput(index, values[input].type.dtype)));
  if (!isCall(choice, "select", [0, 1, 2]) || !isZero(zero)) return undefined;
  if (!comparison.expression || !isCall(comparison.expression, "gt", [0, 1])) return undefined;
  const [data, bound] = comparison.inputs;
  const [gradient, taps] = pick.inputs;
  const chosen = windowOf(values[taps], "argmax");
  if (!isZero(values[bound]) || !chosen || values[taps].inputs[0] !== data) return undefined;
  const geometry = JSON.stringify(spread.geometry);
  if (JSON.stringify(chosen.geometry) !== geometry) return undefined;
  const pooled = values.find((value) => {
    const window = value.inputs[0] === data ? windowOf(value, "max") : undefined;
    return window !== undefined && JSON.stringify(window.geometry) === geometry;
  });
  if (!pooled) return undefined;
  return { comparison, zero, pooled: pooled.id, gradient, taps, pick };
}

function windowOf(value: Value, combine: Window["combine"]): Window | undefined {
  return value.meaning?.kind === "window" && value.meaning.combine === combine ? value.meaning : undefined;
}

/** Whether an expression is one function of the given inputs, in that order. */
function isCall(expression: NonNullable<Value["expression"]>, name: string, order: readonly number[]): boolean {
  return (
    expression.kind === "call" &&
    expression.function === name &&
    expression.inputs.length === order.length &&
    expression.inputs.every((input, index) => input.kind === "input" && input.index === order[index])
  );
}

function isZero({ expression }: Value): boolean {
  return expression?.kind === "constant" && Object.is(expression.value, 0);
}
