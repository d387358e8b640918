import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import {
  binaryCrossentropy,
  categoricalCrossentropy,
  elu,
  gelu,
  hardSigmoid,
  huber,
  leakyRelu,
  logSoftmax,
  meanAbsoluteError,
  meanSquaredError,
  mish,
  relu6,
  selu,
  silu,
  softmax,
  softplus,
  softsign,
  sparseCategoricalCrossentropy,
} from "../../src/functions/index.ts";
import type { Node } from "../../src/graph/node.ts";
import { mean, relu, sigmoid, tanh } from "../../src/ops/index.ts";
import { assertClose } from "../../src/testing/allclose.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { leafOf, valuesOf } from "../../src/testing/nodes.ts";

interface GoldenTensor {
  readonly shape: number[];
  readonly data: (number | string)[];
}
interface GoldenLoss {
  readonly loss: string;
  readonly arguments: Record<string, number | boolean>;
  readonly yTrue: GoldenTensor;
  readonly yPred: GoldenTensor;
  readonly value: number;
  readonly valueGradient: GoldenTensor;
  readonly each: number[];
}
interface GoldenActivation {
  readonly activation: string;
  readonly x: GoldenTensor;
  readonly outputSeedStream: number;
  readonly y: GoldenTensor;
  readonly gradient: GoldenTensor;
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../goldens/${name}.json`, import.meta.url), "utf8"));
const dataOf = (golden: GoldenTensor): number[] => golden.data.map(Number);
const leaf = (golden: GoldenTensor): Node => leafOf(golden.shape, "f32", dataOf(golden), true);

const losses: Record<string, (target: Node, output: Node, options: Record<string, never>) => Node> = {
  CategoricalCrossentropy: categoricalCrossentropy,
  SparseCategoricalCrossentropy: sparseCategoricalCrossentropy,
  BinaryCrossentropy: binaryCrossentropy,
  MeanSquaredError: meanSquaredError,
  MeanAbsoluteError: meanAbsoluteError,
  Huber: (target, output, options: { delta?: number }) => huber(target, output, options.delta),
};

describe("losses equal Keras'", () => {
  const cases: GoldenLoss[] = read("keras-losses").losses;
  test.each(cases.map((each, i) => ({ ...each, title: `${i} ${each.loss} ${JSON.stringify(each.arguments)}` })))(
    "$title",
    (golden) => {
      const output = leaf(golden.yPred);
      const target = leafOf(golden.yTrue.shape, "f32", dataOf(golden.yTrue));
      const each = losses[golden.loss](target, output, golden.arguments as Record<string, never>);
      const loss = mean(each);
      const [gradient] = gradients([loss], [output]);
      const [value, all, slope] = valuesOf([loss, each, gradient!]);
      assertClose(all, golden.each, { relative: 2e-6, absolute: 1e-6 });
      assertClose(value, [golden.value], { relative: 2e-6, absolute: 1e-6 });
      assertClose(slope, dataOf(golden.valueGradient), { relative: 1e-5, absolute: 1e-6 });
    },
  );

  test("an output of softmax or sigmoid is seen through to its logits", () => {
    const logits = leafOf([1, 3], "f32", [0, 200, 400], true);
    const target = leafOf([1, 3], "f32", [1, 0, 0]);
    expect(valuesOf([categoricalCrossentropy(target, softmax(logits))])[0][0]).toBe(400);
    expect(valuesOf([sparseCategoricalCrossentropy(leafOf([1], "i32", [0]), softmax(logits))])[0][0]).toBe(400);
    expect(valuesOf([binaryCrossentropy(target, sigmoid(logits))])[0][0]).toBeCloseTo((Math.LN2 + 200 + 400) / 3, 4);
    const probabilities = leafOf([1, 3], "f32", [0, 0, 1]);
    expect(valuesOf([categoricalCrossentropy(target, probabilities)])[0][0]).toBeCloseTo(-Math.log(1e-7), 4);
  });

  test("NaN labels are out of range, not class 0", () => {
    const logits = leafOf([1, 3], "f32", [0, 1, 2]);
    const loss = sparseCategoricalCrossentropy(leafOf([1], "f32", [Number.NaN]), logits, { fromLogits: true });
    expect(() => valuesOf([loss])).toThrow(/checkIndices|index|range/i);
  });
});

describe("activations equal Keras'", () => {
  const functions: Record<string, (x: Node) => Node> = {
    relu,
    relu6,
    leaky_relu: leakyRelu,
    sigmoid,
    hard_sigmoid: hardSigmoid,
    tanh,
    softmax,
    log_softmax: logSoftmax,
    softplus,
    softsign,
    elu,
    selu,
    gelu,
    silu,
    swish: silu,
    mish,
  };
  const cases: GoldenActivation[] = read("keras-layers").activations;
  test.each(cases.filter(({ activation }) => activation in functions))("$activation", (golden) => {
    const x = leaf(golden.x);
    const y = functions[golden.activation](x);
    const seed = leafOf(golden.x.shape, "f32", hashUniform(golden.outputSeedStream, golden.x.data.length));
    const [gradient] = gradients([y], [x], [seed]);
    const [values, slopes] = valuesOf([y, gradient!]);
    assertClose(values, dataOf(golden.y), { relative: 3e-6, absolute: 1e-6 });
    // Keras' gradients are f32: where terms cancel they carry a few units of 1e-6.
    // At 0 the derivative of selu is the left one, as in PyTorch; TensorFlow takes the right one.
    const kink = golden.activation === "selu" ? dataOf(golden.x).map((value) => value === 0) : [];
    const expected = dataOf(golden.gradient).map((slope, i) => (kink[i] ? slopes[i] : slope));
    assertClose(slopes, expected, { relative: 1e-5, absolute: 4e-6 });
  });
});
