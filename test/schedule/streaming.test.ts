import { describe, expect, it } from "vitest";
import { logSoftmax, softmax } from "../../src/functions/softmax.ts";
import { buildProgram } from "../../src/graph/build-program.ts";
import { viewOf } from "../../src/graph/dtype.ts";
import type { Node } from "../../src/graph/node.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import type { MachineDescription } from "../../src/kernel/ir.ts";
import { printKernel } from "../../src/kernel/printer.ts";
import { add, expand, matmul, mul, permute, rsqrt, sub, sum } from "../../src/ops/index.ts";
import type { Plan } from "../../src/schedule/plan.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { createX86Target } from "../../src/targets/x86/target.ts";
import { randomUniform, type Tensor } from "../../src/tensor/index.ts";
import { leafData, leafOf } from "../../src/testing/nodes.ts";
import { assertScheduled, runScheduled } from "./scheduling.ts";

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
const bytesOf = (data: Float32Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const printed = (plan: Plan): string => plan.steps.map(({ kernel }) => printKernel(kernel)).join("\n");
const matches = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
const streams = (plan: Plan): boolean => printed(plan).includes("streamingStore");

describe("rows that come from memory", () => {
  it("are fetched while the row before is computed, if they are larger than the caches", () => {
    expect(printed(assertScheduled([softmax(ramp(24, 80))], machine(512), { absolute: 1e-6 }))).toContain("prefetch");
    expect(printed(assertScheduled([softmax(ramp(24, 80))], machine(1 << 20), { absolute: 1e-6 }))).not.toContain(
      "prefetch",
    );
  });

  it("keep what two passes need: the powers of softmax are computed once", () => {
    const text = printed(assertScheduled([softmax(ramp(24, 64 * 3))], machine(1 << 20), { absolute: 1e-6 }));
    // Four vectors side by side, and one exponent shifted to its place in each.
    expect(matches(text, /\bshl\b/g)).toBe(4);
    expect(text).toMatch(/scratch [1-9]/);
  });
});

describe("elements that come from memory", () => {
  const fetches = (result: Node, l2Bytes: number) =>
    matches(printed(assertScheduled([result], machine(l2Bytes))), /prefetch/g);

  it("are fetched ahead, each line once, if they are larger than the caches", () => {
    const [x, y] = [ramp(24, 80), ramp(24, 80)];
    // two vectors in one turn of the loop
    expect(fetches(add(x, mul(x, x)), 512)).toBe(2);
    expect(fetches(add(x, mul(y, y)), 512)).toBe(4);
    expect(fetches(add(x, mul(x, x)), 1 << 20)).toBe(0);
  });

  it("are left alone where they are read again and again, or not as they lie", () => {
    const x = ramp(24, 80);
    // a row: two turns of two vectors, written out, and one vector
    expect(fetches(add(x, expand(ramp(1, 80), [24, 80])), 512)).toBe(4);
    expect(fetches(permute(ramp(80, 24), [1, 0]), 512)).toBe(0);
  });
});

describe("rows whose results pass the caches", () => {
  const wave = (shape: readonly number[], factor = 3): Node => {
    const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => factor * Math.sin(i * i));
    return leafOf(shape, "f32", data);
  };
  const special = (): Node => {
    const data = Float32Array.from({ length: 8 * 80 }, (_, i) => Math.cos(i));
    for (const [row, value] of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].entries())
      data[80 * (2 * row + 1) + 7 * row] = value;
    data.fill(Number.NEGATIVE_INFINITY, 80 * 7);
    return leafOf([8, 80], "f32", data);
  };
  const rows: Readonly<Record<string, () => Node>> = {
    "softmax of few rows": () => softmax(wave([24, 80])),
    "softmax of two rows": () => softmax(wave([2, 192])),
    "softmax of many tasks": () => softmax(wave([300, 192])),
    "softmax over batches": () => softmax(wave([3, 40, 144])),
    "softmax of special values": () => softmax(special()),
    "softmax of a sum with a bias for each row": () => softmax(add(wave([24, 80]), expand(wave([24, 1]), [24, 80]))),
    "a softmax scaled for each row": () => mul(softmax(wave([24, 80])), expand(wave([24, 1]), [24, 80])),
    "log-softmax": () => logSoftmax(wave([24, 80])),
    "normalised rows": () => normalized(wave([40, 96])),
  };
  /** (x − mean)/√variance. */
  const normalized = (x: Node): Node => {
    const [count] = x.shape.slice(-1);
    const shape = [x.shape[0], 1];
    const scale = expand(leafOf([1, 1], "f32", Float32Array.of(1 / count)), shape);
    const centred = sub(x, expand(mul(sum(x, 1, true), scale), x.shape));
    const variance = mul(sum(mul(centred, centred), 1, true), scale);
    return mul(centred, expand(rsqrt(variance), x.shape));
  };

  it.each(Object.keys(rows))("%s: finished one row late, with the same bits", (name) => {
    const make = rows[name];
    const late = runScheduled([make()], machine(16));
    const plain = runScheduled([make()], machine(1 << 24));
    expect(late.data).toEqual(plain.data);
    // The stores of the rows that waited, beside the next row and after the last: twice, for whole vectors in fours and alone.
    expect(streams(late.plan)).toBe(true);
    expect(streams(plain.plan)).toBe(false);
    expect(matches(printed(late.plan), /streamingStore/g) % 2).toBe(0);
    expect(printed(late.plan)).toMatch(/\bif\b/);
    expect(printed(plain.plan)).not.toMatch(/\bif\b/);
    if (name !== "softmax of special values") assertScheduled([make()], machine(16), { absolute: 2e-5 });
  });

  it("have the bits of shorter results, from machine code of both vector widths", () => {
    const whole = wave([1024, 4112]);
    const values = leafData(whole);
    const part = leafOf([64, 4112], "f32", Float32Array.from(values.slice(512 * 4112, 576 * 4112)));
    const results = [true, false].map((avx512) => {
      const target = createX86Target({ avx512, threads: 2 });
      const compute = (x: Node): Float32Array => {
        const executable = target.compile(buildProgram([{ node: softmax(x) }]).program);
        const [input, output] = [0, 1].map(() => target.allocate(4 * sizeOf(x.shape)));
        viewOf("f32", input.buffer, input.byteOffset, sizeOf(x.shape)).set(leafData(x));
        executable.run([input], [output]);
        return new Float32Array(output.buffer, output.byteOffset, sizeOf(x.shape));
      };
      const all = compute(whole);
      expect(bytesOf(all.slice(512 * 4112, 576 * 4112)).equals(bytesOf(compute(part)))).toBe(true);
      expect(all.slice(0, 4112).reduce((total, power) => total + power, 0)).toBeCloseTo(1, 5);
      target.platform.dispose();
      return all;
    });
    expect(bytesOf(results[0]).equals(bytesOf(results[1]))).toBe(true);
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
