/** Running a function for the graph that it builds. */
import { defaultEngine } from "../engine/default-engine.ts";
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
