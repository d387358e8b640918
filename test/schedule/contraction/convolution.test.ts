import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sizeOf, stridesOf } from "../../../src/graph/shape.ts";
import type { MachineDescription } from "../../../src/kernel/ir.ts";
import type { Meaning } from "../../../src/ops/define.ts";
import { conv2d } from "../../../src/schedule/strategies/contraction/convolution.ts";
import type { OperandView } from "../../../src/schedule/strategy.ts";
import { contiguous, fractions, integers, interpret, narrow, requestOf, wide } from "./harness.ts";

type Direction = "forward" | "inputGradient" | "weightGradient";
const directions: readonly Direction[] = ["forward", "inputGradient", "weightGradient"];

interface Case {
  readonly images: number;
  readonly size: readonly [number, number];
  readonly channels: number;
  readonly filters: number;
  readonly groups: number;
  readonly window: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: readonly [readonly [number, number], readonly [number, number]];
}

const plain: Case = {
  images: 1,
  size: [6, 7],
  channels: 2,
  filters: 3,
  groups: 1,
  window: [3, 3],
  strides: [1, 1],
  dilation: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
};

function shapesOf(test: Case): { x: number[]; w: number[]; y: number[] } {
  const out = (axis: 0 | 1): number =>
    Math.floor(
      (test.size[axis] +
        test.padding[axis][0] +
        test.padding[axis][1] -
        test.dilation[axis] * (test.window[axis] - 1) -
        1) /
        test.strides[axis],
    ) + 1;
  return {
    x: [test.images, ...test.size, test.channels],
    w: [...test.window, test.channels / test.groups, test.filters],
    y: [test.images, out(0), out(1), test.filters],
  };
}

/** Shapes of the two inputs and the result of a direction. */
function signature(test: Case, direction: Direction): readonly [number[], number[], number[]] {
  const { x, w, y } = shapesOf(test);
  return direction === "forward" ? [x, w, y] : direction === "inputGradient" ? [y, w, x] : [x, y, w];
}

/** The definition, on contiguous data. */
function expected(test: Case, direction: Direction, first: Float32Array, second: Float32Array): Float32Array {
  const { x, w, y } = shapesOf(test);
  const [xs, ws, ys] = [x, w, y].map(stridesOf);
  const perGroup = test.channels / test.groups;
  const filters = test.filters / test.groups;
  const result = new Float32Array(sizeOf(signature(test, direction)[2]));
  for (let n = 0; n < y[0]; n++)
    for (let oh = 0; oh < y[1]; oh++)
      for (let ow = 0; ow < y[2]; ow++)
        for (let k = 0; k < y[3]; k++)
          for (let i = 0; i < w[0]; i++)
            for (let j = 0; j < w[1]; j++) {
              const ih = oh * test.strides[0] + i * test.dilation[0] - test.padding[0][0];
              const iw = ow * test.strides[1] + j * test.dilation[1] - test.padding[1][0];
              if (ih < 0 || iw < 0 || ih >= x[1] || iw >= x[2]) continue;
              for (let c = 0; c < perGroup; c++) {
                const channel = Math.floor(k / filters) * perGroup + c;
                const atX = n * xs[0] + ih * xs[1] + iw * xs[2] + channel;
                const atW = i * ws[0] + j * ws[1] + c * ws[2] + k;
                const atY = n * ys[0] + oh * ys[1] + ow * ys[2] + k;
                if (direction === "forward") result[atY] += first[atX] * second[atW];
                else if (direction === "inputGradient") result[atX] += first[atY] * second[atW];
                else result[atW] += first[atX] * second[atY];
              }
            }
  return result;
}

function run(
  test: Case,
  direction: Direction,
  machine: MachineDescription,
  fill = integers,
  views?: readonly OperandView[],
): { readonly result: Float32Array; readonly operands: Float32Array[] } {
  const [a, b, result] = signature(test, direction);
  const meaning: Meaning = {
    kind: "conv2d",
    direction,
    groups: test.groups,
    geometry: { window: test.window, strides: test.strides, dilation: test.dilation, padding: test.padding },
  };
  const operands = [
    fill(sizeOf(a), 1),
    fill(sizeOf(b), 2),
    fill(result[3], 3),
    new Float32Array(sizeOf(result)).fill(Number.NaN),
    new Float32Array(1),
  ];
  interpret(conv2d(requestOf(meaning, [a, b], result, { machine, views })), operands);
  return { result: operands[3], operands };
}

