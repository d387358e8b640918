import { describe, expect, it } from "vitest";
import { differenceOf } from "../../bench/compare.ts";
import { findKernelCase } from "../../bench/kernel-cases.ts";
import { sampleOf, spread } from "../../bench/kernel-samples.ts";
import { networkPart } from "../../bench/network-parts.ts";
import { kernelWorkload } from "../../bench/workloads/kernel-operations.ts";
import { findPart } from "../../bench/workloads.ts";

describe("parts of kernels that are computed in f64", () => {
  it("are positions spread evenly over each axis", () => {
    const values = Float32Array.from({ length: 24 }, (_, index) => index);
    expect([...spread(values, [4, 6], [2, 3])]).toEqual([0, 2, 4, 12, 14, 16]);
    expect(spread(values, [4, 6], [4, 6])).toBe(values);
  });
  it("are the whole where that is affordable", () => {
    expect(sampleOf(findKernelCase("softmax 4096x4096")!)).toBeUndefined();
    expect(sampleOf(findKernelCase("matmul 256x256x256 tt")!)).toBeUndefined();
    expect(sampleOf(findKernelCase("matmul 2048x2048x2048 tt")!)).toMatchObject({
      operands: [
        [2048, 119],
        [2048, 2048],
      ],
      whole: [2048, 2048],
      result: [119, 2048],
    });
  });
  it.each([
    "matmul 1024x1024x1024 nn",
    "matmul 1024x1024x1024 tn",
    "matmul 1024x1024x1024 tt",
    "matmul 64x64x64 nt",
    "convolution 128x26x32x64x3x1x0x1 forward",
    "convolution 128x26x32x64x3x1x0x1 input-gradient",
    "convolution 128x26x32x64x3x1x0x1 weight-gradient",
  ])("%s: the part alone is that part of the whole", async (name) => {
    const { make, part } = kernelWorkload(name);
    const { make: makePart, pick } = part!();
    const picked = pick!((await make(1, false)()) as Float32Array);
    const alone = (await makePart()()) as Float32Array;
    expect(picked.length).toBeGreaterThan(0);
    expect(differenceOf(Array.from(alone), Array.from(picked))).toBeLessThan(1e-5);
  });
});

describe("parts of networks that are computed in f64", () => {
  it("are the first examples of an inference, whose numbers they are", () => {
    const part = networkPart("infer", "vgg16", 8, () => () => 0);
    expect(part.about).toBe("1 of 8 examples");
    expect(part.pick!(Float32Array.from({ length: 16 }, (_, index) => index))).toEqual([0, 1]);
    expect(findPart("infer", "seeds-cnn", 128).about).toBe("whole");
  });
  it("are smaller batches of a training step", () => {
    const made: number[] = [];
    const make = (batch: number) => {
      made.push(batch);
      return () => 0;
    };
    const part = networkPart("train", "seeds-cnn", 128, make);
    expect(part.pick).toBeUndefined();
    part.make();
    expect(part.about).toBe(`a batch of ${made[0]}`);
    expect(made[0]).toBeLessThan(128);
    expect(networkPart("train", "tiny-mlp-eager", 8, make).about).toBe("whole");
  });
});
