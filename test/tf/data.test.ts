import { beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, engine, ShapeError } from "../../src/index.ts";
import * as tf from "../../src/tf/index.ts";
import { useFastTarget } from "../keras/golden.ts";

const { Dataset } = tf.data;

beforeAll(useFastTarget);

const items = (dataset: Iterable<tf.Tensor>) => [...dataset].map((element) => element.toArray());

describe("sources", () => {
  test("slices of tensors, arrays, tuples and objects", () => {
    expect(items(Dataset.fromTensorSlices([1, 2, 3]))).toEqual([1, 2, 3]);
    expect(items(Dataset.fromTensorSlices(tf.tensor([1, 2, 3, 4], [2, 2])))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const pairs = Dataset.fromTensorSlices([tf.constant([[1], [2]]), new Int32Array([3, 4])]);
    expect([...pairs].map(([x, y]) => [x.toArray(), y.item()])).toEqual([
      [[1], 3],
      [[2], 4],
    ]);
    const named = Dataset.fromTensorSlices({ x: tf.constant([1, 2]), deep: { y: tf.constant([5, 6]) } });
    expect([...named].map(({ x, deep }) => [x.item(), deep.y.item()])).toEqual([
      [1, 5],
      [2, 6],
    ]);
    expect(() => Dataset.fromTensorSlices([tf.ones([2]), tf.ones([3])])).toThrow(ShapeError);
    expect(() => Dataset.fromTensorSlices(tf.constant(1))).toThrow(/scalar/);
  });

  test("ranges, generators, arrays", async () => {
    expect(items(Dataset.range(5))).toEqual([0, 1, 2, 3, 4]);
    expect(items(Dataset.range(5, 0, -2))).toEqual([5, 3, 1]);
    const generated = Dataset.fromGenerator(function* () {
      yield 1;
      yield 2;
    });
    expect([...generated, ...generated]).toEqual([1, 2, 1, 2]);
    const late = tf.data.generator(async function* () {
      yield 1;
      yield 2;
    });
    expect(await late.map((x) => x * 2).toArrayAsync()).toEqual([2, 4]);
    expect(() => late.toArray()).toThrow(/for await/);
    expect(tf.data.array(["a", "b"]).toArray()).toEqual(["a", "b"]);
  });
});

describe("stages", () => {
  const ten = Dataset.range(10);

  test("map, filter, take, skip, repeat, concatenate, enumerate", async () => {
    expect(items(ten.map((x) => tf.mul(x, x)).take(3))).toEqual([0, 1, 4]);
    expect(items(ten.filter((x) => tf.equal(tf.mod(x, 2), 0)))).toEqual([0, 2, 4, 6, 8]);
    expect(items(ten.skip(7))).toEqual([7, 8, 9]);
    expect(items(ten.take(2).repeat(3))).toEqual([0, 1, 0, 1, 0, 1]);
    expect(items(ten.repeat().take(12)).length).toBe(12);
    expect(items(ten.take(0).repeat())).toEqual([]);
    expect(items(ten.take(2).concatenate(Dataset.range(5, 7)))).toEqual([0, 1, 5, 6]);
    expect([...ten.skip(8).enumerate(1)].map(([i, x]) => [i, x.item()])).toEqual([
      [1, 8],
      [2, 9],
    ]);
    expect(ten.reduce(0, (sum, x) => sum + x.item())).toBe(45);
    const slow = ten.take(2).map(async (x) => tf.add(x, 1));
    expect((await slow.prefetch(2).toArrayAsync()).map((x) => x.item())).toEqual([1, 2]);
    expect(() => slow.toArray()).toThrow(ArgumentError);
  });

  test("batches: stacked, the last one smaller or dropped", () => {
    expect(items(ten.batch(4))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(items(ten.batch(4, { dropRemainder: true })).length).toBe(2);
    expect(items(ten.batch(4, true)).length).toBe(2);
    const tuples = Dataset.fromTensorSlices([tf.ones([5, 2]), tf.range(5)]).map((x, y) => [tf.mul(x, y), y]);
    const [[x, y]] = tuples.batch(3);
    expect([x.toArray(), y.toArray()]).toEqual([
      [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
      [0, 1, 2],
    ]);
    const mixed = tf.data.array([
      { a: 1, b: true },
      { a: 2, b: false },
    ]);
    const [{ a, b }] = mixed.batch(2);
    expect([a.toArray(), b.toArray()]).toEqual([
      [1, 2],
      [true, false],
    ]);
    expect(() =>
      tf.data
        .array([tf.ones([1]), tf.ones([2])])
        .batch(2)
        .toArray(),
    ).toThrow(/cannot be stacked/);
    expect(() => ten.batch(0)).toThrow(ArgumentError);
    expect(items(ten.batch(5).batch(2))[0]).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6, 7, 8, 9],
    ]);
  });

  test("batches of slices are views or one gather: nothing compiled for another shuffle", () => {
    const dataset = Dataset.fromTensorSlices([tf.linspace(0, 99, 100), tf.range(100)]);
    const shuffled = dataset.shuffle(100, 1).batch(10);
    shuffled.toArray();
    const before = engine.stats().compilations;
    for (const [x, y] of shuffled) expect(Array.from(x.dataSync())).toEqual(Array.from(y.dataSync()));
    expect(engine.stats().compilations).toBe(before);
  });

  test("shuffle: every element once, by seed, in another order each pass unless told otherwise", () => {
    const numbers = (dataset: Iterable<tf.Tensor>) => [...dataset].map((x) => x.item());
    const a = ten.shuffle(10, 42);
    const [first, second] = [numbers(a), numbers(a)];
    expect([...first].sort()).toEqual(numbers(ten));
    expect(first).not.toEqual(second);
    const b = ten.shuffle(10, 42);
    expect([numbers(b), numbers(b)]).toEqual([first, second]);
    const same = ten.shuffle(10, { seed: 1, reshuffleEachIteration: false });
    expect(numbers(same)).toEqual(numbers(same));
    // a small buffer moves an element forward by no more than its size
    numbers(Dataset.range(50).shuffle(5, 3)).forEach((value, place) => expect(value).toBeLessThanOrEqual(place + 5));
    tf.random.setSeed(7);
    const seeded = numbers(ten.shuffle(10));
    tf.random.setSeed(7);
    expect(numbers(ten.shuffle(10))).toEqual(seeded);
    expect(numbers(ten.shuffle(4, 1).repeat(2)).length).toBe(20);
  });

  test("zip, cache, cardinality", () => {
    const zipped = Dataset.zip([Dataset.range(3), Dataset.fromTensorSlices([5, 6, 7, 8])]);
    expect([...zipped].map(([a, b]) => [a.item(), b.item()])).toEqual([
      [0, 5],
      [1, 6],
      [2, 7],
    ]);
    expect([...zipped.batch(2)].map(([a, b]) => [a.toArray(), b.toArray()])).toEqual([
      [
        [0, 1],
        [5, 6],
      ],
      [[2], [7]],
    ]);
    const named = tf.data.zip({ a: Dataset.range(2), b: Dataset.range(5) });
    expect([...named].map(({ a, b }) => a.item() + b.item())).toEqual([0, 2]);
    let calls = 0;
    const cached = ten
      .map((x) => {
        calls++;
        return tf.add(x, 1);
      })
      .cache();
    expect(items(cached)).toEqual(items(cached));
    expect(calls).toBe(10);
    expect([
      ten.cardinality(),
      ten.batch(3).cardinality(),
      ten.repeat().cardinality(),
      ten.filter(() => true).cardinality(),
    ]).toEqual([10, 4, Number.POSITIVE_INFINITY, undefined]);
  });

  test("an error in a function of the pipeline comes through, synchronously and asynchronously", async () => {
    const broken = ten.map((x) => {
      if (x.item() === 3) throw new RangeError("element 3");
      return x;
    });
    expect(() => broken.toArray()).toThrow("element 3");
    await expect(broken.prefetch(4).toArrayAsync()).rejects.toThrow("element 3");
  });
});

