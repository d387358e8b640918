/** What the body of a loop takes from outside. */
import { isLeaf } from "../graph/build-program.ts";
import type { Node } from "../graph/node.ts";
import { graft, placeholderNode, visitGraph } from "./graft.ts";
import type { BodyInput } from "./scan-node.ts";

/**
 * Closes a body: what does not depend on its inputs is computed once, outside, and becomes a constant of the loop. Generated values and
 * repetitions (numbers, their expansions) cost nothing inside and stay.
 */
export function closeBody(
  results: readonly Node[],
  inputs: readonly BodyInput[],
): { readonly results: readonly Node[]; readonly inputs: readonly BodyInput[] } {
  const own = new Set(inputs.map(({ placeholder }) => placeholder));
  // what is older than the placeholders cannot depend on them
  const oldest = inputs.reduce((least, { placeholder }) => Math.min(least, placeholder.serial), Infinity);
  const inside = new Set<Node>();
  visitGraph(
    results,
    (node) => node.serial > oldest && !own.has(node) && !isLeaf(node),
    (node) => {
      if (own.has(node) || node.inputs.some((input) => inside.has(input))) inside.add(node);
    },
  );
  const captured = new Map<Node, BodyInput>();
  const closed = graft(results, (node) => {
    if (inside.has(node)) return own.has(node) ? node : undefined;
    if (!isLeaf(node) && isFree(node)) return undefined;
    let input = captured.get(node);
    if (!input) {
      input = { placeholder: placeholderNode(node.type, node.requiresGrad), source: { kind: "constant", value: node } };
      captured.set(node, input);
    }
    return input.placeholder;
  });
  return { results: closed, inputs: [...inputs, ...captured.values()] };
}

function isFree({ op }: Node): boolean {
  return op?.opName === "constant" || op?.opName === "iota" || op?.opName === "expand" || op?.opName === "reshape";
}
