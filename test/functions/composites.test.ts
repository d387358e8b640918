import { describe, expect, test } from "vitest";
import {
  averagePool2d,
  batchNormalizationInference,
  batchNormalizationTraining,
  categoricalCrossentropy,
  crossEntropy,
  dropout,
  gelu,
  layerNormalization,
  logSoftmax,
  logSumExp,
  maxPool2d,
  mish,
  oneHot,
  randomNormal,
  randomOrder,
  randomUniform,
  softmax,
  softplus,
  sort,
  std,
  truncatedNormal,
} from "../../src/functions/index.ts";
import { type Node, numberNode } from "../../src/graph/node.ts";
import { scalarConstant } from "../../src/kernel/scalar.ts";
import { evaluateScalar } from "../../src/kernel/scalar-evaluate.ts";
import { threefry } from "../../src/ops/threefry.ts";
import { checkGradients } from "../../src/testing/gradient-check.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { leafOf, valuesOf } from "../../src/testing/nodes.ts";

const leaf = (shape: number[], stream = 1): Node =>
  leafOf(
    shape,
    "f32",
    hashUniform(
      stream,
      shape.reduce((a, b) => a * b, 1),
    ),
    true,
  );

describe("composites against differences, to second order", () => {
  const image = [1, 4, 5, 2];
  test.each<[string, (x: Node) => Node, number[]]>([
    ["softmax", (x) => softmax(x, 1), [3, 4]],
    ["logSoftmax", (x) => logSoftmax(x), [3, 4]],
    ["logSumExp", (x) => logSumExp(x, [0, 1], true), [3, 4]],
    ["softplus", softplus, [6]],
    ["gelu", (x) => gelu(x), [6]],
    ["gelu, approximate", (x) => gelu(x, true), [6]],
    ["mish", mish, [6]],
    ["std", (x) => std(x, { axes: 0, correction: 1 }), [4, 3]],
    ["batchNormalization", (x) => batchNormalizationTraining(x, { axis: 1, epsilon: 0.1 }).output, [4, 2, 3]],
    ["layerNormalization", (x) => layerNormalization(x, { epsilon: 0.1, axes: [1, 2] }), [2, 2, 3]],
    ["maxPool2d", (x) => maxPool2d(x, [2, 3], { strides: 1, padding: "same" }), image],
    ["averagePool2d", (x) => averagePool2d(x, 3, { strides: 2, padding: "same" }), image],
    ["sort", (x) => sort(x, { axis: 0 }), [5, 2]],
    [
      "categoricalCrossentropy",
      (x) => categoricalCrossentropy(oneHot(leafOf([2], "i32", [1, 0]), 3), softmax(x)),
      [2, 3],
    ],
    ["crossEntropy", (x) => crossEntropy(x, leafOf([2], "i32", [1, 0]), { labelSmoothing: 0.1 }), [2, 3]],
  ])("%s", (_name, build, shape) => {
    const x = leaf(shape);
    checkGradients([build(x)], [x], { seed: 1 });
  });

  test("batchNormalizationInference with every parameter", () => {
    const [x, mean, variance, gamma, beta] = [
      leaf([4, 3]),
      leaf([3], 2),
      leafOf([3], "f32", [0.5, 1, 2], true),
      leaf([3], 4),
      leaf([3], 5),
    ];
    const y = batchNormalizationInference(x, mean, variance, { gamma, beta });
    checkGradients([y], [x, mean, variance, gamma, beta], { seed: 1 });
    const [values] = valuesOf([y]);
    const at = (node: Node, i: number): number => valuesOf([node])[0][i];
    expect(values[4]).toBeCloseTo(((at(x, 4) - at(mean, 1)) / Math.sqrt(1 + 1e-3)) * at(gamma, 1) + at(beta, 1), 5);
  });
});