test("a dataset trains a Keras model", async () => {
  const { models, layers } = tf.keras;
  const x = tf.linspace(-1, 1, 64).reshape([64, 1]);
  const dataset = Dataset.fromTensorSlices([x, tf.mul(x, 3)])
    .shuffle(64, 0)
    .batch(16)
    .prefetch(2);
  const model = new models.Sequential();
  model.add(new layers.Dense(1, { inputShape: [1] }));
  model.compile({ optimizer: new tf.optimizers.SGD(0.3), loss: "mse" });
  const history = await model.fit(dataset, undefined, { epochs: 5, verbose: 0 });
  const losses = history.history.loss;
  expect(losses[4]).toBeLessThan(losses[0] / 4);
});

describe("pipelines of pipelines", () => {
  const range = (...bounds: [number, number?, number?]) => Dataset.range(...bounds);
  const ofNumber = (x: tf.Tensor): number => x.item();

  test("flatMap, synchronous and not", async () => {
    const flat = range(3).flatMap((x) => range(ofNumber(x) + 1));
    expect(items(flat)).toEqual([0, 0, 1, 0, 1, 2]);
    const late = range(3).flatMap(async (x) => range(ofNumber(x) + 1));
    expect((await late.toArrayAsync()).map(ofNumber)).toEqual([0, 0, 1, 0, 1, 2]);
    expect(() => late.toArray()).toThrow(/for await/);
    const pairs = Dataset.fromTensorSlices([tf.constant([1, 2]), tf.constant([3, 4])]);
    expect(items(pairs.flatMap((a, b) => Dataset.fromTensorSlices(tf.stack([a, b]))))).toEqual([1, 3, 2, 4]);
    expect(() => items(range(1).flatMap((() => 3) as never))).toThrow(
      "the function must give a Dataset, received number",
    );
  });

  // values from TensorFlow 2.21
  test("interleave takes turns as TensorFlow does", async () => {
    const six = range(1, 6).interleave((x) => Dataset.fromTensors(x).repeat(6), { cycleLength: 2, blockLength: 4 });
    const expected = "1 1 1 1 2 2 2 2 1 1 2 2 3 3 3 3 4 4 4 4 3 3 4 4 5 5 5 5 5 5".split(" ").map(Number);
    expect(items(six)).toEqual(expected);
    expect((await six.toArrayAsync()).map(ofNumber)).toEqual(expected);
    expect(items(range(5).interleave((x) => range(ofNumber(x)), { cycleLength: 3, blockLength: 2 }))).toEqual([
      0, 0, 1, 0, 1, 0, 1, 2, 2, 3,
    ]);
    const tens = range(4).interleave((x) => range(10 * ofNumber(x), 10 * ofNumber(x) + 3), { cycleLength: 4 });
    expect(items(tens)).toEqual([0, 10, 20, 30, 1, 11, 21, 31, 2, 12, 22, 32]);
    expect(items(tens.take(2))).toEqual([0, 10]);
    expect(() => range(4).interleave(() => range(1), { cycleLength: 0 })).toThrow(ArgumentError);
  });

  test.each([
    [
      [3, {}],
      [
        [0, 1, 2],
        [3, 4, 5],
        [6, 7],
      ],
    ],
    [
      [3, { shift: 1 }],
      [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7], [6, 7], [7]],
    ],
    [
      [3, { shift: 2, stride: 2 }],
      [[0, 2, 4], [2, 4, 6], [4, 6], [6]],
    ],
    [
      [2, { shift: 3 }],
      [
        [0, 1],
        [3, 4],
        [6, 7],
      ],
    ],
    [
      [3, { shift: 1, dropRemainder: true }],
      [
        [0, 1, 2],
        [1, 2, 3],
        [2, 3, 4],
        [3, 4, 5],
        [4, 5, 6],
        [5, 6, 7],
      ],
    ],
    [
      [3, { shift: 2, stride: 2, dropRemainder: true }],
      [
        [0, 2, 4],
        [2, 4, 6],
      ],
    ],
    [[4, { shift: 3, stride: 2, dropRemainder: true }], [[0, 2, 4, 6]]],
    [
      [5, { shift: 4 }],
      [
        [0, 1, 2, 3, 4],
        [4, 5, 6, 7],
      ],
    ],
  ] as const)("windows %j of 8 elements", ([size, options], expected) => {
    const windows = range(8).window(size, options);
    expect([...windows].map(items)).toEqual(expected);
    expect(windows.cardinality()).toBe(expected.length);
  });

  test("windows of tuples and objects are windows of their parts; unbatch", () => {
    const pairs = Dataset.fromTensorSlices([tf.constant([1, 2, 3]), tf.constant([4, 5, 6])]).window(2);
    expect([...pairs].map(([a, b]) => [items(a), items(b)])).toEqual([
      [
        [1, 2],
        [4, 5],
      ],
      [[3], [6]],
    ]);
    const zips = pairs.flatMap((a, b) => Dataset.zip([a.batch(2), b.batch(2)]));
    expect([...zips].map(([a, b]) => [a.toArray(), b.toArray()])).toEqual([
      [
        [1, 2],
        [4, 5],
      ],
      [[3], [6]],
    ]);
    const named = Dataset.fromTensorSlices({ x: tf.constant([1, 2, 3]) }).window(2, { dropRemainder: true });
    expect([...named].map(({ x }) => items(x))).toEqual([[1, 2]]);
    expect(items(range(6).batch(4).unbatch())).toEqual([0, 1, 2, 3, 4, 5]);
    const back = Dataset.fromTensorSlices([tf.ones([5, 2]), tf.zeros([5])])
      .batch(2)
      .unbatch();
    expect([...back].map(([a, b]) => [a.shape, b.shape])).toEqual(new Array(5).fill([[2], []]));
  });
});
