import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sizeOf, stridesOf } from "../../../src/graph/shape.ts";
import type { MachineDescription } from "../../../src/kernel/ir.ts";
import type { Meaning } from "../../../src/ops/define.ts";
import { inputGradientAxes, spatialAxes } from "../../../src/schedule/strategies/contraction/convolution-axis.ts";
import { conv2d } from "../../../src/schedule/strategies/contraction/index.ts";
import { takesAdjoint } from "../../../src/schedule/strategies/contraction/winograd-plan.ts";
import type { OperandView } from "../../../src/schedule/strategy.ts";
import { contiguous, interpret, narrow, requestOf, wide } from "./harness.ts";

type Pair = readonly [number, number];
interface Case {
  readonly images: number;
  /** Of the forward result. */
  readonly outputs: Pair;
  readonly channels: number;
  readonly filters: number;
  readonly padding: readonly [Pair, Pair];
}
type Direction = "forward" | "inputGradient" | "weightGradient";

/** Normally distributed numbers. */
function normal(length: number, seed: number): Float32Array {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from({ length }, () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()));
}

/** The smallest second-level cache that may be met: blocks are cut everywhere. */
const tight: MachineDescription = { ...narrow, name: "tight", l2Bytes: 64 * 1024 };

function shapesOf({ images, outputs, channels, filters, padding }: Case): [x: number[], w: number[], y: number[]] {
  const input = (axis: 0 | 1): number => outputs[axis] + 2 - padding[axis][0] - padding[axis][1];
  return [
    [images, input(0), input(1), channels],
    [3, 3, channels, filters],
    [images, ...outputs, filters],
  ];
}

function signature(test: Case, direction: Direction): [number[], number[], number[]] {
  const [x, w, y] = shapesOf(test);
  return direction === "forward" ? [x, w, y] : direction === "inputGradient" ? [y, w, x] : [x, y, w];
}

/** The definition, in f64 unless `result` says otherwise. */
function expected<T extends Float32Array | Float64Array = Float64Array>(
  test: Case,
  direction: Direction,
  first: Float32Array,
  second: Float32Array,
  result = new Float64Array(sizeOf(signature(test, direction)[2])) as T,
): T {
  const [x, w, y] = shapesOf(test);
  const [xs, ws, ys] = [x, w, y].map(stridesOf);
  for (let n = 0; n < y[0]; n++)
    for (let row = 0; row < y[1]; row++)
      for (let column = 0; column < y[2]; column++)
        for (let tap = 0; tap < 9; tap++) {
          const [i, j] = [Math.floor(tap / 3), tap % 3];
          const [h, v] = [row + i - test.padding[0][0], column + j - test.padding[1][0]];
          if (h < 0 || v < 0 || h >= x[1] || v >= x[2]) continue;
          const [atX, atW] = [n * xs[0] + h * xs[1] + v * xs[2], i * ws[0] + j * ws[1]];
          const atY = n * ys[0] + row * ys[1] + column * ys[2];
          for (let c = 0; c < x[3]; c++)
            for (let k = 0; k < y[3]; k++) {
              const [xi, wi, yi] = [atX + c, atW + c * ws[2] + k, atY + k];
              if (direction === "forward") result[yi] += first[xi] * second[wi];
              else if (direction === "inputGradient") result[xi] += first[yi] * second[wi];
              else result[wi] += first[xi] * second[yi];
            }
        }
  return result;
}

function meaningOf(test: Case, direction: Direction) {
  const geometry = { window: [3, 3], strides: [1, 1], dilation: [1, 1], padding: test.padding } as const;
  return { kind: "conv2d", direction, groups: 1, geometry } as const satisfies Meaning;
}

interface RunOptions {
  readonly epilogue?: "bias";
  readonly bias?: Float32Array;
  readonly machine?: MachineDescription;
  readonly views?: readonly OperandView[];
  readonly reverse?: boolean;
  readonly first?: Float32Array;
  readonly second?: Float32Array;
}

function run(test: Case, direction: Direction, options: RunOptions = {}): Float32Array[] {
  const [a, b, result] = signature(test, direction);
  const operands = [
    options.first ?? normal(sizeOf(a), 1),
    options.second ?? normal(sizeOf(b), 2),
    options.bias ?? new Float32Array(result[3]),
    new Float32Array(sizeOf(result)).fill(Number.NaN),
    new Float32Array(1),
  ];
  const lowering = conv2d(requestOf(meaningOf(test, direction), [a, b], result, options));
  expect(lowering.steps.map((step) => step.kernel.name).join()).toMatch(/_winograd/);
  interpret(lowering, operands, options.reverse);
  return operands;
}

/** The largest error as a share of the largest result. */
function errorOf(values: Float32Array | Float64Array, exact: Float64Array): number {
  let [error, largest] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    error = Math.max(error, Number.isNaN(values[i]) ? Number.POSITIVE_INFINITY : Math.abs(values[i] - exact[i]));
    largest = Math.max(largest, Math.abs(exact[i]));
  }
  return error / largest;
}

