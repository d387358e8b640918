import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { maxPool2d } from "../../src/functions/index.ts";
import type { Node } from "../../src/graph/node.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { ops } from "../../src/ops/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { leafOf } from "../../src/testing/nodes.ts";
import { narrowMachine, wideMachine } from "../../src/testing/run-plan.ts";
import { assertScheduled, runScheduled } from "./scheduling.ts";

const { add, conv2d, mul, relu, sub, sum, tanh } = ops;
const tensor = (stream: number, ...shape: number[]): Node =>
  leafOf(shape, "f32", hashUniform(stream, sizeOf(shape), -1, 1), true);
/** Windows side by side. */
const largest = (x: Node, window: number | [number, number]): Node => ops.windowMax(x, window, { strides: window });
const taps = (x: Node, window: number | [number, number]): Node => ops.windowArgmax(x, window, { strides: window });
const close = { relative: 1e-5, absolute: 1e-5 };

describe.each([narrowMachine, wideMachine])("max pooling in a convolution's kernel on a $name machine", (machine) => {
  test.each<[string, number[], number[], [number, number]]>([
    ["one channel tile", [2, 8, 8, 3], [3, 3, 3, 16], [2, 2]],
    ["channels beside a tile", [2, 6, 10, 2], [3, 3, 2, 21], [2, 2]],
    ["many channels", [1, 6, 6, 4], [3, 3, 4, 150], [2, 2]],
    ["few channels, wide windows", [3, 8, 11, 1], [3, 3, 1, 5], [1, 3]],
    ["tall windows", [1, 14, 6, 3], [3, 3, 3, 33], [3, 1]],
    ["tiles with a rest", [2, 12, 16, 16], [3, 3, 16, 21], [2, 2]],
    ["tiles in windows", [1, 10, 14, 18], [3, 3, 18, 32], [4, 1]],
    ["a window over all", [2, 6, 6, 3], [3, 3, 3, 18], [4, 4]],
  ])("%s", (_name, image, kernel, window) => {
    const x = relu(add(conv2d(tensor(1, ...image), tensor(2, ...kernel)), tensor(3, kernel[3]!)));
    const pooled = largest(x, window);
    expect(assertScheduled([pooled, taps(x, window)], machine, close).explanation).toMatch(/ 1 groups/);
    expect(assertScheduled([pooled], machine, close).explanation).toMatch(/ 1 groups/);
    expect(assertScheduled([x, pooled], machine, close).explanation).toMatch(/ 1 groups/);
  });

  test("windows that do not fit the tiles of a convolution have their own kernel", () => {
    const y = conv2d(tensor(1, 1, 14, 11, 16), tensor(2, 3, 3, 16, 16));
    expect(assertScheduled([largest(y, 3)], machine, close).explanation).toMatch(/ 2 groups/);
  });

  test("a convolution without anything between, strided and padded", () => {
    const options = {
      strides: 2,
      padding: [
        [1, 1],
        [1, 1],
      ],
    } as const;
    const y = conv2d(tensor(1, 2, 11, 16, 3), tensor(2, 3, 3, 3, 20), options);
    expect(y.shape).toEqual([2, 6, 8, 20]);
    expect(assertScheduled([largest(y, 2), taps(y, 2)], machine, close).explanation).toMatch(/ 1 groups/);
  });

  test("NaN, infinities and ties, the same bits as a kernel of its own", () => {
    const special = [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, -0, 1, 1, 2];
    const data = Array.from({ length: 4 * 8 * 8 }, (_, index) => special[(index * 7 + (index >> 3)) % 8]!);
    const x = leafOf([4, 8, 8, 1], "f32", data);
    const scaled = conv2d(x, leafOf([1, 1, 1, 17], "f32", hashUniform(1, 17, -2, 2)));
    const together = runScheduled([largest(scaled, 2), taps(scaled, 2)], machine);
    expect(together.plan.explanation).toMatch(/ 1 groups/);
    const [result] = runScheduled([scaled], machine).data;
    const stored = leafOf(scaled.shape, "f32", result!);
    expect(together.data).toEqual(runScheduled([largest(stored, 2), taps(stored, 2)], machine).data);
  });

  test("not where windows overlap or leave a rest, nor where work that follows would lose its place", () => {
    const x = relu(conv2d(tensor(1, 1, 9, 9, 2), tensor(2, 3, 3, 2, 6)));
    for (const pooled of [ops.windowMax(x, 3, { strides: 2 }), largest(x, 2)]) {
      expect(assertScheduled([pooled], machine, close).explanation).toMatch(/ 2 groups/);
    }
    const even = conv2d(tensor(1, 1, 8, 8, 2), tensor(2, 3, 3, 2, 6));
    const followed = assertScheduled([tanh(largest(even, 2))], machine, close).explanation;
    expect(followed).toContain("windowMax + tanh");
  });
});

describe("the mask of relu before max pooling", () => {
  const gradientsOf = (pooling: (x: Node) => Node): { outputs: Node[] } => {
    const [image, kernel, bias] = [tensor(1, 2, 10, 10, 2), tensor(2, 3, 3, 2, 18), tensor(3, 18)];
    const pooled = pooling(relu(add(conv2d(image, kernel), bias)));
    const loss = sum(mul(pooled, tensor(4, ...pooled.shape)));
    return { outputs: [loss, ...gradients([loss], [image, kernel, bias]).map((node) => node!)] };
  };

  test("is applied to the pooled gradient: what was pooled is never stored", () => {
    const { explanation } = assertScheduled(gradientsOf((x) => maxPool2d(x, 2)).outputs, wideMachine, close);
    expect(explanation).not.toContain("relu f32");
  });

  test.each<[string, (x: Node) => Node]>([
    ["overlapping windows", (x) => maxPool2d(x, 3, { strides: 2 })],
    ["windows that leave a rest", (x) => maxPool2d(x, 3)],
    ["padded windows", (x) => maxPool2d(x, 3, { strides: 2, padding: 1 })],
    ["what is pooled is used elsewhere", (x) => add(maxPool2d(x, 2), sum(x, [1, 2], true))],
  ])("%s", (_name, pooling) => {
    assertScheduled(gradientsOf(pooling).outputs, narrowMachine, close);
  });

  test("NaN, negative zero and ties give the bits that the mask on the whole gives", () => {
    const special = [Number.NaN, -0, 0, -1, 3, 3, Number.POSITIVE_INFINITY, -2];
    const data = Array.from({ length: 2 * 6 * 6 * 5 }, (_, index) => special[(index * 5 + (index >> 4)) % 8]!);
    const x = leafOf([2, 6, 6, 5], "f32", data, true);
    const slope = tensor(7, 2, 3, 3, 5);
    const y = relu(x);
    const moved = gradients([sum(mul(largest(y, 2), slope))], [x]).map((node) => node!);
    // Without the maximum itself in the program the mask stays where it is.
    const [masked] = runScheduled([largest(y, 2), ...moved], wideMachine).data.slice(1);
    const [plain] = runScheduled(moved, wideMachine).data;
    expect(masked).toEqual(plain);
    expect(masked!.some((value) => value !== 0)).toBe(true);
  });

  test("a mask by another bound stays where it is", () => {
    const x = tensor(1, 1, 4, 4, 3);
    const y = sub(x, tensor(2, 3));
    const pick = gradients([sum(largest(y, 2))], [y])[0]!;
    const masked = ops.where(ops.gt(y, ops.constant(0.25, y.shape)), pick, ops.constant(0, y.shape));
    assertScheduled([largest(y, 2), masked], wideMachine, close);
  });
});
