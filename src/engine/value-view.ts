import { bytesPerElement } from "../graph/dtype.ts";
import type { Node } from "../graph/node.ts";
import { stridesOf } from "../graph/shape.ts";

/**
 * Gives a pending reshape, or slice that is one contiguous run, of a computed tensor its value without computing: the same storage at an
 * offset. So a batch sliced from a data set is no copy, and its position is no part of a program's key.
 * Returns whether the node has a value. Storage of variables is never shared: it will be overwritten.
 */
export function viewOfValue(node: Node): boolean {
  if (node.value) return true;
  if (!node.op || node.leaf || node.inputs.length !== 1) return false;
  const name = node.op.opName;
  if (name !== "reshape" && name !== "slice") return false;
  const [input] = node.inputs;
  if (!viewOfValue(input)) return false;
  const value = input.value;
  if (!value) return false;
  node.shared = true;
  input.shared = true;
  if (name === "reshape") {
    node.value = value;
  } else {
    const offset = contiguousOffset(node, input);
    if (offset === undefined) return false;
    node.value = { buffer: value.buffer, byteOffset: value.byteOffset + offset * bytesPerElement[node.dtype] };
  }
  if (!node.requiresGrad) node.inputs = [];
  return true;
}

/** Element offset of a slice that is one run of memory: steps of 1, and only the first axis longer than 1 is cut. */
function contiguousOffset(node: Node, input: Node): number | undefined {
  const { starts, steps } = node.attributes as { starts: readonly number[]; steps?: readonly number[] };
  const strides = stridesOf(input.shape);
  let offset = 0;
  let cut = false;
  for (let axis = input.shape.length - 1; axis >= 0; axis--) {
    if ((steps?.[axis] ?? 1) !== 1) return undefined;
    if (cut && node.shape[axis] !== 1) return undefined;
    if (node.shape[axis] !== input.shape[axis]) cut = true;
    offset += starts[axis] * strides[axis];
  }
  return offset;
}