describe("extreme inputs", () => {
  const inf = Number.POSITIVE_INFINITY;
  test("logSumExp and softmax neither overflow nor lose the small", () => {
    expect(valuesOf([logSumExp(leafOf([2], "f32", [-inf, -inf]))])[0][0]).toBe(-inf);
    expect(valuesOf([logSumExp(leafOf([2], "f32", [inf, 1]))])[0][0]).toBe(inf);
    expect(valuesOf([logSumExp(leafOf([2], "f32", [1000, 1000]))])[0][0]).toBeCloseTo(1000 + Math.LN2, 9);
    expect(Array.from(valuesOf([softmax(leafOf([3], "f32", [-1000, 0, 1000]))])[0])).toEqual([0, 0, 1]);
    expect(Array.from(valuesOf([softplus(leafOf([3], "f32", [-1000, 1000, inf]))])[0])).toEqual([0, 1000, inf]);
  });
  test("an index outside gives a row of zeros", () => {
    expect(Array.from(valuesOf([oneHot(leafOf([2], "i32", [5, 1]), 2)])[0])).toEqual([0, 0, 0, 1]);
  });
});

describe("random numbers", () => {
  const key = (seed: number, counter: number): [Node, Node] => [numberNode(seed, "i32"), numberNode(counter, "i32")];
  const moments = (values: Float64Array): [number, number] => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return [mean, values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length];
  };

  test.each<[number[], number[], number[]]>([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [-1, -1],
      [-1, -1],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])("Threefry's published answers: key %j, block %j", (key, block, expected) => {
    const word = (value: number) => scalarConstant(value | 0, "i32");
    const words = threefry([word(key[0]), word(key[1])], [word(block[0]), word(block[1])]);
    expect(words.map((each) => evaluateScalar(each, [], []) >>> 0)).toEqual(expected);
  });

  test("have the moments of their distributions", () => {
    const [uniform, normal, truncated] = valuesOf([
      randomUniform([20000], ...key(1, 2), -1, 3),
      randomNormal([20000], ...key(1, 3), 2, 3),
      truncatedNormal([20000], ...key(1, 4)),
    ]);
    expect(uniform.every((x) => x >= -1 && x < 3)).toBe(true);
    expect(moments(uniform)[0]).toBeCloseTo(1, 1);
    expect(moments(uniform)[1]).toBeCloseTo(16 / 12, 1);
    expect(Math.abs(moments(normal)[0] - 2)).toBeLessThan(0.06);
    expect(Math.abs(moments(normal)[1] - 9)).toBeLessThan(0.3);
    expect(truncated.every((x) => Math.abs(x) <= 2)).toBe(true);
    expect(moments(truncated)[1]).toBeCloseTo(0.7737, 1);
  });

  test("depend on seed, counter and position only", () => {
    const [a, again, otherSeed, otherCounter, shaped] = valuesOf([
      randomUniform([6], ...key(1, 2)),
      randomUniform([6], ...key(1, 2)),
      randomUniform([6], ...key(2, 2)),
      randomUniform([6], ...key(1, 3)),
      randomUniform([2, 3], ...key(1, 2)),
    ]);
    expect(again).toEqual(a);
    expect(shaped).toEqual(a);
    expect(otherSeed).not.toEqual(a);
    expect(otherCounter).not.toEqual(a);
  });

  test("dropout keeps the mean and its mask in the gradient", () => {
    const x = leafOf([10000], "f32", new Float32Array(10000).fill(1), true);
    const [values] = valuesOf([dropout(x, 0.25, ...key(5, 6))]);
    const kept = values.filter((value) => value !== 0);
    expect(kept.every((value) => Math.abs(value - 4 / 3) < 1e-6)).toBe(true);
    expect(kept.length / 10000).toBeCloseTo(0.75, 1);
    expect(Array.from(valuesOf([dropout(x, 1, ...key(5, 6))])[0]).every((value) => value === 0)).toBe(true);
  });

  test("randomOrder is a permutation", () => {
    const [order] = valuesOf([randomOrder(50, ...key(1, 1))]);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect([...order]).not.toEqual([...order].sort((a, b) => a - b));
  });
});
