/** How functions of this door are made: errors begin at the user's line, and tensors of a static graph make operations of it. */
import { atEntry } from "../tensor/lift.ts";
import { executingEagerly, type Graph, GraphTensor, getDefaultGraph } from "./compat-v1/graph.ts";
import { someLeaf } from "./structure.ts";

function graphAmong(args: readonly unknown[]): Graph | undefined {
  let graph: Graph | undefined;
  someLeaf(args, (leaf) => {
    if (leaf instanceof GraphTensor) graph = leaf.graph;
    return graph !== undefined;
  });
  return graph;
}

type AnyFunction = (...args: readonly unknown[]) => unknown;

// The parameter is not constrained to functions: a constraint would give their parameters a contextual type, and defaults no type of their own.
function made<Body>(body: Body, graphFor: (args: readonly unknown[]) => Graph | undefined): Body {
  const called = body as unknown as AnyFunction;
  const entry: AnyFunction = (...args) =>
    atEntry(entry as () => unknown, () => {
      const graph = graphFor(args);
      return graph ? graph.record(called.name, called, args) : called(...args);
    });
  Object.defineProperty(entry, "name", { value: called.name });
  return entry as unknown as Body;
}

/** A function of tensors; with a tensor of a static graph among its arguments it becomes an operation of that graph. */
export function define<Body>(body: Body): Body {
  return made(body, graphAmong);
}

/** A function that makes new numbers each time: without eager execution it is an operation of the default graph. */
export function defineRandom<Body>(body: Body): Body {
  return made(body, (args) => graphAmong(args) ?? (executingEagerly() ? undefined : getDefaultGraph()));
}

/** A function that is an operation of the default graph in any case. */
export function defineInGraph<Body>(body: Body): Body {
  return made(body, (args) => graphAmong(args) ?? getDefaultGraph());
}
