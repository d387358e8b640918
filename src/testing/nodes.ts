/** Graphs in tests: leaves from numbers, values through the oracle. */

import { buildProgram } from "../graph/build-program.ts";
import { type DType, type TensorData, viewOf } from "../graph/dtype.ts";
import { dataNode, type Node } from "../graph/node.ts";
import { checkShape, type Shape, sizeOf } from "../graph/shape.ts";
import { evaluateProgram } from "../targets/reference/evaluate-program.ts";

/** A leaf that holds numbers (rounded to the dtype). */
export function leafOf(shape: Shape, dtype: DType, data: ArrayLike<number>, requiresGrad = false): Node {
  checkShape("leafOf", shape);
  const size = sizeOf(shape);
  if (data.length !== size) throw new Error(`leafOf: ${data.length} numbers for ${size} elements`);
  const buffer = new ArrayBuffer(Math.max(128, size * 4));
  viewOf(dtype, buffer, 0, size).set(data);
  return dataNode({ shape, dtype }, { buffer, byteOffset: 0 }, requiresGrad);
}

/** The stored elements of a leaf. */
export function leafData(leaf: Node): TensorData {
  if (leaf.leaf?.kind === "number") return Float32Array.of(leaf.leaf.value);
  if (!leaf.value) throw new Error("leafData: the leaf has no value");
  return viewOf(leaf.dtype, leaf.value.buffer, leaf.value.byteOffset, sizeOf(leaf.shape));
}

/** Values of nodes in f64, through the oracle. `overrides` replaces the data of leaves (finite differences need more than f32). */
export function valuesOf(
  outputs: readonly Node[],
  overrides: ReadonlyMap<Node, Float64Array> = new Map(),
): Float64Array[] {
  const { program, leaves } = buildProgram(outputs.map((node) => ({ node })));
  return evaluateProgram(
    program,
    leaves.map((leaf) => overrides.get(leaf) ?? Float64Array.from(leafData(leaf))),
  );
}
