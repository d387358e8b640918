/** Copies of graphs: what stands in the body of a loop is rebuilt over other inputs. */
import { gradEnabled } from "../graph/grad-mode.ts";
import { Node, type TensorType } from "../graph/node.ts";

/** An input of a body while it is built; no argument of a program, so that one that escapes is found out. */
export function placeholderNode({ shape, dtype }: TensorType, requiresGrad = dtype === "f32"): Node {
  const leaf = { kind: "placeholder", index: -1 } as const;
  return new Node(undefined, [], {}, { shape, dtype }, { leaf, requiresGrad });
}

/** Visits the graph under `roots`, inputs before users. `enter` false stops above a node's inputs. */
export function visitGraph(roots: readonly Node[], enter: (node: Node) => boolean, leave: (node: Node) => void): void {
  const entered = new Map<Node, boolean>();
  const left = new Set<Node>();
  const stack = [...roots].reverse();
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    let inside = entered.get(node);
    if (inside === undefined) {
      inside = enter(node);
      entered.set(node, inside);
      if (inside) for (let i = node.inputs.length - 1; i >= 0; i--) stack.push(node.inputs[i]);
      if (inside && node.inputs.length > 0) continue;
    }
    stack.pop();
    if (left.has(node)) continue;
    left.add(node);
    leave(node);
  }
}

/** The graph under `roots` with some nodes replaced; `replace` is asked once for each node, users before inputs. */
export function graft(roots: readonly Node[], replace: (node: Node) => Node | undefined): Node[] {
  const results = new Map<Node, Node>();
  visitGraph(
    roots,
    (node) => {
      const replacement = replace(node);
      if (replacement) results.set(node, replacement);
      return !replacement;
    },
    (node) => {
      if (results.has(node)) return;
      const inputs = node.inputs.map((input) => results.get(input) as Node);
      const same = inputs.every((input, index) => input === node.inputs[index]);
      results.set(node, same ? node : copyOf(node, inputs));
    },
  );
  return roots.map((root) => results.get(root) as Node);
}

function copyOf(node: Node, inputs: readonly Node[]): Node {
  const requiresGrad = gradEnabled() && node.requiresGrad && inputs.some((input) => input.requiresGrad);
  return new Node(node.op, inputs, node.attributes, node.type, { requiresGrad });
}
