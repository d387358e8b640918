import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import * as functions from "../../src/functions/index.ts";
import type { Node } from "../../src/graph/node.ts";
import { argsort, conv2d, cumulativeProduct, cumulativeSum, matmul } from "../../src/ops/index.ts";
import { toPair } from "../../src/ops/window-geometry.ts";
import { assertClose } from "../../src/testing/allclose.ts";
import { leafOf, valuesOf } from "../../src/testing/nodes.ts";

interface GoldenTensor {
  readonly shape: number[];
  readonly data: (number | string)[];
}
type Side = number | [number, number];
interface GoldenOp {
  readonly name: string;
  readonly x: GoldenTensor;
  readonly seed: GoldenTensor;
  readonly y: GoldenTensor;
  readonly dx: GoldenTensor;
}
interface Golden {
  readonly convolutions: (GoldenOp & {
    readonly w: GoldenTensor;
    readonly dw: GoldenTensor;
    readonly options: { stride?: Side; padding?: Side; dilation?: Side; groups?: number };
  })[];
  readonly pooling: (GoldenOp & {
    readonly kind: "max" | "average";
    readonly kernel: Side;
    readonly options: {
      stride?: Side;
      padding?: Side;
      dilation?: Side;
      ceil_mode?: boolean;
      count_include_pad?: boolean;
    };
  })[];
  readonly losses: (GoldenOp & {
    readonly target: GoldenTensor;
    readonly options: { reduction?: functions.LossReduction; weight?: number[]; label_smoothing?: number };
  })[];
  readonly activations: GoldenOp[];
  readonly unary: GoldenOp[];
  readonly order: { readonly x: GoldenTensor; readonly ascending: number[]; readonly descending: number[] };
}

const golden: Golden = JSON.parse(readFileSync(new URL("../goldens/torch-ops.json", import.meta.url), "utf8"));
const dataOf = (tensor: GoldenTensor): number[] => tensor.data.map(Number);
const leaf = (tensor: GoldenTensor, requiresGrad = true): Node =>
  leafOf(tensor.shape, "f32", dataOf(tensor), requiresGrad);
const titled = <T>(cases: readonly T[], title: (each: T) => string) =>
  cases.map((each, i) => ({ each, title: `${i} ${title(each)}` }));
const close = { relative: 2e-6, absolute: 2e-6 };

function compare(
  y: Node,
  golden: { readonly y: GoldenTensor },
  pairs: readonly (readonly [Node, GoldenTensor])[],
  seed?: Node,
): void {
  const slopes = gradients(
    [y],
    pairs.map(([x]) => x),
    [seed],
  );
  const [value, ...rest] = valuesOf([y, ...slopes.map((slope) => slope!)]);
  assertClose(value, dataOf(golden.y), close);
  rest.forEach((slope, i) => {
    assertClose(slope, dataOf(pairs[i][1]), close);
  });
}

