import type { Shape } from "../../graph/shape.ts";
import { stridesOf } from "../../graph/shape.ts";
import type { ScalarExpression } from "../../kernel/scalar.ts";
import { constantValue, implementationOf, type ScalarImplementation } from "../../kernel/scalar-evaluate.ts";
import { linearize } from "../../kernel/scalar-linear.ts";

const blockSize = 1024;

/** Evaluates an expression for every element of a shape; all inputs have that shape. Works in blocks that stay in the cache. */
export function evaluateElementwise(
  expression: ScalarExpression,
  inputs: readonly Float64Array[],
  shape: Shape,
  size: number,
): Float64Array {
  const result = new Float64Array(size);
  const steps = linearize(expression);
  const last = steps.length - 1;
  const blocks: Float64Array[] = steps.map(() => new Float64Array(0));
  const calls: (ScalarImplementation | undefined)[] = steps.map(({ expression: current }, index) => {
    if (current.kind === "call") {
      if (index !== last) blocks[index] = new Float64Array(Math.min(size, blockSize));
      return implementationOf(current);
    }
    if (current.kind === "constant") {
      blocks[index] = new Float64Array(Math.min(size, blockSize)).fill(constantValue(current.value, current.dtype));
    }
    return undefined;
  });
  for (let start = 0; start < size; start += blockSize) {
    const length = Math.min(blockSize, size - start);
    steps.forEach((step, index) => {
      const current = step.expression;
      const call = calls[index];
      if (current.kind === "input") blocks[index] = inputs[current.index].subarray(start, start + length);
      else if (current.kind === "position") blocks[index] = positions(shape, current.axis, start, length);
      else if (call) {
        const target = index === last ? result.subarray(start, start + length) : blocks[index];
        blocks[index] = target;
        const [a, b, c] = step.inputs;
        apply(call, target, length, blocks[a], blocks[b ?? a], blocks[c ?? a]);
      }
    });
    if (!calls[last]) result.set(blocks[last].subarray(0, length), start);
  }
  return result;
}

function apply(
  call: ScalarImplementation,
  target: Float64Array,
  length: number,
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
): void {
  for (let i = 0; i < length; i++) target[i] = call(a[i], b[i], c[i]);
}

function positions(shape: Shape, axis: number, start: number, length: number): Float64Array {
  const stride = stridesOf(shape)[axis];
  const extent = shape[axis];
  const result = new Float64Array(length);
  for (let i = 0; i < length; i++) result[i] = Math.floor((start + i) / stride) % extent;
  return result;
}
