/** Where maxima stand, and back. Values are those of PyTorch 2.15. */
import { beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, ShapeError } from "../../../src/errors.ts";
import { engine, type Tensor, tensor } from "../../../src/tensor/index.ts";
import { nn } from "../../../src/torch/index.ts";
import { hashed } from "../../hashed.ts";
import { availableTargets } from "../../targets.ts";

const F = nn.functional;
/** Multiples of a half: windows have several largest elements. */
const withTies = (stream: number, shape: readonly number[]): Tensor => hashed(stream, shape).mul(2).round().div(2);
const places = (text: string): number[] => text.split(" ").map(Number);

describe.each(availableTargets())("on %s", (target) => {
  beforeAll(() => engine.setTarget(target));

  test.each([
    [1, [2, 2, 5, 7], 2, {}, "7 9 5 14 16 18 7 2 11 21 17 25 7 9 4 22 16 19 7 10 11 21 23 18"],
    [
      2,
      [1, 2, 6, 6],
      3,
      { stride: 2, padding: 1, ceilMode: true },
      "7 7 5 5 7 7 22 17 31 31 22 35 31 31 35 35 0 2 5 5 12 14 16 11 18 33 33 23 30 33 33 35",
    ],
    [
      3,
      [1, 1, 7, 6],
      [2, 3],
      { stride: [1, 2], padding: [1, 0], dilation: [2, 1] },
      "6 8 13 2 6 8 13 26 32 32 24 26 32 32",
    ],
    [4, [2, 5, 5], 2, { stride: 2 }, "5 2 11 12 1 8 11 12"],
  ] as const)("indices of stream %d, shape %j, window %j, %j", (stream, shape, window, options, expected) => {
    const x = withTies(stream, shape);
    const [output, indices] = F.maxPool2d(x, window, { ...options, returnIndices: true });
    expect(output.toArray()).toEqual(F.maxPool2d(x, window, options).toArray());
    expect(indices.shape).toEqual(output.shape);
    expect([...indices.dataSync()]).toEqual(places(expected));
  });

  test("sequences; NaN counts as the largest, −∞ beats the padding", () => {
    const pool = new nn.MaxPool1d(3, { stride: 2, returnIndices: true });
    const [output, indices] = pool(withTies(8, [1, 2, 7]));
    expect(output.shape).toEqual([1, 2, 3]);
    expect(indices.toArray()).toEqual([
      [
        [2, 2, 5],
        [1, 3, 5],
      ],
    ]);
    const returnIndices = true as const;
    const [, last] = F.maxPool2d(
      tensor([
        [
          [
            [Number.NaN, 1],
            [Number.NaN, 2],
          ],
        ],
      ]),
      2,
      { returnIndices },
    );
    expect(last.toArray()).toEqual([[[[2]]]]);
    const low = tensor(new Float32Array(4).fill(Number.NEGATIVE_INFINITY), { shape: [1, 1, 2, 2] });
    expect(F.maxPool2d(low, 2, { padding: 1, returnIndices })[1].toArray()).toEqual([
      [
        [
          [0, 1],
          [2, 3],
        ],
      ],
    ]);
  });

  test("unpooling puts the maxima back; gradients go through both", () => {
    const pool = new nn.MaxPool2d(2, { returnIndices: true });
    const unpool = new nn.MaxUnpool2d(2);
    const x = hashed(5, [1, 2, 6, 6]);
    x.requiresGrad = true;
    const back = unpool(...pool(x));
    expect(back.shape).toEqual(x.shape);
    expect(back.sum().item()).toBeCloseTo(10.18964, 4);
    back.mul(hashed(6, back.shape)).sum().backward();
    const slopes = [...(x.grad as Tensor).dataSync()].slice(0, 12);
    [-0.056759, 0, -0.056376, 0, 0, 0, 0, 0, 0, 0, 0, 0.436596].forEach((slope, i) =>
      expect(slopes[i]).toBeCloseTo(slope, 5),
    );
    const [maxima, indices] = pool(hashed(7, [1, 1, 5, 5]));
    expect(unpool(maxima, indices).shape).toEqual([1, 1, 4, 4]);
    const whole = unpool(maxima, indices, [1, 1, 5, 5]).dataSync();
    expect([...whole].map((value) => value !== 0).flatMap((there, place) => (there ? [place] : []))).toEqual([
      3, 5, 10, 12,
    ]);
    expect(() => unpool(maxima, indices, [7, 5])).toThrow(ArgumentError);
    expect(() => F.maxUnpool2d(maxima, indices.narrow(2, 0, 1), 2)).toThrow(ShapeError);
  });
});
