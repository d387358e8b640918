/** Every worked case of every op as machine code, with its gradient where it has one, and small networks of the ops with data-dependent addresses. */
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { gradients } from "../../../src/autodiff/gradients.ts";
import { averagePool2d, crossEntropy, maxPool2d, sort, topK } from "../../../src/functions/index.ts";
import { buildProgram } from "../../../src/graph/build-program.ts";
import { bytesPerElement, viewOf } from "../../../src/graph/dtype.ts";
import type { Node } from "../../../src/graph/node.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import { cumulativeSum, gather, permute, relu, takeAlongAxis } from "../../../src/ops/index.ts";
import { x86Availability } from "../../../src/targets/x86/platform.ts";
import { createX86Target, type X86Target } from "../../../src/targets/x86/target.ts";
import { assertClose } from "../../../src/testing/allclose.ts";
import { everyCase } from "../../../src/testing/cases.ts";
import { hashUniform } from "../../../src/testing/hash-uniform.ts";
import { leafData, leafOf, valuesOf } from "../../../src/testing/nodes.ts";

const availability = x86Availability();
const modes = !availability.available ? [] : availability.cpu.avx512 ? [false, true] : [false];

function compute(target: X86Target, nodes: readonly Node[]): number[][] {
  const { program, leaves } = buildProgram(nodes.map((node) => ({ node })));
  const executable = target.compile(program);
  const inputs = leaves.map((leaf) => {
    const data = leafData(leaf);
    const value = target.allocate(Math.max(128, data.byteLength));
    viewOf(leaf.dtype, value.buffer, value.byteOffset, data.length).set(data);
    return value;
  });
  const outputs = nodes.map(({ shape, dtype }) =>
    target.allocate(Math.max(128, sizeOf(shape) * bytesPerElement[dtype])),
  );
  executable.run(inputs, outputs);
  executable.dispose();
  return nodes.map(({ shape, dtype }, i) =>
    Array.from(viewOf(dtype, outputs[i].buffer, outputs[i].byteOffset, sizeOf(shape))),
  );
}

/** Compares with the oracle; sums in another order may differ by the size of their largest terms. */
function check(target: X86Target, nodes: readonly Node[], relative: number): void {
  const computed = compute(target, nodes);
  valuesOf(nodes).forEach((exact, i) => {
    const expected = nodes[i].dtype === "f32" ? exact.map(Math.fround) : exact;
    assertClose(computed[i], expected, { relative, absolute: relative });
  });
}

function withGradients(result: Node, leaves: readonly Node[], seed?: Node): Node[] {
  const slopes = gradients([result], leaves, [seed]).filter((slope) => slope !== undefined);
  return [result, ...slopes];
}

describe.each(modes)("x86, avx512: %s", (avx512) => {
  const target = createX86Target({ avx512 });
  afterAll(() => target.platform.dispose());

  test.each(everyCase())("$name", ({ build, smooth }) => {
    const { result, leaves, case: each } = build(true);
    const differentiable = leaves.filter((leaf) => leaf.requiresGrad);
    const nodes = smooth && result.requiresGrad ? withGradients(result, differentiable) : [result];
    check(target, nodes, Math.max(2e-6, each.tolerance ?? 0));
  });

  const networks: readonly ((image: Node, index: Node) => Node)[] = [
    (x) => relu(maxPool2d(x, [3, 2], { strides: [2, 1], padding: "same" })),
    (x) => averagePool2d(x, 3, { strides: 2, padding: 1, ceilMode: true }),
    (x, index) => gather(x, index, 2),
    (x) => relu(sort(permute(x, [0, 3, 1, 2]), { axis: 2 })),
    (x) => topK(x, 1, { axis: 1 }).values,
    (x) => cumulativeSum(relu(x), { axis: 1, reverse: true }),
    (x) => relu(takeAlongAxis(x, firstRows(x.shape), 0)),
    (x, index) => crossEntropy(gather(permute(x, [0, 3, 1, 2]), index, 3), zeroLabels(x, index)),
  ];
  /** Two rows of indices along axis 0. */
  const firstRows = (shape: readonly number[]): Node =>
    leafOf(
      [2, ...shape.slice(1)],
      "i32",
      Int32Array.from({ length: 2 * sizeOf(shape.slice(1)) }, (_, i) => i % shape[0]),
    );
  const zeroLabels = (x: Node, index: Node): Node =>
    leafOf([x.shape[0], x.shape[1], index.shape[0]], "i32", new Int32Array(x.shape[0] * x.shape[1] * index.shape[0]));

  test("random shapes, layouts and fused neighbours", () => {
    const shapes = fc.tuple(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 3, max: 8 }),
      fc.integer({ min: 3, max: 8 }),
      fc.integer({ min: 1, max: 36 }),
    );
    fc.assert(
      fc.property(fc.nat(networks.length - 1), shapes, fc.boolean(), fc.nat(1000), (which, shape, moved, stream) => {
        const stored = moved ? [shape[3], shape[0], shape[1], shape[2]] : shape;
        const leaf = leafOf(stored, "f32", hashUniform(stream, sizeOf(stored), -2, 2), true);
        const image = moved ? permute(leaf, [1, 2, 3, 0]) : leaf;
        const result = networks[which](image, leafOf([2], "i32", [stream % 3, 0]));
        const seed = leafOf(result.shape, "f32", hashUniform(stream + 1, sizeOf(result.shape)));
        check(target, withGradients(result, [leaf], seed), 1e-5);
      }),
      { numRuns: 25 },
    );
  });
});

test("machine code is tested where the machine has it", () => {
  expect(modes.length > 0).toBe(availability.available);
});
