/** Behaviour of the functions that goldens do not show: arguments, errors, random numbers, names. */
import { beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, DTypeError, engine, IndexRangeError, ShapeError } from "../../src/index.ts";
import * as tf from "../../src/tf/index.ts";
import { useFastTarget } from "../keras/golden.ts";

beforeAll(useFastTarget);

describe("creation", () => {
  test("tensors of given ranks and dtypes", () => {
    expect(tf.tensor([1, 2, 3, 4], [2, 2], "int32").dtype).toBe("i32");
    expect(tf.tensor2d([[1, 2]]).shape).toEqual([1, 2]);
    expect(() => tf.tensor2d([1, 2])).toThrow(ShapeError);
    expect(tf.scalar(true).dtype).toBe("bool");
    expect(tf.constant([1, 2], { dtype: tf.int64 }).dtype).toBe("i32");
    expect(tf.fill([2], 7).toArray()).toEqual([7, 7]);
    expect(tf.range(3).dtype).toBe("i32");
    expect(tf.range(0, 1, 0.25).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(tf.eye(2, 3, [2]).shape).toEqual([2, 2, 3]);
    expect(tf.zerosLike(tf.ones([2], "int32")).dtype).toBe("i32");
    expect(tf.variable([1, 2], false, "v").name).toBe("v");
    expect(() => tf.zeros([2], "float64")).toThrow(DTypeError);
  });
  test("oneHot", () => {
    expect(tf.oneHot([0, 2, -1], 3).toArray()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      [0, 0, 0],
    ]);
    expect(tf.oneHot([1], 2, { onValue: 5, offValue: -5, dtype: "int32" }).toArray()).toEqual([[-5, 5]]);
    expect(tf.oneHot([0, 2, 1], 2, { axis: 0 }).shape).toEqual([2, 3]);
    expect(() => tf.oneHot(tf.constant([0.5]), 2)).toThrow(DTypeError);
  });
});

describe("random", () => {
  test("setSeed repeats a sequence; a seed of its own always gives the same", () => {
    tf.random.setSeed(3);
    const first = [tf.random.normal([4]).toArray(), tf.randomUniform([4]).toArray()];
    tf.random.setSeed(3);
    expect([tf.random.normal([4]).toArray(), tf.randomUniform([4]).toArray()]).toEqual(first);
    const seeded = () => tf.random.normal([3], 0, 1, "float32", 5).toArray();
    expect(seeded()).toEqual(seeded());
    const whole = tf.random.uniform([200], 2, 5, "int32");
    expect(whole.dtype).toBe("i32");
    expect([...new Set(whole.dataSync())].sort()).toEqual([2, 3, 4]);
    expect([...tf.random.shuffle([1, 2, 3, 4]).dataSync()].sort()).toEqual([1, 2, 3, 4]);
    const spread = tf.truncatedNormal([1000], 1, 2).dataSync() as Float32Array;
    expect(Math.max(...spread)).toBeLessThanOrEqual(5);
    expect(Math.min(...spread)).toBeGreaterThanOrEqual(-3);
  });
  test("dropout", () => {
    const x = tf.ones([1000]);
    const kept = tf.nn.dropout(x, { rate: 0.25 });
    expect([...new Set(kept.dataSync())].sort()).toEqual([0, Math.fround(4 / 3)]);
    expect(tf.mean(kept).item()).toBeCloseTo(1, 0);
    expect(tf.nn.dropout(x, 0).toArray()).toEqual(x.toArray());
    const rows = tf.nn.dropout(tf.ones([8, 4]), { rate: 0.5, noiseShape: [8, 1], seed: 1 }).toArray() as number[][];
    for (const row of rows) expect(new Set(row).size).toBe(1);
    expect(() => tf.nn.dropout(x, 1.5)).toThrow(ArgumentError);
  });
});