function check(test: Case, machine: MachineDescription): void {
  for (const direction of directions) {
    const { result, operands } = run(test, direction, machine);
    expect({ direction, result }).toEqual({ direction, result: expected(test, direction, operands[0], operands[1]) });
  }
}

/** Caches so small that the weights of any convolution here have to come from further away. */
const cacheless: MachineDescription = { ...wide, l2Bytes: 1024 };

const upTo = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });

describe("conv2d", () => {
  it("equals the definition in all directions for any geometry", () => {
    const pair = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<[T, T]> => fc.tuple(arbitrary, arbitrary);
    fc.assert(
      fc.property(
        fc.record({
          images: upTo(3),
          size: pair(upTo(9, 5)),
          groups: upTo(3),
          perGroup: upTo(3),
          filters: upTo(4),
          window: pair(upTo(3)),
          strides: pair(upTo(3)),
          dilation: pair(upTo(2)),
          padding: pair(pair(upTo(2, 0))),
        }),
        fc.constantFrom(wide, narrow, cacheless),
        ({ perGroup, filters, ...rest }, machine) =>
          check({ ...rest, channels: rest.groups * perGroup, filters: rest.groups * filters }, machine),
      ),
      { numRuns: 25 },
    );
  });

  it.each<[string, Partial<Case>]>([
    ["the first layer of a network", { size: [6, 30], channels: 1, filters: 32 }],
    [
      "a strip of every kind",
      {
        size: [4, 40],
        channels: 3,
        filters: 18,
        padding: [
          [1, 1],
          [1, 2],
        ],
      },
    ],
    ["several panels and a tail", { size: [4, 5], channels: 4, filters: 70 }],
    [
      "many channels",
      {
        size: [3, 4],
        channels: 37,
        filters: 17,
        padding: [
          [1, 1],
          [1, 1],
        ],
      },
    ],
    [
      "depthwise",
      {
        channels: 20,
        filters: 20,
        groups: 20,
        padding: [
          [1, 1],
          [1, 1],
        ],
        images: 2,
      },
    ],
    [
      "depthwise with strides",
      {
        channels: 5,
        filters: 5,
        groups: 5,
        strides: [2, 2],
        padding: [
          [0, 1],
          [0, 1],
        ],
      },
    ],
    ["a depth multiplier", { channels: 3, filters: 6, groups: 3 }],
    ["groups", { channels: 8, filters: 36, groups: 2, window: [1, 3] }],
    ["1x1", { window: [1, 1], channels: 5, filters: 20, strides: [2, 1] }],
    ["1x1 over pixels of several images", { window: [1, 1], size: [5, 7], images: 3, channels: 21, filters: 70 }],
    ["1x1 on a single pixel", { window: [1, 1], size: [1, 1], channels: 9, filters: 40 }],
    ["a single row of pixels", { window: [1, 1], size: [1, 33], channels: 9, filters: 33 }],
    [
      "1x1 with padding",
      {
        window: [1, 1],
        channels: 3,
        filters: 33,
        padding: [
          [1, 0],
          [0, 2],
        ],
      },
    ],
    ["a window as large as the image", { size: [3, 3], images: 5, channels: 3, filters: 9 }],
    ["many images", { size: [3, 3], images: 50, window: [2, 2] }],
  ])("is right for %s", (_, part) => {
    for (const machine of [wide, narrow, cacheless]) check({ ...plain, ...part }, machine);
  });

  it.each<[string, Partial<Case>, boolean]>([
    ["1x1", { window: [1, 1], size: [4, 5], images: 2, channels: 220, filters: 230 }, true],
    ["1x1 on single pixels", { window: [1, 1], size: [1, 1], images: 19, channels: 224, filters: 224 }, true],
    ["1x1 with strides", { window: [1, 1], size: [5, 7], strides: [2, 3], channels: 390, filters: 130 }, true],
    [
      "taps that are mostly outside of small images",
      {
        size: [1, 2],
        images: 5,
        channels: 43,
        filters: 134,
        padding: [
          [1, 1],
          [1, 1],
        ],
      },
      true,
    ],
    [
      "strides, dilation and uneven padding",
      {
        ...{ window: [2, 3], size: [6, 5], images: 2, channels: 70, filters: 128, strides: [2, 1], dilation: [2, 1] },
        padding: [
          [0, 2],
          [2, 0],
        ],
      },
      true,
    ],
    ["too few uses of what would be gathered", { channels: 100, filters: 60 }, false],
    ["a small result", { window: [1, 1], channels: 100, filters: 100 }, false],
  ])("multiplies matrices for large weight gradients of few pixels: %s", (_, part, multiplied) => {
    const test = { ...plain, ...part };
    const [x, g, w] = signature(test, "weightGradient");
    const meaning: Meaning = {
      ...{ kind: "conv2d", direction: "weightGradient", groups: 1 },
      geometry: { window: test.window, strides: test.strides, dilation: test.dilation, padding: test.padding },
    };
    const { steps } = conv2d(requestOf(meaning, [x, g], w, { machine: wide }));
    expect(steps.some(({ kernel }) => kernel.name.startsWith("matmul_"))).toBe(multiplied);
    const { result, operands } = run(test, "weightGradient", wide);
    expect(result).toEqual(expected(test, "weightGradient", operands[0], operands[1]));
    expect(run(test, "weightGradient", narrow, fractions).result).toEqual(
      run(test, "weightGradient", wide, fractions).result,
    );
  });

  it("reads channels-first data where it lies", () => {
    const test: Case = {
      ...plain,
      channels: 18,
      filters: 5,
      padding: [
        [1, 0],
        [0, 1],
      ],
      images: 2,
    };
    for (const direction of directions) {
      const [a, b] = signature(test, direction);
      const toFirst = (data: Float32Array, [, h, w, c]: number[]): Float32Array => {
        const out = new Float32Array(data.length);
        for (let i = 0; i < data.length; i++) {
          const [ch, wi, hi, ni] = [i % c, Math.floor(i / c) % w, Math.floor(i / c / w) % h, Math.floor(i / c / w / h)];
          out[((ni * c + ch) * h + hi) * w + wi] = data[i];
        }
        return out;
      };
      const view = (operand: number, [, h, w, c]: number[]): OperandView => ({
        operand,
        dtype: "f32",
        offset: 0,
        strides: [c * h * w, w, 1, h * w],
      });
      const isImage = [true, direction === "weightGradient"];
      const views = [a, b].map((shape, i) => (isImage[i] ? view(i, shape) : contiguous(i, shape)));
      const shapes = [a, b];
      const fill = (length: number, seed: number): Float32Array => {
        const data = integers(length, seed);
        return seed <= 2 && isImage[seed - 1] ? toFirst(data, shapes[seed - 1]) : data;
      };
      const { result } = run(test, direction, wide, fill, views);
      const plainResult = expected(test, direction, integers(sizeOf(a), 1), integers(sizeOf(b), 2));
      expect({ direction, result }).toEqual({ direction, result: plainResult });
    }
  });

  it("gives the same bits on both register files", () => {
    const test: Case = {
      ...plain,
      size: [8, 9],
      images: 3,
      channels: 5,
      filters: 20,
      padding: [
        [1, 1],
        [1, 1],
      ],
    };
    for (const direction of directions)
      expect(run(test, direction, narrow, fractions).result).toEqual(run(test, direction, wide, fractions).result);
  });

  it.each<[string, Partial<Case>, MachineDescription]>([
    ["3x3", { channels: 5, filters: 20 }, wide],
    ["1x1, as a run of pixels", { channels: 37, filters: 40, window: [1, 1] }, wide],
    ["with weights larger than the caches", { channels: 37, filters: 70 }, cacheless],
  ])("gives an image the same bits in any batch: %s", (_, part, machine) => {
    const around = part.window ? 0 : 1;
    const padding = [
      [around, around],
      [around, around],
    ] as const;
    const test: Case = { ...plain, size: [7, 9], padding, ...part };
    for (const direction of ["forward", "inputGradient"] as const) {
      const alone = run(test, direction, machine, fractions).result;
      const [input, kernel] = signature(test, direction);
      const fill = (length: number, seed: number): Float32Array =>
        seed === 1 && length > sizeOf(input)
          ? Float32Array.from([...fractions(sizeOf(input), 1), ...fractions(length - sizeOf(input), 9)])
          : fractions(length, seed);
      expect(sizeOf(kernel)).toBeGreaterThan(0);
      expect(run({ ...test, images: 4 }, direction, machine, fill).result.slice(0, alone.length)).toEqual(alone);
    }
  });
});
