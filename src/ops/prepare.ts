/** What ops share when they turn what the caller passed into inputs: dtype checks, casts and broadcasts. */
import { DTypeError } from "../errors.ts";
import { type DType, promote } from "../graph/dtype.ts";
import type { Node, TensorType } from "../graph/node.ts";
import { broadcastShapes, type Shape, sameShape } from "../graph/shape.ts";
import { cast } from "./cast.ts";
import { constant } from "./generate.ts";
import { expand } from "./movement.ts";

/** Throws unless the dtype is one of those allowed; the error names the cast that helps. */
export function requireDType(operation: string, dtype: DType, allowed: readonly DType[]): void {
  if (allowed.includes(dtype)) return;
  throw new DTypeError(
    `${operation}: dtype ${dtype} is not supported (expected ${allowed.join(", ")}). Convert with .cast("${allowed[0]}").`,
  );
}

/** Integers and masks become f32, as in PyTorch's floating-point functions. */
export function toFloat(x: Node): Node {
  return cast(x, "f32");
}

/** Expands nodes to their common shape. */
export function broadcast(operation: string, ...nodes: readonly Node[]): Node[] {
  const [{ shape: first }] = nodes;
  if (nodes.every((node) => sameShape(node.shape, first))) return [...nodes];
  const shape = broadcastShapes(operation, ...nodes.map((node) => node.shape));
  return nodes.map((node) => expand(node, shape));
}

/** Both inputs with one dtype (PyTorch's promotion, or `dtype`) and one shape. */
export function promoted(operation: string, left: Node, right: Node, dtype?: DType): [Node, Node] {
  const common = dtype ?? promote(left.dtype, right.dtype);
  const [a, b] = broadcast(operation, cast(left, common), cast(right, common));
  return [a, b];
}

/** A constant with a node's shape and dtype: part of the program's key, for numbers that a formula fixes. */
export function constantLike(node: Node, value: number): Node {
  return constant(value, node.shape, node.dtype);
}

/** A type with another shape or dtype. */
export const typeOf = (shape: Shape, dtype: DType): TensorType => ({ shape, dtype });
