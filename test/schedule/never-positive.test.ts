import { describe, expect, it } from "vitest";
import { logSoftmax, softmax } from "../../src/functions/softmax.ts";
import { buildProgram } from "../../src/graph/build-program.ts";
import type { Node } from "../../src/graph/node.ts";
import { amax, amin, exp, expand, permute, reshape, sub } from "../../src/ops/index.ts";
import { buildTensorGraph } from "../../src/schedule/tensor-graph.ts";
import { leafOf } from "../../src/testing/nodes.ts";

const x = (...shape: readonly number[]): Node => leafOf(shape, "f32", Float32Array.from({ length: 64 }, Math.sin));

/** Whether the one power of a graph is of something that is known never to be positive. */
function isNarrow(output: Node): boolean {
  const { values } = buildTensorGraph(buildProgram([{ node: output }]).program);
  const [power] = values.filter(({ opName }) => opName === "exp");
  return power.expression?.kind === "call" && power.expression.function === "expOfNonPositive";
}

describe("powers of what is never positive", () => {
  it("are found in softmax along any axes", () => {
    for (const axis of [0, 1, 2]) {
      expect(isNarrow(softmax(x(4, 4, 4), axis))).toBe(true);
      expect(isNarrow(logSoftmax(x(4, 4, 4), axis))).toBe(true);
    }
    const data = x(4, 4, 4);
    expect(isNarrow(exp(sub(data, expand(amax(data, [0, 2], true), [4, 4, 4]))))).toBe(true);
    const single = x(64, 1);
    expect(isNarrow(exp(sub(single, amax(single, 1, true))))).toBe(true);
  });

  it("are not taken for granted where other numbers are subtracted", () => {
    const [data, other] = [x(8, 8), x(8, 8)];
    const spread = (kept: Node) => expand(kept, [8, 8]);
    expect(isNarrow(exp(data))).toBe(false);
    expect(isNarrow(exp(sub(data, spread(amin(data, 1, true)))))).toBe(false);
    expect(isNarrow(exp(sub(data, spread(amax(other, 1, true)))))).toBe(false);
    expect(isNarrow(exp(sub(spread(amax(data, 1, true)), data)))).toBe(false);
    // The largest of each row, subtracted from the columns.
    expect(isNarrow(exp(sub(data, spread(reshape(amax(data, 1), [1, 8])))))).toBe(false);
    expect(isNarrow(exp(sub(data, spread(permute(amax(data, 1, true), [1, 0])))))).toBe(false);
    expect(isNarrow(exp(sub(permute(data, [1, 0]), spread(amax(data, 1, true)))))).toBe(false);
  });
});
