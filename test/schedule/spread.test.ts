import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import type { Node } from "../../src/graph/node.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { ops } from "../../src/ops/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { leafOf } from "../../src/testing/nodes.ts";
import { narrowMachine, wideMachine } from "../../src/testing/run-plan.ts";
import { assertScheduled, runScheduled } from "./scheduling.ts";

const { add, conv2d, mul, permute, sum } = ops;
const tensor = (stream: number, ...shape: number[]): Node =>
  leafOf(shape, "f32", hashUniform(stream, sizeOf(shape), -1, 1), true);

interface Network {
  readonly image: readonly number[];
  readonly filters: number;
  readonly window: [number, number];
  readonly before?: number;
  /** The gradient of what is pooled arrives in another order of axes. */
  readonly channelsFirst?: boolean;
}

/** Gradients of a convolution whose result is pooled: of image, kernel and bias, and of the result itself. */
function gradientsOf({ image, filters, window, before = 0, channelsFirst }: Network): Node[] {
  const [x, kernel, bias] = [tensor(1, ...image), tensor(2, 3, 3, image[3]!, filters), tensor(3, filters)];
  const padding = [
    [before, 0],
    [before, 0],
  ] as const;
  const result = add(conv2d(x, kernel, { padding }), bias);
  const pooled = ops.windowMax(result, window, { strides: window });
  const seen = channelsFirst ? permute(pooled, [0, 3, 1, 2]) : pooled;
  const loss = sum(mul(seen, tensor(4, ...seen.shape)));
  return gradients([loss], [x, kernel, bias, result]).map((node) => node!);
}

const picks = /windowPickTranspose|pickTranspose_/;

describe.each([narrowMachine, wideMachine])("gradients of pooled convolutions on a $name machine", (machine) => {
  test.each<[string, Network, readonly ("image" | "kernel")[]]>([
    ["whole tiles", { image: [2, 14, 14, 16], filters: 32, window: [2, 2] }, ["image", "kernel"]],
    ["tiles with a rest", { image: [1, 12, 14, 18], filters: 19, window: [2, 2] }, ["image", "kernel"]],
    ["tiles with a rest both ways", { image: [1, 12, 16, 17], filters: 21, window: [2, 2] }, ["kernel"]],
    ["wide and low windows", { image: [1, 14, 14, 16], filters: 18, window: [1, 4] }, ["image", "kernel"]],
    ["padding", { image: [1, 13, 13, 16], filters: 16, window: [4, 2], before: 1 }, ["image", "kernel"]],
    [
      "channels first",
      { image: [2, 14, 14, 16], filters: 17, window: [2, 2], channelsFirst: true },
      ["image", "kernel"],
    ],
  ])("%s: spread where it is read, to the same bits", (_name, network, spread) => {
    const [image, kernel, bias, result] = gradientsOf(network) as [Node, Node, Node, Node];
    const wanted = spread.map((name) => ({ image, kernel })[name]);
    const together = runScheduled([...wanted, bias], machine);
    expect(together.plan.explanation).not.toMatch(picks);
    const apart = runScheduled([...wanted, bias, result], machine);
    expect(apart.plan.explanation).toMatch(picks);
    expect(together.data).toEqual(apart.data.slice(0, -1));
    assertScheduled([image, kernel, bias], machine, { relative: 1e-4, absolute: 1e-4 });
  });
});

describe("the gradient of max pooling is written", () => {
  const lies = (outputs: readonly Node[]): void =>
    expect(assertScheduled(outputs, wideMachine, { relative: 1e-4, absolute: 1e-4 }).explanation).toMatch(picks);

  test("where a convolution reads it by taps, not by tiles", () => {
    lies(gradientsOf({ image: [1, 8, 8, 3], filters: 18, window: [2, 2] }).slice(0, 3));
  });
  test("where windows do not divide the tiles or leave a rest", () => {
    lies(gradientsOf({ image: [1, 14, 14, 16], filters: 16, window: [3, 3] }).slice(0, 3));
    lies(gradientsOf({ image: [1, 13, 13, 16], filters: 16, window: [2, 2] }).slice(0, 3));
  });
  test("where elementwise work reads it as well", () => {
    const [image, kernel, , result] = gradientsOf({ image: [1, 14, 14, 16], filters: 16, window: [2, 2] });
    lies([image!, kernel!, mul(result!, result!)]);
  });
});

test("a sum over images adds up the pooled gradient, also where windows leave a rest or overlap", () => {
  const data = tensor(1, 3, 9, 9, 5);
  for (const [strides, short] of [
    [2, true],
    [1, false],
  ] as const) {
    const pooled = ops.windowMax(data, 2, { strides });
    const [slope] = gradients([sum(mul(pooled, tensor(2, ...pooled.shape)))], [data]);
    for (const axes of [
      [0, 1, 2],
      [1, 2],
    ]) {
      const { explanation } = assertScheduled([sum(slope!, axes)], wideMachine, { relative: 1e-5, absolute: 1e-5 });
      expect(picks.test(explanation)).toBe(!short);
    }
    expect(assertScheduled([sum(slope!, [0, 1])], wideMachine, { relative: 1e-5, absolute: 1e-5 }).explanation).toMatch(
      picks,
    );
  }
});
