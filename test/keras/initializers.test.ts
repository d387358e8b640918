import { beforeAll, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { computeFans } from "../../src/nn/initializers.ts";
import { type Arguments, label, readGolden, useFastTarget } from "./golden.ts";

interface InitializerCase {
  readonly initializer: string;
  readonly arguments: Arguments;
  readonly shape: readonly number[];
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
}
const golden = readGolden<{ statistics: InitializerCase[] }>("initializers");
const classes = keras.initializers as unknown as Record<
  string,
  new (
    options: object,
  ) => keras.initializers.Initializer
>;

beforeAll(() => {
  useFastTarget();
  keras.utils.setRandomSeed(1);
});

/** Mean and deviation of what was drawn. */
function statistics(values: ArrayLike<number>): { mean: number; std: number; min: number; max: number } {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  const variance = list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length;
  const least = list.reduce((low, value) => Math.min(low, value));
  return { mean, std: Math.sqrt(variance), min: least, max: list.reduce((high, value) => Math.max(high, value)) };
}

describe("initialisers draw from Keras' distributions", () => {
  test.each(
    golden.statistics.map(
      (entry) => [label(entry.initializer, entry.arguments, ` ${entry.shape.join("x")}`), entry] as const,
    ),
  )("%s", (_, entry) => {
    const values = new classes[entry.initializer](entry.arguments)(entry.shape);
    expect(values.shape).toEqual(entry.shape);
    const drawn = statistics(values.dataSync());
    // Two samples of n numbers differ by a few σ/√n; extremes of bounded distributions agree closely.
    const noise = (6 * entry.std) / Math.sqrt(values.size);
    expect(Math.abs(drawn.mean - entry.mean)).toBeLessThanOrEqual(noise + 1e-7);
    expect(Math.abs(drawn.std - entry.std)).toBeLessThanOrEqual(noise + 1e-7);
    const bounded = !["RandomNormal", "Orthogonal"].includes(entry.initializer);
    if (bounded) {
      expect(Math.abs(drawn.max - entry.max)).toBeLessThanOrEqual(0.005 * entry.std + 1e-7);
      expect(Math.abs(drawn.min - entry.min)).toBeLessThanOrEqual(0.005 * entry.std + 1e-7);
    }
  });
});

test("fans are counted over the receptive field", () => {
  expect(computeFans([])).toEqual({ fanIn: 1, fanOut: 1 });
  expect(computeFans([7])).toEqual({ fanIn: 7, fanOut: 7 });
  expect(computeFans([7, 5])).toEqual({ fanIn: 7, fanOut: 5 });
  expect(computeFans([3, 3, 7, 5])).toEqual({ fanIn: 63, fanOut: 45 });
});

test("an orthogonal matrix is orthogonal, tall or wide", () => {
  for (const [rows, columns] of [
    [12, 5],
    [5, 12],
  ]) {
    const q = new keras.initializers.Orthogonal({ seed: 3, gain: 2 })([rows, columns]);
    const product = rows > columns ? q.transpose().matmul(q) : q.matmul(q.transpose());
    const side = Math.min(rows, columns);
    product.dataSync().forEach((value, index) => {
      expect(value).toBeCloseTo(Math.floor(index / side) === index % side ? 4 : 0, 4);
    });
  }
});

test("a seed gives the same numbers, no seed new ones, setRandomSeed the same sequence", () => {
  const seeded = new keras.initializers.GlorotUniform({ seed: 5 });
  expect(seeded([4, 3]).toArray()).toEqual(seeded([4, 3]).toArray());
  const plain = new keras.initializers.GlorotUniform();
  expect(plain([4, 3]).toArray()).not.toEqual(plain([4, 3]).toArray());
  keras.utils.setRandomSeed(9);
  const first = plain([4, 3]).toArray();
  keras.utils.setRandomSeed(9);
  expect(plain([4, 3]).toArray()).toEqual(first);
});

test("names, instances and configurations", () => {
  expect(keras.initializers.get("he_normal").className).toBe("HeNormal");
  const custom = new keras.initializers.VarianceScaling({ scale: 2, mode: "fan_out", distribution: "normal", seed: 4 });
  const again = keras.initializers.get(keras.initializers.serialize(custom));
  expect(again.getConfig()).toEqual(custom.getConfig());
  expect(again([3, 3]).toArray()).toEqual(custom([3, 3]).toArray());
  expect(() => keras.initializers.get("glorot_unifrom" as "zeros")).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: initializers.get: unknown initializer "glorot_unifrom" (did you mean "glorot_uniform"?); expected one of zeros, ones, constant, identity, random_uniform, random_normal, truncated_normal, variance_scaling, orthogonal, stft, glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal.]`,
  );
  expect(() => new keras.initializers.VarianceScaling({ scale: 0 })([2, 2])).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: varianceScaling: scale must be positive, received 0.]`,
  );
});
