import type { TensorType } from "../../graph/node.ts";
import type { GraphProgram } from "../../graph/program.ts";
import { elementAt, type ScanLoop, stepBefore } from "../../graph/scan-loop.ts";
import { sizeOf } from "../../graph/shape.ts";

/** A loop over time, step by step; `evaluate` computes its body. */
export function evaluateScan(
  loop: ScanLoop,
  operands: readonly Float64Array[],
  types: readonly TensorType[],
  size: number,
  evaluate: (program: GraphProgram, inputs: readonly Float64Array[]) => Float64Array[],
): Float64Array {
  const { body, length, reverse, sources, offsets } = loop;
  const packed = new Float64Array(size);
  const sizes = body.outputs.map(({ node }) => sizeOf(body.nodes[node].type.shape));
  for (let count = 0; count < length; count++) {
    const t = reverse ? length - 1 - count : count;
    const inputs = sources.map((source) => {
      if (source.kind === "constant") return operands[source.input];
      if (source.kind === "carry") {
        const before = stepBefore(loop, t);
        if (before < 0) return operands[source.initial];
        const start = offsets[source.result] + before * sizes[source.result];
        return packed.subarray(start, start + sizes[source.result]);
      }
      const element = elementAt(loop, source, t);
      if (element < 0) return operands[source.initial];
      const step = sizeOf(types[source.input].shape) / length;
      return operands[source.input].subarray(element * step, (element + 1) * step);
    });
    evaluate(body, inputs).forEach((value, result) => {
      packed.set(value, offsets[result] + t * sizes[result]);
    });
  }
  return packed;
}
