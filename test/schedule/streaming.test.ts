import { describe, expect, it } from "vitest";
import { softmax } from "../../src/functions/softmax.ts";
import { buildProgram } from "../../src/graph/build-program.ts";
import type { Node } from "../../src/graph/node.ts";
import type { MachineDescription } from "../../src/kernel/ir.ts";
import { printKernel } from "../../src/kernel/printer.ts";
import { add, matmul, mul, permute, sum } from "../../src/ops/index.ts";
import type { Plan } from "../../src/schedule/plan.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { randomUniform, type Tensor } from "../../src/tensor/index.ts";
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

describe("rows that come from memory", () => {
  const printed = (plan: Plan): string => plan.steps.map(({ kernel }) => printKernel(kernel)).join("\n");
  const matches = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

  it("are fetched while the row before is computed, if they are larger than the caches", () => {
    expect(printed(assertScheduled([softmax(ramp(24, 80))], machine(512), { absolute: 1e-6 }))).toContain("prefetch");
    expect(printed(assertScheduled([softmax(ramp(24, 80))], machine(1 << 20), { absolute: 1e-6 }))).not.toContain(
      "prefetch",
    );
  });

  it("keep what two passes need: the powers of softmax are computed once", () => {
    const text = printed(assertScheduled([softmax(ramp(24, 64 * 3))], machine(1 << 20), { absolute: 1e-6 }));
    // Four vectors side by side, and one exponent's bias in each.
    expect(matches(text, /shra/g)).toBe(4);
    expect(text).toMatch(/scratch [1-9]/);
  });
});

describe("results larger than the caches", () => {
  const product = (columns = 64) => matmul(ramp(24, 16), ramp(16, columns));

  it("go past them when only the user reads them", () => {
    expect(streams(assertScheduled([product()], machine(512)))).toBe(true);
    const both = product();
    expect(streams(assertScheduled([both, mul(both, both)], machine(512)))).toBe(true);
  });

  const scheduled = (outputs: readonly Node[]): Plan =>
    schedule(buildProgram(outputs.map((node) => ({ node }))).program, machine(1 << 20));
  const hidden = (rows: number) => matmul(ramp(rows, 16), ramp(16, 1024));

  it("go past them as temporaries of 32 MiB and more", () => {
    expect(streams(scheduled([matmul(hidden(8192), ramp(1024, 16))]))).toBe(true);
    expect(streams(scheduled([matmul(hidden(8176), ramp(1024, 16))]))).toBe(false);
  });

  it("are whole when other threads read them", () => {
    const [a, b, c] = [randomUniform([8192, 16]), randomUniform([16, 1024]), randomUniform([1024, 16])];
    const through = (rows: Tensor) => rows.matmul(b).relu().matmul(c).dataSync();
    const all = through(a);
    for (const start of [0, 4096]) {
      const half = through(a.slice([start], [start + 4096]));
      expect(Buffer.from(half.buffer, half.byteOffset, half.byteLength)).toEqual(
        Buffer.from(all.buffer, all.byteOffset + 64 * start, half.byteLength),
      );
    }
  });

  it("go past them from loops and rows, in whole lines", () => {
    const x = ramp(24, 80);
    for (const result of [mul(x, x), permute(ramp(80, 24), [1, 0]), softmax(x), softmax(ramp(24, 48))])
      expect(streams(assertScheduled([result], machine(128), { absolute: 1e-6 }))).toBe(true);
    expect(streams(assertScheduled([mul(x, x)], machine(512)))).toBe(false);
    expect(streams(assertScheduled([softmax(ramp(24, 77))], machine(128), { absolute: 1e-6 }))).toBe(false);
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
