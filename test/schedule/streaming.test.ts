import { describe, expect, it } from "vitest";
import type { Node } from "../../src/graph/node.ts";
import type { MachineDescription } from "../../src/kernel/ir.ts";
import { printKernel } from "../../src/kernel/printer.ts";
import { add, matmul, mul, sum } from "../../src/ops/index.ts";
import type { Plan } from "../../src/schedule/plan.ts";
import { leafOf } from "../../src/testing/nodes.ts";
import { assertScheduled } from "./scheduling.ts";

const ramp = (rows: number, columns: number): Node =>
  leafOf(
    [rows, columns],
    "f32",
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i)),
  );
const machine = (l2Bytes: number): MachineDescription => ({
  name: "test",
  vectorRegisters: 32,
  broadcastOperand: true,
  l1Bytes: 4096,
  l2Bytes,
});
const streams = (plan: Plan): boolean =>
  plan.steps.some(({ kernel }) => printKernel(kernel).includes("streamingStore"));

describe("results larger than the caches", () => {
  const product = (columns = 64) => matmul(ramp(24, 16), ramp(16, columns));

  it("go past them when only the user reads them", () => {
    expect(streams(assertScheduled([product()], machine(512)))).toBe(true);
    const both = product();
    expect(streams(assertScheduled([both, mul(both, both)], machine(512)))).toBe(true);
  });

  it("stay when they are small, not whole lines, or read by another kernel", () => {
    expect(streams(assertScheduled([product()], machine(1 << 20)))).toBe(false);
    expect(streams(assertScheduled([product(61)], machine(512)))).toBe(false);
    const read = product();
    expect(streams(assertScheduled([read, add(sum(read, [0]), ramp(1, 64))], machine(512), { absolute: 1e-5 }))).toBe(
      false,
    );
  });
});
