import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Node } from "../../../src/graph/node.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import {
  windowArgmax,
  windowMax,
  windowPick,
  windowPickTranspose,
  windowSum,
  windowSumTranspose,
} from "../../../src/ops/index.ts";
import { type Pair, windowAttributes, windowOutputSize, windowSpan } from "../../../src/ops/window-geometry.ts";
import { window } from "../../../src/schedule/strategies/window/index.ts";
import { everyCase } from "../../../src/testing/cases.ts";
import { leafData, leafOf, valuesOf } from "../../../src/testing/nodes.ts";
import { checkStrategy, type Layout } from "../indexed/harness.ts";

const pair = (arbitrary: fc.Arbitrary<number>) => fc.tuple(arbitrary, arbitrary) as fc.Arbitrary<[number, number]>;
const small = (max: number) => fc.integer({ min: 0, max });
const layouts: fc.Arbitrary<Layout> = fc.constantFrom("rowMajor", "transposed", "strided");

/** Small whole numbers with ties, some NaN: sums are exact in any order. */
const numbers = (size: number, seed: number, nan: boolean): number[] =>
  Array.from({ length: size }, (_, i) => {
    const n = ((i * 7919 + seed * 104729) % 1009) % 7;
    return nan && n === 5 ? Number.NaN : n - 3;
  });

const geometries = fc
  .record({
    shape: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    channels: fc.constantFrom(1, 3, 16, 17, 37, 70),
    window: pair(fc.integer({ min: 1, max: 3 })),
    strides: pair(fc.integer({ min: 1, max: 3 })),
    dilation: pair(fc.integer({ min: 1, max: 2 })),
    padding: fc.tuple(pair(small(2)), pair(small(2))),
    seed: fc.nat(100),
    layouts: fc.tuple(layouts, layouts),
    fused: fc.boolean(),
  })
  .filter(({ shape, window, dilation, padding, strides }) => {
    const geometry = { window, dilation, padding, strides };
    return ([0, 1] as const).every((i) => shape[i + 1] + padding[i][0] + padding[i][1] >= windowSpan(geometry, i));
  });

function check(node: Node, options: { layouts?: readonly Layout[]; fused?: boolean } = {}): void {
  checkStrategy(window, node, options);
}

describe("pooling kernels", () => {
  test("worked cases", () => {
    for (const { build } of everyCase()) {
      const { result } = build();
      const op = result.op;
      if (!op?.opName.startsWith("window") || op.opName === "windowCount") continue;
      check(result);
    }
  });

  test("any geometry, layout and epilogue", () => {
    fc.assert(
      fc.property(geometries, ({ shape, channels, window: size, seed, layouts, fused, ...options }) => {
        const dataShape = [...shape, channels];
        const data = leafOf(dataShape, "f32", numbers(sizeOf(dataShape), seed, true));
        const finite = leafOf(dataShape, "f32", numbers(sizeOf(dataShape), seed, false));
        for (const op of [windowMax, windowArgmax]) check(op(data, size, options), { layouts, fused });
        check(windowSum(finite, size, options), { layouts, fused });
        const argmax = windowArgmax(data, size, options);
        const taps = leafOf(argmax.shape, seed % 2 === 0 ? argmax.dtype : "i32", valuesOf([argmax])[0]);
        check(windowPick(finite, taps, size, options), { layouts, fused });
        const pooled = leafOf(argmax.shape, "f32", numbers(sizeOf(argmax.shape), seed + 1, false));
        const spatial: Pair = [shape[1], shape[2]];
        check(windowSumTranspose(pooled, spatial, size, options), { layouts, fused });
        check(windowPickTranspose(pooled, taps, spatial, size, options), { layouts, fused });
      }),
      { numRuns: 40 },
    );
  });

  test("windows that tile the data, with a rest", () => {
    for (const [height, width, channels] of [
      [4, 6, 64],
      [5, 7, 20],
    ]) {
      const data = leafOf([2, height, width, channels], "f32", numbers(2 * height * width * channels, 3, false));
      const options = { strides: 2 };
      const taps = windowArgmax(data, 2, options);
      const chosen = leafOf(taps.shape, taps.dtype, valuesOf([taps])[0]);
      const pooled = leafOf(taps.shape, "f32", numbers(sizeOf(taps.shape), 4, false));
      check(windowMax(data, 2, options));
      check(windowPickTranspose(pooled, chosen, [height, width], 2, options), { fused: true });
      check(windowSumTranspose(pooled, [height, width], 2, options), { fused: true });
    }
  });

  test("large windows", () => {
    const data = leafOf([1, 9, 9, 18], "f32", numbers(9 * 9 * 18, 5, false));
    check(windowSum(data, 7));
    check(windowArgmax(data, [9, 9]));
    const wide = leafOf([1, 17, 20, 3], "f32", numbers(17 * 20 * 3, 6, false));
    expect([windowArgmax(data, [9, 9]).dtype, windowArgmax(wide, [17, 16]).dtype]).toEqual(["u8", "i32"]);
    check(windowArgmax(wide, [17, 16]));
    expect(leafData(data).length).toBe(9 * 9 * 18);
    expect(windowOutputSize("test", [9, 9], windowAttributes("test", 7, {}))).toEqual([3, 3]);
  });
});
