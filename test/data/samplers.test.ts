import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BatchSampler,
  ConcatDataset,
  Dataset,
  defaultCollate,
  HostRandom,
  Image,
  RandomSampler,
  randomSplit,
  SequentialSampler,
  Subset,
  SubsetRandomSampler,
  TensorDataset,
  WeightedRandomSampler,
} from "../../src/data/index.ts";
import { ArgumentError, DataError, IndexRangeError, ShapeError } from "../../src/errors.ts";
import { Generator, setRandomSeed, Tensor, tensor, Variable } from "../../src/tensor/index.ts";

class Numbers extends Dataset<number> {
  readonly length: number;
  constructor(length: number) {
    super();
    this.length = length;
  }
  get(index: number): number {
    return index * 10;
  }
}

describe("HostRandom", () => {
  test("a key's numbers are its own and always the same", () => {
    const draw = (...key: [number, number, number]) =>
      Array.from({ length: 4 }, (_, i, random = new HostRandom(...key)) => random.bits() + i);
    expect(draw(1, 2, 3)).toEqual(draw(1, 2, 3));
    const keys = [0, 1, 2, 3].flatMap((seed) =>
      [0, 1, 2].flatMap((epoch) => [0, 1, 2].map((index) => [seed, epoch, index] as const)),
    );
    expect(new Set(keys.map((key) => new HostRandom(...key).bits())).size).toBe(keys.length);
  });

  test("uniform, integer, normal and chance have their moments, across keys as well as within one", () => {
    const count = 20_000;
    for (const next of [(_: number, one: HostRandom) => one, (index: number) => new HostRandom(9, 1, index)]) {
      const one = new HostRandom(5);
      let [sum, squares, normals, normalSquares, heads] = [0, 0, 0, 0, 0];
      const histogram = new Array<number>(10).fill(0);
      for (let index = 0; index < count; index++) {
        const random = next(index, one);
        const uniform = random.uniform();
        sum += uniform;
        squares += uniform * uniform;
        histogram[random.integer(10)]! += 1;
        const normal = random.normal();
        normals += normal;
        normalSquares += normal * normal;
        heads += Number(random.chance(0.3));
      }
      expect(sum / count).toBeCloseTo(0.5, 1.8);
      expect(squares / count).toBeCloseTo(1 / 3, 1.8);
      for (const bin of histogram) expect(Math.abs(bin - count / 10)).toBeLessThan(5 * Math.sqrt(count / 10));
      expect(Math.abs(normals / count)).toBeLessThan(0.04);
      expect(normalSquares / count).toBeCloseTo(1, 1);
      expect(heads / count).toBeCloseTo(0.3, 1.6);
    }
  });

  test("permutations hold every number once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.integer(), (count, seed) => {
        expect(Array.from(new HostRandom(seed).permutation(count)).sort((a, b) => a - b)).toEqual(
          Array.from({ length: count }, (_, i) => i),
        );
      }),
      { numRuns: 20 },
    );
    expect(() => new HostRandom(1).integer(0)).toThrow(ArgumentError);
  });
});

