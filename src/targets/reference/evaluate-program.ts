/** The oracle: interprets the meaning of every node in f64. */
import { IndexRangeError, InternalError, unreachable } from "../../errors.ts";
import type { TensorType } from "../../graph/node.ts";
import type { GraphProgram, ProgramNode } from "../../graph/program.ts";
import { sizeOf } from "../../graph/shape.ts";
import { evaluateConvolution } from "./convolution.ts";
import { evaluateElementwise } from "./elementwise.ts";
import { evaluateMatmul } from "./matmul.ts";
import { evaluateMovement } from "./movement.ts";
import { evaluateReduce } from "./reduce.ts";
import { evaluateScan } from "./scan.ts";
import { evaluateWindow } from "./window.ts";

/** Told of each node as it is computed: its index in the program and its value, row-major. */
export type NodeObserver = (index: number, value: Float64Array) => void;

/**
 * Computes a program in f64, without rounding between nodes. `inputs` and the result are row-major, in the program's order; integers and masks
 * are whole numbers. Nothing is written to `inputs`.
 *
 * @throws IndexRangeError where an index lies outside its range.
 */
export function evaluateProgram(
  program: GraphProgram,
  inputs: readonly Float64Array[],
  observe?: NodeObserver,
): Float64Array[] {
  const { nodes } = program;
  const values: (Float64Array | undefined)[] = new Array(nodes.length);
  program.inputs.forEach((index, position) => {
    const expected = sizeOf(nodes[index].type.shape);
    if (inputs[position]?.length !== expected) {
      throw new InternalError(`input ${position} has ${inputs[position]?.length} elements, expected ${expected}`);
    }
    values[index] = inputs[position];
  });
  // How often each value is still read; one that is not is let go, so that memory stays near what a real target needs.
  const readers = new Int32Array(nodes.length);
  for (const node of nodes) for (const input of node.inputs) readers[input]++;
  for (const output of program.outputs) readers[output.node]++;
  nodes.forEach((node, index) => {
    if (!node.op || readers[index] === 0) return;
    const operands = node.inputs.map((input) => {
      const value = values[input];
      if (!value) throw new InternalError(`node ${index} (${node.op?.opName}) reads node ${input}, which has no value`);
      return value;
    });
    const value = evaluateNode(
      node,
      operands,
      node.inputs.map((input) => nodes[input].type),
    );
    values[index] = value;
    observe?.(index, value);
    for (const input of node.inputs) if (--readers[input] === 0) values[input] = undefined;
  });
  return program.outputs.map((output) => values[output.node] as Float64Array);
}

function evaluateNode(
  node: ProgramNode,
  operands: readonly Float64Array[],
  types: readonly TensorType[],
): Float64Array {
  const { op, attributes, type } = node;
  if (!op) throw new InternalError("an input is not evaluated");
  const size = sizeOf(type.shape);
  const shapes = types.map((each) => each.shape);
  const meaning = op.meaning(types, attributes, type);
  switch (meaning.kind) {
    case "elementwise": {
      const expression = meaning.expression(
        types.map((each, index) => ({ kind: "input", index, dtype: each.dtype }) as const),
      );
      return evaluateElementwise(expression, operands, type.shape, size);
    }
    case "movement":
      return evaluateMovement(meaning.pieces, meaning.fill, operands, shapes, type.shape, size);
    case "reshape":
      return operands[0];
    case "reduce":
      return evaluateReduce(meaning.combine, meaning.axes, operands[0], shapes[0], types[0].dtype);
    case "matmul":
      return evaluateMatmul(operands[0], operands[1], shapes[0], shapes[1], size);
    case "conv2d": {
      const [first, second] = shapes;
      const roles = {
        forward: { x: first, w: second, y: type.shape },
        inputGradient: { x: type.shape, w: second, y: first },
        weightGradient: { x: first, w: type.shape, y: second },
      };
      return evaluateConvolution(meaning, operands[0], operands[1], roles[meaning.direction], size);
    }
    case "window": {
      const transposed = meaning.combine === "sumTranspose" || meaning.combine === "pickTranspose";
      const [x, y] = transposed ? [type.shape, shapes[0]] : [shapes[0], type.shape];
      return evaluateWindow(meaning, operands, x, y, size);
    }
    case "scan":
      return evaluateScan(meaning.loop, operands, types, size, evaluateProgram);
    case "indexed": {
      for (const { input, limit } of meaning.guards ?? []) checkIndices(op.opName, operands[input], limit);
      const result = meaning.reference(operands, types, type);
      return result instanceof Float64Array ? result : Float64Array.from(result);
    }
    default:
      return unreachable(meaning, "meaning");
  }
}

function checkIndices(opName: string, indices: Float64Array, limit: number): void {
  for (let position = 0; position < indices.length; position++) {
    const index = indices[position];
    if (!(index >= 0 && index < limit)) {
      throw new IndexRangeError(
        `${opName}: index ${index} at position ${position} is out of range: expected 0 to ${limit - 1} (${limit} classes or rows).`,
      );
    }
  }
}
