/** Running a function for the graph that it builds. */
import { defaultEngine } from "../engine/default-engine.ts";
import { UnsupportedError } from "../errors.ts";
import type { Node, VariableCell } from "../graph/node.ts";
import { clearTracedGradients } from "./autograd.ts";

export interface TracedCall<Result> {
  readonly result: Result;
  /** What it wanted to assign. */
  readonly assigned: readonly { readonly cell: VariableCell; readonly value: Node }[];
}

/** Runs a synchronous function in which reading a value throws; what it assigns, and gradients it accumulates, belong to the trace. */
export function traceCall<Result>(call: () => Result): TracedCall<Result> {
  defaultEngine.computeDeferred();
  defaultEngine.commit();
  const assigned: { cell: VariableCell; value: Node }[] = [];
  let result: Result;
  defaultEngine.tracing = true;
  try {
    result = call();
  } finally {
    defaultEngine.tracing = false;
    for (const cell of defaultEngine.takeAssignments()) {
      assigned.push({ cell, value: cell.pending as Node });
      cell.pending = undefined;
    }
    clearTracedGradients();
  }
  return { result, assigned };
}

/**
 * Runs a callback while a function is traced, or traces it, in which nothing may be assigned: what it assigns is forgotten, and an error. What waited
 * before waits again.
 */
export function withoutAssignments<Result>(refusal: (name: string) => string, call: () => Result): Result {
  const { tracing } = defaultEngine;
  if (!tracing) defaultEngine.commit();
  const waiting = new Map(defaultEngine.takeAssignments().map((cell) => [cell, cell.pending]));
  let assigned: readonly VariableCell[] = [];
  let result: Result;
  try {
    result = call();
  } finally {
    assigned = defaultEngine.takeAssignments();
    for (const cell of assigned) cell.pending = undefined;
    for (const [cell, value] of waiting) if (value) defaultEngine.assign(cell, value);
  }
  if (assigned.length > 0) throw new UnsupportedError(refusal(assigned[0].name));
  return result;
}