describe("arguments", () => {
  test("numbers are arguments of the program, arrays become tensors", () => {
    const x = tf.constant([1, 2]);
    tf.add(x, 1).dataSync();
    const before = engine.stats().compilations;
    for (let i = 0; i < 5; i++) expect(tf.add(x, i).toArray()).toEqual([1 + i, 2 + i]);
    expect(engine.stats().compilations).toBe(before);
    expect(tf.mul([1, 2], [3, 4]).toArray()).toEqual([3, 8]);
    expect(tf.sub(10, x).toArray()).toEqual([9, 8]);
    expect(tf.div(tf.constant([1, 3], { dtype: "int32" }), 2).toArray()).toEqual([0.5, 1.5]);
  });
  test("images of either layout, positions and keywords", () => {
    const x = tf.random.normal([2, 6, 5, 3]);
    const w = tf.random.normal([3, 3, 3, 4]);
    const channelsLast = tf.nn.conv2d(x, w, { strides: [1, 2, 1, 1], padding: "SAME" });
    const channelsFirst = tf.nn.conv2d(tf.transpose(x, [0, 3, 1, 2]), w, {
      strides: [1, 1, 2, 1],
      padding: "same",
      dataFormat: "NCHW",
    });
    expect(channelsLast.shape).toEqual([2, 3, 5, 4]);
    expect(tf.transpose(channelsFirst, [0, 2, 3, 1]).toArray()).toEqual(channelsLast.toArray());
    expect(tf.conv2d(x, w, [2, 1], "same").toArray()).toEqual(channelsLast.toArray());
    expect(tf.nn.maxPool(x, 2, 2, "VALID").shape).toEqual([2, 3, 2, 3]);
    expect(tf.nn.avgPool(x, { ksize: 2, strides: 1, padding: "SAME" }).shape).toEqual([2, 6, 5, 3]);
    expect(tf.nn.biasAdd(tf.ones([1, 2, 3, 3]), [1, 2], "NCHW").shape).toEqual([1, 2, 3, 3]);
    expect(tf.nn.separableConv2d(x, tf.ones([3, 3, 3, 2]), tf.ones([1, 1, 6, 4]), 1, "SAME").shape).toEqual([
      2, 6, 5, 4,
    ]);
    expect(tf.nn.conv1d(tf.ones([2, 8, 3]), tf.ones([3, 3, 5]), 2, "SAME").shape).toEqual([2, 4, 5]);
    // an empty batch
    expect(tf.nn.conv2d(tf.zeros([0, 6, 5, 3]), w, 1, "SAME").shape).toEqual([0, 6, 5, 4]);
  });
  test("mistakes name the function, what was received and what was expected", () => {
    const x = tf.ones([1, 4, 4, 2]);
    const w = tf.ones([3, 3, 2, 1]);
    expect(() => tf.nn.conv2d(x, w, { strides: [2, 1, 1, 1], padding: "SAME" })).toThrow(/strides \[2,1,1,1\]/);
    expect(() => tf.nn.conv2d(x, w, 1)).toThrow(/padding is missing/);
    expect(() => tf.nn.conv2d(x, w, 1, "WIDE" as "SAME")).toThrow(/"WIDE"/);
    expect(() => tf.nn.conv2d(x, tf.ones([3, 3, 4, 1]), 1, "SAME")).toThrow(ShapeError);
    expect(() => tf.nn.conv2d(tf.ones([4, 4, 2]), w, 1, "SAME")).toThrow(/expected images/);
    expect(() => tf.nn.conv2d(x, tf.ones([5, 5, 2, 1]), 1, "VALID")).toThrow(/does not fit/);
    expect(() => tf.nn.conv2d(x, w, { strides: 2, padding: "SAME", dilations: 2 })).toThrow(/cannot both/);
    expect(() => tf.nn.biasAdd(x, [1, 2, 3])).toThrow(/biasAdd/);
    expect(() => tf.nn.softmaxCrossEntropyWithLogits({ labels: tf.ones([2, 3]), logits: tf.ones([3, 3]) })).toThrow(
      ShapeError,
    );
    expect(() => tf.matMul(tf.ones([2, 3]), tf.ones([2, 3]))).toThrow(ShapeError);
    expect(() => tf.split(tf.ones([5]), 2)).toThrow(/do not divide/);
    expect(() => tf.slice(tf.ones([3]), [1], [5])).toThrow(/do not lie/);
    expect(() => tf.clipByNorm(tf.ones([2]), 0)).toThrow(ArgumentError);
    expect(() => tf.gather(tf.ones([3]), [5]).dataSync()).toThrow(IndexRangeError);
    const labels = tf.constant([0, 7], { dtype: "int32" });
    expect(() => tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits: tf.ones([2, 3]) }).dataSync()).toThrow(
      IndexRangeError,
    );
    try {
      tf.matMul(tf.ones([2, 3]), tf.ones([2, 3]));
    } catch (error) {
      expect((error as Error).stack?.split("\n")[1]).toContain("functions.test.ts");
    }
  });
  test("small forms", () => {
    const x = tf.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    expect(tf.unstack(x).map((row) => row.toArray())).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(tf.split(x, 3, 1).map((part) => part.shape)).toEqual([
      [2, 1],
      [2, 1],
      [2, 1],
    ]);
    expect(tf.squeeze(tf.expandDims(x, 1)).shape).toEqual([2, 3]);
    expect(tf.stack([x, x], 1).shape).toEqual([2, 2, 3]);
    expect(tf.linalg.bandPart(tf.ones([3, 3]), 0, 1).toArray()).toEqual([
      [1, 1, 0],
      [0, 1, 1],
      [0, 0, 1],
    ]);
    expect(tf.linalg.trace(tf.eye(4)).item()).toBe(4);
    expect(tf.booleanMask(x, tf.greater(x, 2)).toArray()).toEqual([3, 4, 5, 6]);
    expect(tf.unsortedSegmentSum([1, 2, 3], [1, 0, 1], 3).toArray()).toEqual([2, 4, 0]);
    expect(
      tf.nn
        .inTopK(
          [0, 1],
          tf.constant([
            [0.1, 0.9],
            [0.2, 0.8],
          ]),
          1,
        )
        .toArray(),
    ).toEqual([false, true]);
    expect(tf.nn.embeddingLookup(x, [1, 1]).toArray()).toEqual([
      [4, 5, 6],
      [4, 5, 6],
    ]);
    const [clipped, norm] = tf.clipByGlobalNorm([tf.constant([3, 4]), undefined], 1);
    expect(norm.item()).toBe(5);
    expect(clipped[1]).toBeUndefined();
    expect(tf.math.topK(x, 1).indices.toArray()).toEqual([[2], [2]]);
    expect(tf.math.reduceMean(x, { axis: 1, keepdims: true }).shape).toEqual([2, 1]);
    expect(tf.argMax(x).toArray()).toEqual([1, 1, 1]);
    expect(x.getShape().asList()).toEqual([2, 3]);
    expect(tf.tidy(() => tf.sum(x)).item()).toBe(21);
    expect(tf.memory().numBytes).toBeGreaterThan(0);
    expect(tf.max(tf.constant([1, Number.NaN])).item()).toBeNaN();
    const v = new tf.Variable([1, 2]);
    v.assignAdd([1, 1]);
    v.assignSub(tf.constant([0, 5]));
    expect(v.toArray()).toEqual([2, -2]);
  });
});
