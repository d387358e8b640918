/** What a loop keeps of every step for its gradient. */
import { gradients } from "../autodiff/gradients.ts";
import { type Node, serialNow } from "../graph/node.ts";
import { sizeOf } from "../graph/shape.ts";
import { placeholderNode, visitGraph } from "./graft.ts";
import type { LoopBody } from "./scan-node.ts";

/** Meanings that cost more than a pass over their elements. */
const contractions: ReadonlySet<string> = new Set(["matmul", "conv2d", "window", "indexed", "reduce", "scan"]);
/** Elementwise ops that cost more than storing and loading an element. */
const slow: ReadonlySet<string> = new Set([
  "exp",
  "expm1",
  "log",
  "log1p",
  "sigmoid",
  "tanh",
  "erf",
  "normalCdf",
  "sin",
  "cos",
  "pow",
]);

function isCostly({ op, inputs, attributes, type }: Node): boolean {
  if (!op || type.dtype !== "f32") return false;
  if (slow.has(op.opName)) return true;
  const types = inputs.map((input) => input.type);
  return contractions.has(op.meaning(types, attributes, type).kind);
}

/**
 * What the gradient of a body reads of the body: values that cost more than they weigh are kept for each step, others are computed again. Of a
 * large product of which the gradient reads a part, the part is kept.
 */
export function residualsOf({ results, inputs }: LoopBody): Node[] {
  const before = serialNow();
  const wanted = inputs.flatMap(({ placeholder }) => (placeholder.requiresGrad ? [placeholder] : []));
  const roots = results.filter((result) => result.requiresGrad);
  const seeds = roots.map(({ type }) => placeholderNode(type, false));
  const found = gradients(roots, wanted, seeds, { hooks: false }).flatMap((node) => node ?? []);
  const read: Node[] = [];
  visitGraph(
    found,
    (node) => node.serial >= before,
    (node) => {
      if (node.serial < before) read.push(node);
    },
  );
  const kept = new Set(results);
  for (const node of read) if (isCostly(node)) kept.add(node);
  for (const node of read) {
    const below = costlyBelow(node, kept);
    const weight = below.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    if (weight > sizeOf(node.shape) && node.dtype === "f32") kept.add(node);
    else for (const each of below) kept.add(each);
  }
  for (const result of results) kept.delete(result);
  return [...kept].sort((a, b) => a.serial - b.serial);
}

/** The costly values that a node is computed from, as far as they are not kept yet. */
function costlyBelow(root: Node, kept: ReadonlySet<Node>): Node[] {
  const found: Node[] = [];
  visitGraph(
    [root],
    (node) => !kept.has(node) && !isCostly(node),
    (node) => {
      if (!kept.has(node) && isCostly(node)) found.push(node);
    },
  );
  return found;
}
