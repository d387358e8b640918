import { gradients } from "../autodiff/gradients.ts";
import { isLeaf } from "../graph/build-program.ts";
import { withGradMode } from "../graph/grad-mode.ts";
import { type Node, nextMark, serialNow } from "../graph/node.ts";

/**
 * What must be stored when `roots` are computed before their backward: the nodes that their gradients will read, found by building those
 * gradients. Movements are replaced by what they move. So `loss.item(); loss.backward()` runs the forward once.
 */
export function savedForBackward(roots: readonly Node[]): Node[] {
  const open = roots.filter((root) => root.requiresGrad && !root.consumed);
  if (open.length === 0) return [];
  const leaves = differentiableLeaves(open);
  const forward = serialNow();
  const results = withGradMode(false, () => gradients(open, leaves, [], { hooks: false }));
  const saved = new Set<Node>();
  const mark = nextMark();
  const stack = results.filter((node) => node !== undefined);
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (node.mark === mark) continue;
    node.mark = mark;
    if (isLeaf(node)) continue;
    const kind =
      node.serial < forward
        ? (node.op?.meaning(
            node.inputs.map((i) => i.type),
            node.attributes,
            node.type,
          ).kind ?? "")
        : "gradient";
    if (kind === "gradient" || kind === "reshape" || kind === "movement") stack.push(...node.inputs);
    else saved.add(node);
  }
  return [...saved];
}

/** Leaves with a gradient path (variables, tensors with `requiresGrad`) under some nodes, in order of creation. */
export function differentiableLeaves(roots: readonly Node[]): Node[] {
  const mark = nextMark();
  const leaves: Node[] = [];
  const stack = [...roots];
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (node.mark === mark || !node.requiresGrad) continue;
    node.mark = mark;
    if (node.inputs.length === 0) leaves.push(node);
    else stack.push(...node.inputs);
  }
  return leaves.sort((a, b) => a.serial - b.serial);
}
