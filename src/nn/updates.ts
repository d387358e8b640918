import type { Tensor } from "../tensor/index.ts";
import { Variable } from "../tensor/index.ts";

/** A variable and the value that it takes when the step runs. */
export type Assignment = readonly [variable: Variable, value: Tensor];

let collector: Map<Variable, Tensor> | undefined;

/**
 * Runs a forward pass and collects what it wants to write (running statistics), so that a training step can put these writes
 * into its one program. Collectors nest; the inner one takes what happens inside it.
 */
export function collectUpdates<Result>(callback: () => Result): { result: Result; updates: Assignment[] } {
  const outer = collector;
  const mine = new Map<Variable, Tensor>();
  collector = mine;
  try {
    const result = callback();
    return { result, updates: [...mine] };
  } finally {
    collector = outer;
  }
}

/** Runs a forward pass without keeping what it wants to write: shape inference, dry runs. */
export function discardUpdates<Result>(callback: () => Result): Result {
  return collectUpdates(callback).result;
}

/** Writes a variable: with the step that is being built, or (outside any step) with the next computation. */
export function recordUpdate(variable: Variable, value: Tensor): void {
  if (collector) collector.set(variable, value);
  else variable.assign(value);
}

/** The value that a variable will have: what the step being built already wrote to it, otherwise the variable. */
export function pendingValue(variable: Variable): Tensor {
  return collector?.get(variable) ?? variable;
}

/** Narrows a tensor to a variable. */
export function isVariable(value: unknown): value is Variable {
  return value instanceof Variable;
}
