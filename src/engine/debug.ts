import { TriviumError } from "../errors.ts";
import { isLeaf } from "../graph/build-program.ts";
import { viewOf } from "../graph/dtype.ts";
import { type Node, type NodeValue, nextMark } from "../graph/node.ts";
import { formatShape, sizeOf } from "../graph/shape.ts";

/** Where a node was made: recorded in debug mode only. */
const callSites = new WeakMap<Node, string>();

export function recordCallSite(node: Node, site: string): void {
  callSites.set(node, site);
}

/** The first NaN or infinity that a graph produces, with the op and the line that made it. */
export class NonFiniteError extends TriviumError {}

/**
 * Debug mode: computes the pending graph under `roots` op by op, in order of creation, and throws at the first op that makes a NaN or an
 * infinity out of finite inputs.
 */
export function findNonFinite(roots: readonly Node[], computeAlone: (node: Node) => NodeValue): void {
  const mark = nextMark();
  const order: Node[] = [];
  const stack = [...roots];
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (node.mark === mark || isLeaf(node)) continue;
    node.mark = mark;
    order.push(node);
    stack.push(...node.inputs);
  }
  order.sort((a, b) => a.serial - b.serial);
  for (const node of order) {
    const value = computeAlone(node);
    node.value = value;
    if (node.dtype !== "f32") continue;
    const data = viewOf("f32", value.buffer, value.byteOffset, sizeOf(node.shape));
    const bad = data.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) {
      throw new NonFiniteError(
        `${node.op?.opName} made the first ${data[bad]} (element ${bad} of shape ${formatShape(node.shape)}; inputs ` +
          `${node.inputs.map((i) => `${i.op?.opName ?? i.leaf?.kind ?? "data"} ${formatShape(i.shape)}`).join(", ")})` +
          `${callSites.has(node) ? `\n    ${callSites.get(node)}` : ""}`,
      );
    }
  }
}