const directions: readonly Direction[] = ["forward", "inputGradient", "weightGradient"];
const none: readonly [Pair, Pair] = [
  [0, 0],
  [0, 0],
];
const around: readonly [Pair, Pair] = [
  [1, 1],
  [1, 1],
];
const plain: Case = { images: 1, outputs: [8, 9], channels: 16, filters: 16, padding: around };
const integer = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

describe("convolutions by Winograd's transforms", () => {
  it("equal the definition in all directions for any size, padding and number of channels", () => {
    const pad = fc.tuple(integer(0, 2), integer(0, 2));
    fc.assert(
      fc.property(
        fc.record({
          images: integer(1, 2),
          outputs: fc.tuple(integer(10, 14), integer(10, 14)),
          channels: integer(16, 19),
          filters: integer(16, 35),
          padding: fc.tuple(pad, pad),
        }),
        fc.constantFrom(wide, narrow, tight),
        (test, machine) => {
          for (const direction of directions) {
            const [first, second, , result] = run(test, direction, { machine });
            expect(errorOf(result, expected(test, direction, first, second))).toBeLessThan(2e-6);
          }
        },
      ),
      { numRuns: 5 },
    );
  });

  it.each<[string, Case]>([
    ["tiles that fit", { ...plain, outputs: [8, 12], channels: 32, filters: 32, padding: none }],
    ["a rest of three and one", { ...plain, outputs: [11, 9], filters: 48 }],
    ["rows wider than a block", { ...plain, outputs: [4, 66], padding: none }],
    ["many images", { ...plain, images: 9, outputs: [8, 8] }],
  ])("equal the definition: %s", (_name, test) => {
    for (const machine of [wide, tight])
      for (const direction of directions) {
        const [first, second, , result] = run(test, direction, { machine });
        expect(errorOf(result, expected(test, direction, first, second))).toBeLessThan(2e-6);
      }
  });

  it.each<[string, Case["padding"], Pair]>([
    ["no padding", none, [12, 12]],
    ["as many tiles", around, [9, 14]],
    [
      "padding before rows and behind columns",
      [
        [1, 0],
        [0, 1],
      ],
      [12, 16],
    ],
    [
      "padding behind rows and before columns, tiles with a rest",
      [
        [0, 1],
        [1, 0],
      ],
      [20, 11],
    ],
  ])(
    "add up overlapping patches where the gradient has no more tiles than the input: %s",
    (_name, padding, outputs) => {
      const test: Case = { images: 1, outputs, channels: 35, filters: 18, padding };
      const [x, , y] = shapesOf(test);
      const [rows, columns] = spatialAxes(meaningOf(test, "inputGradient"), x, y).flatMap(inputGradientAxes);
      expect(takesAdjoint(rows, columns)).toBe(true);
      for (const machine of [wide, narrow, tight]) {
        const bias = normal(35, 3);
        const [first, second, , result] = run(test, "inputGradient", { machine, bias, epilogue: "bias" });
        const exact = expected(test, "inputGradient", first, second).map((sum, i) => Math.max(sum + bias[i % 35], 0));
        expect(errorOf(result, exact)).toBeLessThan(2e-6);
      }
    },
  );

  it("share the rows of few images, to the same bits", () => {
    const test: Case = { ...plain, outputs: [23, 12], channels: 18, filters: 33, padding: none };
    const tasks = (images: number): number => {
      const [a, b, result] = signature({ ...test, images }, "inputGradient");
      return conv2d(requestOf(meaningOf(test, "inputGradient"), [a, b], result, {})).steps.at(-1)!.tasks;
    };
    expect([1, 2, 9].map(tasks)).toEqual([2, 4, 9]);
    const [first, second, , result] = run({ ...test, images: 9 }, "inputGradient");
    const [read, written] = [first.length / 9, result.length / 9];
    const images = (count: number) =>
      run({ ...test, images: count }, "inputGradient", { first: first.slice(0, count * read), second })[3];
    for (const count of [1, 2]) expect(images(count)).toEqual(result.slice(0, count * written));
  });

  it("have the same bits on any machine and in any order of tasks", () => {
    const test: Case = { ...plain, images: 2, outputs: [9, 21], channels: 18, filters: 33 };
    for (const direction of directions) {
      const [, , , result] = run(test, direction);
      for (const machine of [narrow, tight]) expect(run(test, direction, { machine })[3]).toEqual(result);
      expect(run(test, direction, { reverse: true })[3]).toEqual(result);
    }
  });

  it("give exactly 0 where all inputs are 0, as the direct sum does", () => {
    for (const padding of [
      none,
      around,
      [
        [2, 0],
        [1, 2],
      ],
    ] as const) {
      const test: Case = { ...plain, outputs: [13, 14], channels: 17, padding };
      const [x, w] = signature(test, "forward");
      const pixels = normal(sizeOf(x), 1);
      // Most pixels are blank, some of them with zeros of both signs.
      for (let i = 0; i < pixels.length; i++)
        if ((Math.floor(i / x[3]) * 7919) % 31 > 2) pixels[i] = i % 3 === 0 ? -0 : 0;
      const direct = expected(test, "forward", pixels, normal(sizeOf(w), 2));
      const blank = Array.from(direct, (value) => value === 0);
      expect(blank.filter(Boolean).length).toBeGreaterThan(100);
      for (const machine of [wide, tight]) {
        const [, , , result] = run(test, "forward", { machine, first: pixels, second: normal(sizeOf(w), 2) });
        expect(Array.from(result, (value) => value === 0)).toEqual(blank);
      }
    }
  });

  it("do not mix the images of a batch", () => {
    const test: Case = { ...plain, images: 33, outputs: [8, 8] };
    for (const direction of ["forward", "inputGradient"] as const) {
      const [first, second, , result] = run(test, direction);
      const [input, output] = [first.length / 33, result.length / 33];
      const alone = run({ ...test, images: 1 }, direction, { first: first.slice(7 * input, 8 * input), second });
      expect(alone[3]).toEqual(result.slice(7 * output, 8 * output));
    }
  });

  it("are chosen where an image has outputs enough for kernels of that size", () => {
    const names = (size: number, channels: number): string => {
      const test: Case = { images: 1, outputs: [size, size], channels, filters: 512, padding: around };
      const [a, b, result] = signature(test, "forward");
      const { steps } = conv2d(requestOf(meaningOf(test, "forward"), [a, b], result, {}));
      return steps.map((step) => step.kernel.name).join();
    };
    expect(names(14, 512)).toMatch(/_winograd/);
    expect(names(8, 256)).toMatch(/_winograd/);
    expect(names(8, 512)).not.toMatch(/winograd/);
    expect(names(14, 528)).not.toMatch(/winograd/);
  });

  it.each([96, 32])(
    "share one image by panels where the weights are large, to the same bits: %i outputs",
    (filters) => {
      const machine: MachineDescription = { ...wide, l2Bytes: 512 * 1024 };
      const test: Case = { images: 1, outputs: [8, 8], channels: 64, filters, padding: around };
      const tasks = ({ images }: Case): number[] => {
        const [a, b, result] = signature({ ...test, images }, "forward");
        const { steps } = conv2d(requestOf(meaningOf(test, "forward"), [a, b], result, { machine }));
        return steps.slice(-1).map((step) => step.tasks);
      };
      expect([tasks(test), tasks({ ...test, images: 4 })]).toEqual([[2], [4]]);
      const alone = run(test, "forward", { machine });
      const images = Float32Array.from([...alone[0], ...normal(3 * alone[0].length, 5)]);
      const together = run({ ...test, images: 4 }, "forward", { machine, first: images, second: alone[1] })[3];
      expect(together.slice(0, alone[3].length)).toEqual(alone[3]);
      expect(errorOf(alone[3], expected(test, "forward", alone[0], alone[1]))).toBeLessThan(2e-6);
    },
  );

  it("read channels-first data", () => {
    const view = (operand: number, [, h, w, c]: number[]): OperandView => ({
      operand,
      dtype: "f32",
      offset: 0,
      strides: [c * h * w, w, 1, h * w],
    });
    for (const direction of directions) {
      const [a, b] = signature(plain, direction);
      const isImage = [true, direction === "weightGradient"];
      const views = [a, b].map((shape, i) => (isImage[i] ? view(i, shape) : contiguous(i, shape)));
      const toFirst = (data: Float32Array, [, h, w, c]: number[]): Float32Array =>
        Float32Array.from(data, (_, i) => data[((Math.floor(i / w) % h) * w + (i % w)) * c + Math.floor(i / w / h)]);
      const [first, second] = [normal(sizeOf(a), 1), normal(sizeOf(b), 2)];
      const [, , , result] = run(plain, direction, {
        views,
        first: toFirst(first, a),
        second: isImage[1] ? toFirst(second, b) : second,
      });
      expect(result).toEqual(run(plain, direction, { first, second })[3]);
    }
  });

  it.each<[string, Partial<Case> & { readonly outputs?: Pair }]>([
    ["few outputs", { outputs: [7, 8] }],
    ["few channels", { channels: 15 }],
    ["kernels too large to be worth it", { channels: 512, filters: 512 }],
  ])("are left to the direct sum for %s", (_name, part) => {
    const test = { ...plain, ...part, padding: none };
    const [a, b, result] = signature(test, "forward");
    const lowering = conv2d(requestOf(meaningOf(test, "forward"), [a, b], result));
    expect(lowering.steps.map((step) => step.kernel.name).join()).not.toMatch(/winograd/);
  });

  it("err no more than five times as much as the direct sum on normal data", () => {
    const test: Case = { ...plain, outputs: [12, 16], channels: 32, filters: 32 };
    for (const direction of directions) {
      const [first, second, , result] = run(test, direction);
      const exact = expected(test, direction, first, second);
      const direct = expected(test, direction, first, second, new Float32Array(exact.length));
      expect(errorOf(result, exact)).toBeLessThan(5 * errorOf(direct, exact));
    }
  });
});
