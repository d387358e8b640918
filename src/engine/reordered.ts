/** Axes in another order, where no program is needed to see them so. */
import { isLeaf } from "../graph/build-program.ts";
import { bytesPerElement, viewOf } from "../graph/dtype.ts";
import type { Node, NodeValue, TensorType } from "../graph/node.ts";
import { sizeOf, stridesOf } from "../graph/shape.ts";

/** Elements beyond which a compiled program is the faster copy, its compilation included. */
const hostLimit = 64 * 1024;

/** The node that permutations only show in another order, or the first of `known` on the way there; the node itself where it is no permutation. */
export function beforePermutations(node: Node, known?: ReadonlySet<Node>): Node {
  let source = node;
  while (source.op?.opName === "permute" && !isLeaf(source) && !known?.has(source)) source = source.inputs[0];
  return source;
}

/** The axes of `beforePermutations(node)` in the order in which `node` shows them. */
export function shownOrder(node: Node): number[] {
  const source = beforePermutations(node);
  let order = node.shape.map((_, axis) => axis);
  for (let step = node; step !== source; step = step.inputs[0]) {
    const axes = step.attributes.axes as readonly number[];
    order = order.map((axis) => axes[axis]);
  }
  return order;
}

/**
 * A stored value with its axes in another order: axis i of the result is axis order[i] of the value. The same storage where the order is theirs;
 * `undefined` where a program should do it.
 */
export function reordered(value: NodeValue, type: TensorType, order: readonly number[]): NodeValue | undefined {
  if (order.every((axis, index) => axis === index)) return value;
  const size = sizeOf(type.shape);
  if (size > hostLimit) return undefined;
  const result: NodeValue = { buffer: new ArrayBuffer(size * bytesPerElement[type.dtype]), byteOffset: 0 };
  const from = viewOf(type.dtype, value.buffer, value.byteOffset, size);
  const to = viewOf(type.dtype, result.buffer, 0, size);
  const strides = stridesOf(type.shape);
  const shape = order.map((axis) => type.shape[axis]);
  const steps = order.map((axis) => strides[axis]);
  const position = new Array<number>(shape.length).fill(0);
  let source = 0;
  for (let index = 0; index < size; index++) {
    to[index] = from[source];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += steps[axis];
      if (++position[axis] < shape[axis]) break;
      source -= steps[axis] * shape[axis];
      position[axis] = 0;
    }
  }
  return result;
}
