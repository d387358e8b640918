import { describe, expect, it } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { buildProgram } from "../../src/graph/build-program.ts";
import { dataNode, type Node } from "../../src/graph/node.ts";
import type { Shape } from "../../src/graph/shape.ts";
import {
  add,
  concat,
  conv2d,
  expand,
  matmul,
  maximum,
  mul,
  pad,
  permute,
  reshape,
  sub,
  sum,
  tanh,
} from "../../src/ops/index.ts";
import { canonicalProgram } from "../../src/schedule/canonical.ts";
import { evaluateProgram } from "../../src/targets/reference/evaluate-program.ts";
import { leafOf, valuesOf } from "../../src/testing/nodes.ts";

const ramp = (shape: Shape, seed = 1, requiresGrad = false): Node => {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return leafOf(
    shape,
    "f32",
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + seed)),
    requiresGrad,
  );
};
const first = (x: Node): Node => permute(x, [0, 3, 1, 2]);
const last = (x: Node): Node => permute(x, [0, 2, 3, 1]);
const geometry = {
  strides: [1, 1],
  dilation: [1, 1],
  padding: [
    [1, 1],
    [1, 1],
  ],
} as never;

/** Ops of the canonical program, and a check that it computes the same as the one it came from. */
function opsOf(...outputs: Node[]): string[] {
  const { program, leaves } = buildProgram(outputs.map((node) => ({ node })));
  const canonical = canonicalProgram(program);
  const values = canonical.inputs.map((input) => {
    const leaf = leaves[input];
    return valuesOf([leaf])[0];
  });
  const results = evaluateProgram(canonical.program, values);
  const expected = valuesOf(outputs);
  results.forEach((result, index) => {
    expect(Array.from(result)).toEqual(Array.from(expected[index], (value) => expect.closeTo(value, 5)));
  });
  return canonical.program.nodes.flatMap((node) => (node.op ? [node.op.opName] : []));
}

describe("canonical form", () => {
  it("cancels permutations around elementwise work", () => {
    const x = ramp([2, 3, 4, 5]);
    expect(opsOf(last(tanh(first(x))))).toEqual(["tanh"]);
  });

  it("lets a channels-first chain of convolutions run channels-last", () => {
    const x = ramp([2, 5, 6, 3]);
    const w = ramp([3, 3, 3, 4], 2);
    const v = ramp([3, 3, 4, 2], 3);
    const zero = ramp([1], 5);
    const hidden = first(conv2d(x, w, geometry));
    const active = maximum(hidden, expand(reshape(zero, [1, 1, 1, 1]), hidden.shape));
    const ops = opsOf(sum(first(conv2d(last(active), v, geometry)), [2, 3]));
    expect(ops).not.toContain("permute");
  });

  it("moves a channel's factor with it", () => {
    const x = ramp([2, 4, 5, 3]);
    const scale = reshape(ramp([3], 4), [1, 3, 1, 1]);
    const scaled = mul(first(x), expand(scale, [2, 3, 4, 5]));
    expect(opsOf(last(scaled))).toEqual(["expand", "mul"]);
  });

  it("handles concatenation, padding and an image without extent", () => {
    const x = ramp([2, 4, 5, 3]);
    const y = ramp([2, 4, 5, 2], 2);
    expect(opsOf(last(concat([first(x), first(y)], 1)))).toEqual(["concat"]);
    expect(
      opsOf(
        last(
          pad(first(x), [
            [0, 0],
            [1, 2],
            [0, 1],
            [3, 0],
          ]),
        ),
      ),
    ).toEqual(["pad"]);
    expect(opsOf(reshape(first(ramp([2, 1, 1, 6])), [2, 6]))).toEqual(["reshape"]);
  });

  it("keeps a permutation where operands disagree, and where the result is asked for", () => {
    const x = ramp([2, 3]);
    const y = ramp([3, 2], 2);
    expect(opsOf(add(permute(x, [1, 0]), y))).toEqual(["permute", "add"]);
    expect(opsOf(permute(tanh(x), [1, 0]))).toEqual(["tanh", "permute"]);
  });

  it("turns the transpose of a product into a product", () => {
    const x = ramp([4, 3]);
    const w = ramp([5, 3], 2, true);
    const rate = ramp([1], 3);
    const [gradient] = gradients([sum(tanh(matmul(x, permute(w, [1, 0]))))], [w]);
    const ops = opsOf(sub(w, mul(gradient as Node, expand(rate, [5, 3]))));
    expect(ops.filter((op) => op === "permute")).toHaveLength(2);
    const a = ramp([2, 3]);
    const b = ramp([3, 4]);
    expect(opsOf(permute(matmul(a, b), [1, 0]))).toEqual(["permute", "permute", "matmul"]);
    const product = matmul(a, b);
    expect(opsOf(permute(product, [1, 0]), product)).toEqual(["matmul", "permute"]);
  });

  it("gives channels-first and channels-last networks the same key", () => {
    const x = ramp([2, 5, 6, 3]);
    const w = ramp([3, 3, 3, 4], 2);
    const channelsLast = sum(tanh(conv2d(x, w, geometry)), [1, 2]);
    const channelsFirst = sum(tanh(first(conv2d(last(first(x)), w, geometry))), [2, 3]);
    const keyOf = (node: Node) => canonicalProgram(buildProgram([{ node }]).program).program.key;
    expect(keyOf(channelsFirst)).toBe(keyOf(channelsLast));
  });

  it("drops nothing that is overwritten", () => {
    const x = ramp([2, 3]);
    const w = dataNode(x.type, x.value as never);
    const { program } = buildProgram([{ node: permute(permute(add(w, x), [1, 0]), [1, 0]), overwrites: w }]);
    const canonical = canonicalProgram(program).program;
    expect(canonical.outputs).toEqual([{ node: 2, overwrites: 0 }]);
  });
});
