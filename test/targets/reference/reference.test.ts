import { describe, expect, test } from "vitest";
import { IndexRangeError } from "../../../src/errors.ts";
import { buildProgram } from "../../../src/graph/build-program.ts";
import type { Node } from "../../../src/graph/node.ts";
import type { ProgramNode } from "../../../src/graph/program.ts";
import type { Meaning } from "../../../src/ops/define.ts";
import { defineOp, noAttributes } from "../../../src/ops/define.ts";
import { add, cast, exp, log, mul, sum } from "../../../src/ops/index.ts";
import { evaluateProgram } from "../../../src/targets/reference/evaluate-program.ts";
import { createReferenceTarget } from "../../../src/targets/reference/reference-target.ts";
import { leafData, leafOf } from "../../../src/testing/nodes.ts";

const target = createReferenceTarget();
const stored = (leaf: Node) => leaf.value ?? { buffer: new ArrayBuffer(0), byteOffset: 0 };

/** A program of one node with a given meaning. */
function single(
  meaning: Meaning,
  inputs: readonly (readonly number[])[],
  shape: readonly number[],
  data: readonly number[][],
) {
  const op = defineOp({
    name: "single",
    summary: "One meaning.",
    prepare: (x: Node) => ({ inputs: [x], attributes: noAttributes }),
    infer: () => ({ shape, dtype: "f32" as const }),
    meaning: () => meaning,
    gradient: { none: "test" },
    cases: [{ name: "none", args: (constant) => [constant([], "f32", [0])], shape: [], expected: [0] }],
  });
  const nodes: ProgramNode[] = inputs.map((each) => ({
    op: undefined,
    inputs: [],
    attributes: {},
    type: { shape: each, dtype: "f32" },
  }));
  nodes.push({ op, inputs: inputs.map((_, i) => i), attributes: {}, type: { shape, dtype: "f32" } });
  const program = { nodes, inputs: inputs.map((_, i) => i), outputs: [{ node: inputs.length }], key: "" };
  return Array.from(
    evaluateProgram(
      program,
      data.map((each) => Float64Array.from(each)),
    )[0],
  );
}