describe("samplers", () => {
  test("sequential, and batches of it", () => {
    const sampler = new SequentialSampler(new Numbers(5));
    expect([...sampler]).toEqual([0, 1, 2, 3, 4]);
    expect([...new BatchSampler(sampler, 2)]).toEqual([[0, 1], [2, 3], [4]]);
    expect(new BatchSampler(sampler, 2).length).toBe(3);
    expect([...new BatchSampler(sampler, 2, true)]).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(new BatchSampler(sampler, 2, true).length).toBe(2);
    expect(() => new BatchSampler(sampler, 0)).toThrow(ArgumentError);
  });

  test("random: each once, another order each pass, the same for a seed", () => {
    const passes = (seed: number) => {
      const sampler = new RandomSampler(new Numbers(50), { generator: new Generator(seed) });
      return [[...sampler], [...sampler]];
    };
    const [first, second] = passes(1);
    expect([...first!].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(second).not.toEqual(first);
    expect(passes(1)).toEqual([first, second]);
    expect(passes(2)[0]).not.toEqual(first);
  });

  test("without a generator the default one decides", () => {
    const pass = () => {
      setRandomSeed(3);
      return [...new RandomSampler(new Numbers(20))];
    };
    expect(pass()).toEqual(pass());
  });

  test("random: replacement and numbers of draws", () => {
    const drawn = [
      ...new RandomSampler(new Numbers(5), { replacement: true, numSamples: 40, generator: new Generator(1) }),
    ];
    expect(drawn.length).toBe(40);
    expect(new Set(drawn)).toEqual(new Set([0, 1, 2, 3, 4]));
    const longer = [...new RandomSampler(new Numbers(4), { numSamples: 10, generator: new Generator(1) })];
    expect(longer.length).toBe(10);
    expect(new Set(longer.slice(0, 4)).size).toBe(4);
    expect(new Set(longer.slice(4, 8)).size).toBe(4);
    expect([...new RandomSampler(new Numbers(0))]).toEqual([]);
    expect(() => new RandomSampler(new Numbers(4), { numSamples: -1 })).toThrow("numSamples");
  });

  test("subset and weights", () => {
    const subset = new SubsetRandomSampler([7, 3, 9], { generator: new Generator(1) });
    expect([...subset].sort()).toEqual([3, 7, 9]);
    const weighted = new WeightedRandomSampler([0, 1, 3], 8000, { generator: new Generator(1) });
    const drawn = [...weighted];
    expect(drawn.filter((index) => index === 0).length).toBe(0);
    expect(drawn.filter((index) => index === 2).length / 8000).toBeCloseTo(0.75, 1.5);
    const without = new WeightedRandomSampler([0, 1, 3], 2, { replacement: false, generator: new Generator(1) });
    expect([...without].sort()).toEqual([1, 2]);
    expect(() => new WeightedRandomSampler([0, 1, 3], 3, { replacement: false })).toThrow(
      "3 draws without replacement from 2",
    );
    expect(() => new WeightedRandomSampler([1, -1], 3)).toThrow(ArgumentError);
  });

  test("a saved pass is repeated, and what follows goes on", () => {
    const make = () => new RandomSampler(new Numbers(30), { generator: new Generator(8) });
    const original = make();
    const iterator = original[Symbol.iterator]();
    iterator.next();
    const state = structuredClone(original.stateDict());
    const rest = [
      ...(function* () {
        for (let next = iterator.next(); !next.done; next = iterator.next()) yield next.value;
      })(),
    ];
    const following = [...original];
    const restored = make();
    restored.loadStateDict(state);
    expect([...restored].slice(1)).toEqual(rest);
    expect([...restored]).toEqual(following);
  });
});

describe("data sets", () => {
  test("TensorDataset: rows, views of consecutive rows, gathers of others", () => {
    const x = tensor(
      Float32Array.from({ length: 100 }, (_, i) => i),
      { shape: [50, 2] },
    );
    const y = tensor(Int32Array.from({ length: 50 }, (_, i) => i * i));
    const data = new TensorDataset(x, y);
    expect(data.length).toBe(50);
    const [row, label] = data.get(3);
    expect([row.toArray(), label.item(), label.shape]).toEqual([[6, 7], 9, []]);
    expect(data.getBatch([4, 5])[0]!.toArray()).toEqual([
      [8, 9],
      [10, 11],
    ]);
    expect(data.getBatch([5, 4, 49]).map((part) => part.toArray())).toEqual([
      [
        [10, 11],
        [8, 9],
        [98, 99],
      ],
      [25, 16, 2401],
    ]);
    const collated = defaultCollate([data.get(5), data.get(4)]);
    expect(collated.map((part) => part.toArray())).toEqual(data.getBatch([5, 4]).map((part) => part.toArray()));
    expect(() => data.get(50)).toThrow(IndexRangeError);
    expect(() => data.getBatch([0, 50])).toThrow(IndexRangeError);
    expect(() => new TensorDataset(x, tensor([1]))).toThrow(ShapeError);
    expect(() => new TensorDataset()).toThrow(ArgumentError);
  });

  test("TensorDataset computes pending tensors once and keeps what variables were", () => {
    const variable = new Variable(new Float32Array(40));
    const data = new TensorDataset(variable, tensor(new Float32Array(40)).add(1));
    variable.assign(new Float32Array(40).fill(5));
    expect(variable.dataSync()[0]).toBe(5);
    expect(data.get(0).map((part) => part.item())).toEqual([0, 1]);
  });

  test("Subset, ConcatDataset, randomSplit", () => {
    const subset = new Subset(new Numbers(10), [9, 1]);
    expect([subset.length, subset.get(0), subset.get(-1)]).toEqual([2, 90, 10]);
    const both = subset.concat(new Numbers(3));
    expect(both).toBeInstanceOf(ConcatDataset);
    expect(Array.from({ length: both.length }, (_, i) => both.get(i))).toEqual([90, 10, 0, 10, 20]);
    expect(() => both.get(5)).toThrow(IndexRangeError);
    const split = (generator = new Generator(4)) => randomSplit(new Numbers(10), [0.7, 0.2, 0.1], { generator });
    expect(split().map(({ length }) => length)).toEqual([7, 2, 1]);
    expect(split().map(({ indices }) => indices)).toEqual(split().map(({ indices }) => indices));
    expect(
      split()
        .flatMap(({ indices }) => indices)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 10 }, (_, i) => i));
    expect(randomSplit(new Numbers(10), [0.5, 0.25, 0.25]).map(({ length }) => length)).toEqual([6, 2, 2]);
    expect(randomSplit(new Numbers(10), [4, 6]).map(({ length }) => length)).toEqual([4, 6]);
    expect(() => randomSplit(new Numbers(10), [4, 5])).toThrow("add up to 9, the data set has 10");
  });
});

