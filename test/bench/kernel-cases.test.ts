import { describe, expect, it } from "vitest";
import { kernelWorkloads } from "../../bench/catalogue.ts";
import { findKernelCase, kernelCases, nameOf } from "../../bench/kernel-cases.ts";
import { kernelWorkload } from "../../bench/workloads/kernel-operations.ts";

describe("kernel cases", () => {
  it("have names of their own and cover every group", () => {
    expect(new Set(kernelCases.map(nameOf)).size).toBe(kernelCases.length);
    const groups = new Set(kernelCases.map(({ group }) => group));
    for (const group of kernelWorkloads) if (group !== "budget") expect(groups).toContain(group);
  });
  it("count what must be done at least", () => {
    expect(findKernelCase("matmul 64x64x64 nt")?.work).toEqual({ flops: 2 * 64 ** 3, bytes: 3 * 4 * 64 ** 2 });
    expect(findKernelCase("softmax 4096x4096")?.work).toEqual({ flops: 0, bytes: 2 * 4 * 4096 ** 2 });
    const convolution = findKernelCase("convolution 128x26x32x64x3x1x0x1 forward");
    expect(convolution?.work.flops).toBe(2 * 128 * 24 * 24 * 9 * 32 * 64);
    expect(findKernelCase("depthwise 8x112x32x32x3x1x1x32 forward")?.work.flops).toBe(2 * 8 * 112 * 112 * 9 * 32);
  });
  it("compute into the same storage each time", async () => {
    const step = kernelWorkload("matmul 32x32x32 tn").make(32, false);
    const first = (await step()) as Float32Array;
    const values = [...first];
    expect(await step()).toBe(first);
    expect([...first]).toEqual(values);
    expect(values.some((value) => value !== 0)).toBe(true);
  });
  it("refuse names that are not there", () => {
    expect(() => kernelWorkload("matmul 3x3x3 nn")).toThrow('no kernel "matmul 3x3x3 nn"');
  });
});