describe("the reference target", () => {
  test("rounds only at the outputs", () => {
    const x = leafOf([2], "f32", [100, 0.1]);
    const y = log(exp(x));
    const { program, leaves } = buildProgram([{ node: y }]);
    const output = target.allocate(8);
    target.compile(program).run(leaves.map(stored), [output]);
    // In f32 exp(100) would be infinite.
    expect(Array.from(new Float32Array(output.buffer, 0, 2))).toEqual([100, Math.fround(0.1)]);
  });

  test("overwrites an input with all old values read", () => {
    const x = leafOf([2], "f32", [1, 2]);
    const { program, leaves } = buildProgram([{ node: add(x, x) }, { node: mul(x, x) }, { node: sum(x) }]);
    const second = target.allocate(8);
    const third = target.allocate(4);
    target.compile(program).run(leaves.map(stored), [stored(x), second, third]);
    expect(Array.from(leafData(x))).toEqual([2, 4]);
    expect(Array.from(new Float32Array(second.buffer, 0, 2))).toEqual([1, 4]);
    expect(new Float32Array(third.buffer, 0, 1)[0]).toBe(3);
  });

  test("stores every dtype", () => {
    const x = leafOf([3], "f32", [1.5, -2, 300]);
    const outputs = (["i32", "u8", "bool"] as const).map((dtype) => cast(x, dtype));
    const { program, leaves } = buildProgram(outputs.map((node) => ({ node })));
    const places = outputs.map(() => target.allocate(12));
    const executable = target.compile(program);
    executable.run(leaves.map(stored), places);
    expect(Array.from(new Int32Array(places[0].buffer, 0, 3))).toEqual([1, -2, 300]);
    expect(Array.from(new Uint8Array(places[1].buffer, 0, 3))).toEqual([1, 254, 44]);
    expect(Array.from(new Uint8Array(places[2].buffer, 0, 3))).toEqual([1, 1, 1]);
    expect(executable.explain()).toContain("cast(%0) u8(3,)");
    expect(executable.profile(leaves.map(stored), places)).toHaveLength(3);
  });

  test("an index out of range is found before anything is written", () => {
    const meaning: Meaning = { kind: "indexed", reference: ([x]) => x, guards: [{ input: 0, limit: 3 }] };
    expect(single(meaning, [[2]], [2], [[0, 2]])).toEqual([0, 2]);
    for (const bad of [-1, 3, Number.NaN]) {
      expect(() => single(meaning, [[2]], [2], [[0, bad]])).toThrow(IndexRangeError);
    }
  });

  test("matmul with batches", () => {
    const meaning: Meaning = { kind: "matmul" };
    const result = single(
      meaning,
      [
        [2, 1, 2],
        [2, 2, 2],
      ],
      [2, 1, 2],
      [
        [1, 2, 3, 4],
        [1, 0, 0, 1, 2, 0, 0, 2],
      ],
    );
    expect(result).toEqual([1, 2, 6, 8]);
  });

  test("convolution in its three directions is one trilinear form", () => {
    const geometry = {
      window: [2, 3],
      strides: [2, 1],
      dilation: [1, 2],
      padding: [
        [1, 0],
        [2, 1],
      ],
    } as const;
    const [x, w, y] = [
      [2, 4, 5, 4],
      [2, 3, 2, 6],
      [2, 2, 4, 6],
    ] as const;
    const fill = (shape: readonly number[], seed: number) =>
      Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => ((i * seed) % 17) - 8);
    const [dataX, dataW, dataY] = [fill(x, 5), fill(w, 7), fill(y, 3)];
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((total, value, i) => total + value * b[i], 0);
    const convolution = (direction: "forward" | "inputGradient" | "weightGradient"): Meaning => ({
      kind: "conv2d",
      direction,
      geometry,
      groups: 2,
    });
    const forward = dot(single(convolution("forward"), [[...x], [...w]], y, [dataX, dataW]), dataY);
    const input = dot(single(convolution("inputGradient"), [[...y], [...w]], x, [dataY, dataW]), dataX);
    const weight = dot(single(convolution("weightGradient"), [[...x], [...y]], w, [dataX, dataY]), dataW);
    expect(input).toBe(forward);
    expect(weight).toBe(forward);
    // One output by hand: n = 1, oy = 1, ox = 2, k = 4 (second group).
    let expected = 0;
    for (let i = 0; i < 2; i++) {
      for (let j = 0; j < 3; j++) {
        const [row, column] = [1 * 2 + i - 1, 2 + 2 * j - 2];
        if (row < 0 || row >= 4 || column < 0 || column >= 5) continue;
        for (let c = 0; c < 2; c++) {
          expected += dataX[((4 + row) * 5 + column) * 4 + 2 + c] * dataW[((i * 3 + j) * 2 + c) * 6 + 4];
        }
      }
    }
    const result = single(convolution("forward"), [[...x], [...w]], y, [dataX, dataW]);
    expect(result[((2 + 1) * 4 + 2) * 6 + 4]).toBe(expected);
  });

  test("windows in their six forms", () => {
    const geometry = {
      window: [2, 2],
      strides: [1, 2],
      dilation: [1, 1],
      padding: [
        [0, 0],
        [1, 0],
      ],
    } as const;
    const data = [1, 2, 9, 4, 5, 6, 3, 8, Number.NaN];
    const window = (combine: (Meaning & { kind: "window" })["combine"]): Meaning => ({
      kind: "window",
      combine,
      geometry,
    });
    const [x, y] = [
      [1, 3, 3, 1],
      [1, 2, 2, 1],
    ];
    // Columns -1,0 and 1,2 of rows 0,1 and 1,2.
    expect(single(window("max"), [x], y, [data])).toEqual([4, 9, 4, Number.NaN]);
    expect(single(window("argmax"), [x], y, [data])).toEqual([3, 1, 1, 3]);
    expect(single(window("sum"), [x], y, [data])).toEqual([5, 22, 7, Number.NaN]);
    const taps = [3, 1, 1, 2];
    expect(single(window("pick"), [x, y], y, [data, taps])).toEqual([4, 9, 4, 8]);
    expect(single(window("sumTranspose"), [y], x, [[1, 10, 100, 1000]])).toEqual([
      1, 10, 10, 101, 1010, 1010, 100, 1000, 1000,
    ]);
    expect(single(window("pickTranspose"), [y, y], x, [[1, 10, 100, 1000], taps])).toEqual([
      0, 0, 10, 101, 0, 0, 0, 1000, 0,
    ]);
  });
});