describe("equal to PyTorch", () => {
  test.each(titled(golden.convolutions, ({ options }) => `conv2d ${JSON.stringify(options)}`))("$title", ({ each }) => {
    const [x, w] = [leaf(each.x), leaf(each.w)];
    const [vertical, horizontal] = toPair(each.options.padding ?? 0);
    const y = conv2d(x, w, {
      strides: each.options.stride,
      dilation: each.options.dilation,
      groups: each.options.groups,
      padding: [
        [vertical, vertical],
        [horizontal, horizontal],
      ],
    });
    expect(y.shape).toEqual(each.y.shape);
    compare(
      y,
      each,
      [
        [x, each.dx],
        [w, each.dw],
      ],
      leaf(each.seed, false),
    );
  });

  test.each(
    titled(golden.pooling, ({ kind, kernel, options }) => `${kind} pooling ${kernel} ${JSON.stringify(options)}`),
  )("$title", ({ each }) => {
    const x = leaf(each.x);
    const { stride, padding, dilation, ceil_mode: ceilMode, count_include_pad: counted } = each.options;
    const options = { strides: stride, padding, ceilMode };
    const y =
      each.kind === "max"
        ? functions.maxPool2d(x, each.kernel, { ...options, dilation })
        : functions.averagePool2d(x, each.kernel, { ...options, countIncludePad: counted ?? true });
    expect(y.shape).toEqual(each.y.shape);
    compare(y, each, [[x, each.dx]], leaf(each.seed, false));
  });

  test.each(titled(golden.losses, ({ name, options }) => `${name} ${JSON.stringify(options)}`))(
    "$title",
    ({ each }) => {
      const x = leaf(each.x);
      const soft = each.target.shape.length === each.x.shape.length;
      const target = leafOf(each.target.shape, soft ? "f32" : "i32", dataOf(each.target));
      const { reduction, weight, label_smoothing: labelSmoothing } = each.options;
      const options = { reduction, labelSmoothing, weight: weight && leafOf([weight.length], "f32", weight) };
      const y =
        each.name === "nllLoss" ? functions.nllLoss(x, target, options) : functions.crossEntropy(x, target, options);
      compare(y, each, [[x, each.dx]]);
    },
  );

  test.each(titled(golden.activations, ({ name }) => name))("$title", ({ each }) => {
    const x = leaf(each.x);
    const byName: Record<string, (x: Node) => Node> = {
      ...functions,
      geluApproximate: (x: Node) => functions.gelu(x, true),
    } as never;
    compare(byName[each.name](x), each, [[x, each.dx]]);
  });

  test.each(titled(golden.unary, ({ name }) => name))("$title", ({ each }) => {
    const x = leaf(each.x);
    const y = {
      cumulativeProduct: () => cumulativeProduct(x, { axis: 1 }),
      cumulativeSum: () => cumulativeSum(x, { axis: 0 }),
      sort: () => functions.sort(x, { axis: 1, descending: true }),
      topK: () => functions.topK(x, 2, { axis: 1 }).values,
      variance: () => functions.variance(x, { axes: 1, correction: 1 }),
      logSumExp: () => functions.logSumExp(x, 1),
    }[each.name]!();
    expect(y.shape).toEqual(each.y.shape);
    compare(y, each, [[x, each.dx]], leaf(each.seed, false));
  });

  test("order of special values", () => {
    const x = leaf(golden.order.x);
    expect(Array.from(valuesOf([argsort(x)])[0])).toEqual(golden.order.ascending);
    expect(Array.from(valuesOf([argsort(x, { descending: true })])[0])).toEqual(golden.order.descending);
  });
});

describe("shapes that do not fit say so", () => {
  const x = (shape: number[]): Node => leafOf(shape, "f32", new Array(shape.reduce((a, b) => a * b, 1)).fill(0));
  const labels = leafOf([3], "i32", [0, 1, 2]);
  test.each<[string, () => Node]>([
    ["matmul", () => matmul(x([2, 3]), x([4, 5]))],
    ["conv2d channels", () => conv2d(x([1, 4, 4, 3]), x([3, 3, 2, 8]))],
    ["conv2d window", () => conv2d(x([1, 2, 2, 3]), x([3, 3, 3, 8]))],
    ["conv2d rank", () => conv2d(x([4, 4, 3]), x([3, 3, 3, 8]))],
    ["conv2d groups", () => conv2d(x([1, 4, 4, 4]), x([3, 3, 2, 3]), { groups: 2 })],
    ["maxPool2d", () => functions.maxPool2d(x([1, 2, 2, 1]), 3)],
    ["maxPool2d strides", () => functions.maxPool2d(x([1, 2, 2, 1]), 2, { strides: 0 })],
    ["categorical", () => functions.categoricalCrossentropy(x([2, 3]), x([2, 4]))],
    ["sparse", () => functions.sparseCategoricalCrossentropy(labels, x([2, 4]))],
    ["crossEntropy", () => functions.crossEntropy(x([2, 4]), labels)],
    ["mse", () => functions.meanSquaredError(x([2, 3, 4]), x([2, 4]))],
    ["batchNormalization", () => functions.batchNormalizationTraining(x([2, 3]), { gamma: x([2]) }).output],
    ["topK", () => functions.topK(x([2, 3]), 4).values],
    ["dropout", () => functions.dropout(x([2]), 1.5, labels, labels)],
  ])("%s", (_name, build) => {
    expect(build).toThrowErrorMatchingSnapshot();
  });
});
