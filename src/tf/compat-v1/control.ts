/** Order and groups of operations. */
import type { Tensor } from "../../tensor/index.ts";
import { getDefaultGraph, Operation, operationOf } from "./graph.ts";

/** Operations made in the callback come after the given ones, and read variables as these leave them. */
export function controlDependencies<Result>(first: readonly (Operation | Tensor)[], callback: () => Result): Result {
  return getDefaultGraph().controlDependencies(first, callback);
}
/** An operation that runs others. */
export function group(...operations: readonly (Operation | Tensor)[]): Operation {
  const graph = operations.length > 0 ? operationOf("group", operations[0]).graph : getDefaultGraph();
  return graph.controlDependencies(operations, () => new Operation(graph, "group", []));
}
/** An operation that does nothing, for control dependencies. */
export function noOp(): Operation {
  return new Operation(getDefaultGraph(), "NoOp", []);
}
