import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { categoricalCrossentropy, layerNormalization, logSoftmax, softmax } from "../../src/functions/index.ts";
import type { Node } from "../../src/graph/node.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import type { Kernel } from "../../src/kernel/ir.ts";
import { ops } from "../../src/ops/index.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";
import { leafOf } from "../../src/testing/nodes.ts";
import { narrowMachine, wideMachine } from "../../src/testing/run-plan.ts";
import { convnetOutputs, convnetStep } from "./networks.ts";
import { assertScheduled, runScheduled } from "./scheduling.ts";

const { add, amax, concat, conv2d, expand, matmul, mul, pad, permute, relu, reshape, sub, sum } = ops;
const tensor = (stream: number, ...shape: number[]): Node =>
  leafOf(shape, "f32", hashUniform(stream, sizeOf(shape), -2, 2), true);
const close = { relative: 1e-5, absolute: 1e-5 };

describe.each([narrowMachine, wideMachine])("one kernel on a $name machine for", (machine) => {
  test.each<[string, () => Node[]]>([
    ["a chain with broadcasts", () => [relu(add(mul(tensor(1, 5, 37), tensor(2, 37)), tensor(3, 5, 1)))]],
    ["a transposed operand", () => [sub(permute(tensor(1, 20, 33), [1, 0]), tensor(2, 33, 20))]],
    [
      "a pad and a concatenation",
      () => [
        relu(
          pad(concat([tensor(1, 3, 7), tensor(2, 3, 12)], 1), [
            [1, 0],
            [2, 3],
          ]),
        ),
      ],
    ],
    [
      "an inner value that is an output too",
      () => {
        const y = mul(tensor(1, 6, 20), tensor(2, 6, 20));
        return [y, add(y, y)];
      },
    ],
    ["softmax over a short row", () => [softmax(tensor(1, 7, 10))]],
    ["softmax over a long row", () => [softmax(tensor(1, 3, 150))]],
    ["log-softmax", () => [logSoftmax(tensor(1, 4, 70))]],
    [
      "cross-entropy with its gradient",
      () => {
        const [x, t] = [tensor(1, 6, 10), softmax(tensor(2, 6, 10))];
        const losses = categoricalCrossentropy(t, softmax(x));
        return [losses, gradients([losses], [x])[0]!];
      },
    ],
    ["layer normalisation", () => [layerNormalization(tensor(1, 5, 90))]],
    ["layer normalisation over two axes", () => [layerNormalization(tensor(1, 3, 6, 11), { axes: [1, 2] })]],
    [
      "reductions of the same elements",
      () => {
        const x = tensor(1, 9, 40);
        return [sum(x, [0]), amax(x, [0]), sum(mul(x, x), [0])];
      },
    ],
    [
      "a bias gradient with its update",
      () => [sub(tensor(1, 18), mul(sum(tensor(2, 3, 4, 18), [0, 1]), expand(tensor(3), [18])))],
    ],
    [
      "max pooling with its taps",
      () => {
        const x = tensor(1, 2, 6, 6, 18);
        return [ops.windowMax(x, 2), ops.windowArgmax(x, 2)];
      },
    ],
  ])("%s", (_name, build) => {
    const plan = assertScheduled(build(), machine, close);
    expect(plan.steps).toHaveLength(1);
  });

  test("a convolution with bias and activation, a product with bias, activation and residual", () => {
    const image = relu(add(conv2d(tensor(1, 2, 9, 8, 3), tensor(2, 3, 3, 3, 18)), tensor(3, 18)));
    expect(assertScheduled([image], machine, close).explanation).toMatch(/1 groups/);
    const [x, w] = [tensor(4, 2, 5, 16), tensor(5, 16, 16)];
    const dense = add(relu(add(reshape(matmul(reshape(x, [10, 16]), w), [2, 5, 16]), tensor(6, 16))), x);
    expect(assertScheduled([dense], machine, close).explanation).toMatch(/1 groups/);
  });
});

/** Whether a kernel chooses between lanes. */
const chooses = (kernel: Kernel): boolean => JSON.stringify(kernel.body).includes('"select"');