describe("defaultCollate", () => {
  test("keeps the structure", () => {
    const batch = defaultCollate([
      {
        x: tensor([1, 2]),
        label: 3,
        weight: 0.5,
        name: "a",
        flag: true,
        pair: [1, 2.5] as const,
        raw: new Uint8Array([1]),
      },
      {
        x: tensor([3, 4]),
        label: 4,
        weight: 1,
        name: "b",
        flag: false,
        pair: [2, 3] as const,
        raw: new Uint8Array([2]),
      },
    ]);
    expect(batch.x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect([batch.label.dtype, batch.label.toArray()]).toEqual(["i32", [3, 4]]);
    expect([batch.weight.dtype, batch.weight.toArray()]).toEqual(["f32", [0.5, 1]]);
    expect(batch.name).toEqual(["a", "b"]);
    expect([batch.flag.dtype, batch.flag.toArray()]).toEqual(["bool", [true, false]]);
    expect(batch.pair.map((part) => part.dtype)).toEqual(["i32", "f32"]);
    expect([batch.raw.dtype, batch.raw.shape]).toEqual(["u8", [2, 1]]);
  });

  test("says what differs", () => {
    expect(() => defaultCollate([tensor([1, 2]), tensor([1])])).toThrow(ShapeError);
    expect(() => defaultCollate([tensor([1, 2]), tensor([1, 2], { dtype: "i32" })])).toThrow("example 1 i32 [2]");
    expect(() => defaultCollate([[1, 2], [1]])).toThrow("as many entries as the first (2); example 1 has 1");
    expect(() => defaultCollate([{ a: 1 }, { b: 1 }])).toThrow('example 1 has no "a"');
    expect(() => defaultCollate([1, "a"])).toThrow(DataError);
    expect(() => defaultCollate([])).toThrow("no examples");
    expect(() => defaultCollate([new Image(1, 1, 1)])).toThrow("ToTensor");
    expect(() => defaultCollate([null])).toThrow("received null");
    expect(() => defaultCollate([Promise.resolve(1)])).toThrow("must be synchronous");
  });

  test("stacks what has no elements and scalars", () => {
    expect(defaultCollate([tensor([]), tensor([])]).shape).toEqual([2, 0]);
    expect(defaultCollate([tensor(1), tensor(2)]).toArray()).toEqual([1, 2]);
    expect(defaultCollate([tensor(1)])).toBeInstanceOf(Tensor);
  });
});
