import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { IndexRangeError, OutOfMemoryError } from "../../../src/errors.ts";
import type { NodeValue } from "../../../src/graph/node.ts";
import { KernelBuilder } from "../../../src/kernel/builder.ts";
import type { Kernel } from "../../../src/kernel/ir.ts";
import type { BufferReference, Plan, PlanStep } from "../../../src/schedule/plan.ts";
import { createX86Platform } from "../../../src/targets/x86/platform.ts";

const lanes = 64;

/** y[task·64 + i] = x[task·64 + i] · factor + constant[0] */
function scaleKernel(name: string, factor: number): Kernel {
  const k = new KernelBuilder(name, 3);
  const offset = k.mul(k.task(), lanes * 4);
  const [x, y, c] = [k.add(k.argument(0), offset), k.add(k.argument(1), offset), k.argument(2)];
  const scale = k.constant(factor);
  const added = k.load(k.at(c));
  k.loop(0, lanes, 16, (i) => {
    k.store(k.binary("fadd", k.binary("fmul", k.load(k.at(x, i, 4)), scale), added), k.at(y, i, 4));
  });
  return k.build();
}
/** Writes 2 (guard number 1 and 1) to the status. */
function guardKernel(): Kernel {
  const k = new KernelBuilder("guard", 1);
  k.emit({ op: "intStore", source: k.intConstant(2), address: k.at(k.argument(0)), type: "i32" });
  return k.build();
}

const input: BufferReference = { kind: "input", index: 0, byteOffset: 0 };
const output: BufferReference = { kind: "output", index: 0, byteOffset: 0 };
const arena: BufferReference = { kind: "arena", byteOffset: 128 };
const constant = (index: number): BufferReference => ({ kind: "constant", index, byteOffset: 0 });
const step = (kernel: Kernel, references: BufferReference[], tasks: number, checksStatus = false): PlanStep => ({
  kernel,
  arguments: references,
  tasks,
  flops: 0,
  bytes: 0,
  checksStatus,
});
const planOf = (steps: PlanStep[], arenaBytes = 65536): Plan => ({
  steps,
  arenaBytes,
  constants: [1, 10].map((value) => new Uint8Array(new Float32Array(16).fill(value).buffer)),
  guards: [
    { opName: "gather", limit: 10 },
    { opName: "oneHot", limit: 7 },
  ],
  preparations: [],
  explanation: "a plan made by hand",
});
const storage = (array: Float32Array<ArrayBuffer>): NodeValue => ({
  buffer: array.buffer,
  byteOffset: array.byteOffset,
});

describe.each([false, true])("executable, AVX-512 %s", (avx512) => {
  const platform = createX86Platform({ threads: 2, avx512 });
  afterAll(() => platform.dispose());
  const tasks = 20;
  const elements = tasks * lanes;
  const x = Float32Array.from({ length: elements }, (_, i) => i);
  const plan = planOf([
    step(scaleKernel("first", 2), [input, arena, constant(0)], tasks),
    step(scaleKernel("second", 3), [arena, output, constant(1)], tasks),
  ]);

  it("runs kernels in order over inputs, arena, constants and outputs, wherever they lie", () => {
    const executable = platform.compilePlan(plan);
    for (let run = 0; run < 3; run++) {
      const block = new Float32Array(elements + 16 * run);
      const y = block.subarray(16 * run);
      executable.run([storage(x)], [storage(y)]);
      expect(y.every((value, i) => value === (2 * i + 1) * 3 + 10)).toBe(true);
    }
    expect(executable.kernelCount).toBe(2);
    expect(executable.bytes).toBeGreaterThan(500);
    expect(executable.explain()).toMatch(/a plan made by hand[\s\S]*1: second, 20 tasks, \d+ bytes of code/);
    executable.dispose();
  });

  it("gives one timing per kernel", () => {
    const executable = platform.compilePlan(plan);
    const y = new Float32Array(elements);
    const timings = executable.profile([storage(x)], [storage(y)]);
    expect(timings.map(({ label }) => label)).toEqual(["first", "second"]);
    for (const { milliseconds } of timings) expect(milliseconds).toBeGreaterThan(0);
    expect(y[3]).toBe(31);
    executable.dispose();
  });

  it("runs off the event loop, one program at a time", async () => {
    const executable = platform.compilePlan(plan);
    const y = new Float32Array(elements);
    const done = executable.runAsynchronously([storage(x)], [storage(y)]);
    expect(() => executable.run([storage(x)], [storage(y)])).toThrow("off the event loop");
    await done;
    expect(y[2]).toBe(25);
    executable.dispose();
  });

  it("shares kernels between programs and removes them with the last", () => {
    const before = platform.machine.code.size;
    const first = platform.compilePlan(plan);
    // the same loop nest under another name
    const second = platform.compilePlan(planOf([step(scaleKernel("other", 2), [input, output, constant(0)], tasks)]));
    expect(platform.machine.code.size).toBe(before + 2);
    first.dispose();
    first.dispose();
    expect(platform.machine.code.size).toBe(before + 1);
    const y = new Float32Array(elements);
    second.run([storage(x)], [storage(y)]);
    expect(y[5]).toBe(11);
    second.dispose();
    expect(platform.machine.code.size).toBe(before);
    expect(() => second.run([storage(x)], [storage(y)])).toThrow("disposed");
  });

  it("reuses code pages over many programs", () => {
    const y = new Float32Array(elements);
    for (let i = 0; i < 200; i++) {
      const executable = platform.compilePlan(
        planOf([step(scaleKernel("varied", i), [input, output, constant(0)], 1)]),
      );
      executable.run([storage(x)], [storage(y)]);
      expect(y[1]).toBe(i + 1);
      executable.dispose();
    }
    expect(platform.machine.code.size).toBe(0);
  });

  it("stops at a guard with a typed error and writes nothing behind it", () => {
    const status: BufferReference = { kind: "status" };
    const executable = platform.compilePlan(
      planOf([
        step(guardKernel(), [status], 1, true),
        step(scaleKernel("never", 1), [input, output, constant(0)], tasks),
      ]),
    );
    const y = new Float32Array(elements);
    expect(() => executable.run([storage(x)], [storage(y)])).toThrow(IndexRangeError);
    expect(() => executable.run([storage(x)], [storage(y)])).toThrow(
      "oneHot: an index or label is out of range: expected 0 to 6",
    );
    expect(y.every((value) => value === 0)).toBe(true);
    executable.dispose();
  });

  it("refuses an arena that memory cannot hold, before allocating", () => {
    const executable = platform.compilePlan(
      planOf([step(scaleKernel("large", 1), [input, output, constant(0)], 1)], 2 ** 46),
    );
    const y = new Float32Array(elements);
    expect(() => executable.run([storage(x)], [storage(y)])).toThrow(OutOfMemoryError);
    executable.dispose();
  });
});

describe("guard pages", () => {
  const script = fileURLToPath(new URL("./guard-page-child.ts", import.meta.url));
  const run = (mode: string) =>
    spawnSync(process.execPath, ["--import", "tsx", script, mode], { encoding: "utf8", timeout: 20_000 });

  it("let kernels touch all of a buffer, and nothing beyond it", () => {
    const inside = run("inside");
    expect(inside.stdout).toBe("ok\n");
    expect(inside.status).toBe(0);
    expect(run("beyond").signal).toBe("SIGSEGV");
    expect(run("before").signal).toBe("SIGSEGV");
  });
});
