import { describe, expect, it } from "vitest";
import { inferWorkloads, trainWorkloads } from "../../bench/catalogue.ts";
import { flopsPerExample, weightsOf, workOfStep } from "../../bench/flop-table.ts";
import { contractionsOf, distinctConvolutions, outputSize } from "../../bench/network-shapes.ts";

const weights = (name: string) => contractionsOf(name)!.reduce((sum, shape) => sum + weightsOf(shape), 0);

describe("FLOP and weights of the benchmarked networks", () => {
  it("knows every network of the train and infer suites", () => {
    for (const { name } of [...trainWorkloads, ...inferWorkloads]) expect(contractionsOf(name), name).toBeDefined();
    expect(flopsPerExample("no-such-network", true)).toBeUndefined();
  });

  it.each([
    ["seeds-cnn", 121e6],
    ["cifar-cnn", 371e6],
    ["imdb-gru", 60.8e6],
    ["transformer-layer", 654e6],
  ])("%s trains with the FLOP that its limits were stated with", (name, flops) => {
    expect(flopsPerExample(name, true)! / flops).toBeCloseTo(1, 2);
  });

  it.each([
    ["resnet18", 1.814e9],
    ["resnet50", 4.089e9],
    ["mobilenet_v2", 0.301e9],
    ["vgg16", 15.47e9],
    ["densenet121", 2.834e9],
  ])("%s infers with torchvision's multiply-adds", (name, products) => {
    expect(flopsPerExample(name, false)! / 2 / products).toBeCloseTo(1, 2);
  });

  it.each([
    // parameters of torchvision, less biases and normalisation
    ["resnet18", 11_689_512 - 9_600 - 1_000],
    ["resnet50", 25_557_032 - 53_120 - 1_000],
    ["mobilenet_v2", 3_504_872 - 34_112 - 1_000],
    ["vgg16", 138_357_544 - 4_224 - 9_192],
    ["densenet121", 7_978_856 - 83_648 - 1_000],
    ["cifar-cnn", 3_441_592 - 822],
  ])("%s has the weights of its kernels", (name, count) => {
    expect(weights(name)).toBe(count);
  });

  it("counts weights read once, and written once where they are trained", () => {
    expect(workOfStep("tiny-mlp-eager", 8, false)).toEqual({ flops: 8 * 2 * (784 * 32 + 320), bytes: 4 * 25_408 });
    expect(workOfStep("tiny-mlp-eager", 8, true)!.bytes).toBe(8 * 25_408);
  });

  it("lists each convolution shape once", () => {
    const shapes = distinctConvolutions("resnet50");
    expect(new Set(shapes.map((shape) => JSON.stringify(shape))).size).toBe(shapes.length);
    expect(shapes[0]).toMatchObject({ size: 224, inputs: 3, outputs: 64, window: 7, stride: 2 });
    expect(outputSize(shapes[0]!)).toBe(112);
    expect(distinctConvolutions("mobilenet_v2").some(({ groups, inputs }) => groups === inputs)).toBe(true);
  });
});