describe.each([narrowMachine, wideMachine])("lanes joined from pieces on a $name machine", (machine) => {
  const pieces = (widths: readonly number[]) => widths.map((width, index) => tensor(index + 1, 2, 3, 5, width));
  test.each<[string, readonly number[]]>([
    ["of whole vectors", [64, 32, 32, 16, 128]],
    ["of any width", [40, 7, 33, 1, 100]],
  ])("%s are read one after the other", (_name, widths) => {
    const width = widths.reduce((sum, each) => sum + each, 0);
    const joined = concat(pieces(widths), 3);
    const plan = assertScheduled([relu(add(mul(joined, tensor(8, width)), tensor(9, width)))], machine, close);
    expect(plan.steps.map(({ kernel }) => chooses(kernel))).toEqual([false]);
  });
  test("hold with joins inside of joins, what is padded, and positions", () => {
    const [a, b, c] = pieces([32, 48, 20]);
    const inner = concat([mul(a, a), b], 3);
    const padded = pad(concat([inner, c, inner], 3), [
      [0, 0],
      [0, 1],
      [0, 0],
      [16, 33],
    ]);
    const places = ops.cast(ops.iota([padded.shape[3]], 0), "f32");
    assertScheduled([relu(padded), add(padded, places)], machine, close);
  });
  test("are joined before they are reduced", () => {
    const joined = concat(pieces([32, 16, 32, 64]), 3);
    const plan = assertScheduled([sum(relu(mul(joined, joined)), [1, 2])], machine, close);
    expect(plan.steps.map(({ kernel }) => chooses(kernel))).toEqual([false, false]);
  });
  test("are chosen by masks where pieces are short", () => {
    const plan = assertScheduled([relu(concat(pieces([3, 5, 4]), 3))], machine, close);
    expect(plan.steps.map(({ kernel }) => chooses(kernel))).toEqual([true]);
  });
  test("may be turned: what lies across the lanes is joined as before", () => {
    const turned = [tensor(1, 40, 6), tensor(2, 24, 6)].map((each) => permute(each, [1, 0]));
    assertScheduled([relu(concat(turned, 1))], machine, close);
  });
});

describe("long reductions", () => {
  test.each([
    [[40000], [0]],
    [[3, 33000], [1]],
    [[1500, 20], [0]],
    [
      [2, 700, 3, 5],
      [1, 2],
    ],
    [
      [600, 4, 70],
      [0, 2],
    ],
  ])("%j over %j", (shape, axes) => {
    const x = leafOf(shape, "f32", hashUniform(1, sizeOf(shape), -1, 1));
    assertScheduled([sum(x, axes), amax(x, axes)], wideMachine, { relative: 1e-5, absolute: 3e-5 });
  });
});

describe("long chains", () => {
  test("are cut into kernels and stay right", () => {
    let x = tensor(1, 40);
    const y = mul(tensor(2, 40), ops.constant(0.01, [40]));
    for (let step = 0; step < 1000; step++) x = add(mul(x, y), y);
    const plan = assertScheduled([x], wideMachine, close);
    expect(plan.steps.length).toBeGreaterThan(1);
    expect(plan.steps.length).toBeLessThan(20);
  });
});

describe("same bits", () => {
  test("an example's result does not depend on the rest of the batch", () => {
    const whole = tensor(1, 5, 4, 37);
    const data = hashUniform(1, sizeOf(whole.shape), -2, 2);
    const rows = (x: Node) => [softmax(x), layerNormalization(x), sum(x, [1]), sum(x, [2]), sum(x, [1, 2])];
    const together = runScheduled(rows(whole), wideMachine).data;
    const alone = runScheduled(rows(leafOf([1, 4, 37], "f32", data.slice(0, 4 * 37))), wideMachine).data;
    alone.forEach((values, index) => expect(together[index].slice(0, values.length)).toEqual(values));
  });

  test("few and many registers give the same bits", () => {
    const x = tensor(1, 70, 45);
    const outputs = [softmax(x), sum(x, [0]), sum(x, [1]), sum(x), layerNormalization(x)];
    expect(runScheduled(outputs, narrowMachine).data).toEqual(runScheduled(outputs, wideMachine).data);
  });
});

describe("a training step", () => {
  test("every update runs in the kernel of its gradient", () => {
    const { program } = convnetStep({ batch: 32, side: 28, channels: [32, 64], hidden: 1024, classes: 10 });
    const { explanation } = schedule(program, wideMachine);
    expect(explanation.match(/overwrites input \d+ in its own kernel/g)).toHaveLength(8);
    expect(explanation).not.toContain("through a temporary");
    expect(explanation).toContain("17 groups");
    expect(explanation).not.toContain("pointwise");
  });

  test("equals the oracle", () => {
    const outputs = convnetOutputs({ batch: 3, side: 10, channels: [5, 18], hidden: 20, classes: 10 });
    const nodes = outputs.map(({ node }) => node);
    assertScheduled(nodes, narrowMachine, { relative: 1e-4, absolute: 1e-5 });
  });
});
