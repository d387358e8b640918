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

/**
 * Leaves with a gradient path (variables, tensors with `requiresGrad`) under some nodes, in the order in which they were first used. Not that of
 * their creation: a variable has a new leaf after each assignment, and the order of a second step must be that of the first.
 */
export function differentiableLeaves(roots: readonly Node[]): Node[] {
  const mark = nextMark();
  const isOpen = (node: Node): boolean => node.mark !== mark && node.requiresGrad;
  const readers: Node[] = [];
  const stack = roots.filter((root) => root.inputs.length > 0);
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (!isOpen(node)) continue;
    node.mark = mark;
    for (const input of node.inputs) if (input.inputs.length > 0) stack.push(input);
    if (node.inputs.some((input) => input.inputs.length === 0 && input.requiresGrad)) readers.push(node);
  }
  const leaves: Node[] = [];
  const list = (node: Node): void => {
    if (node.inputs.length > 0 || !isOpen(node)) return;
    node.mark = mark;
    leaves.push(node);
  };
  for (const reader of readers.sort((a, b) => a.serial - b.serial)) for (const input of reader.inputs) list(input);
  for (const root of roots) list(root);
  return leaves;
}
