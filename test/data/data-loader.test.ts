import { describe, expect, expectTypeOf, test } from "vitest";
import {
  BatchSampler,
  DataLoader,
  Dataset,
  IterableDataset,
  RandomSampler,
  SequentialSampler,
  sampleRandom,
  TensorDataset,
} from "../../src/data/index.ts";
import { ArgumentError } from "../../src/errors.ts";
import { Generator, randomUniform, setRandomSeed, type Tensor, tensor } from "../../src/tensor/index.ts";

class Noisy extends Dataset<[Tensor, number]> {
  readonly length = 10;
  get(index: number): [Tensor, number] {
    return [tensor([index, sampleRandom().uniform()]), index];
  }
}
class Counting extends IterableDataset<number> {
  readonly count: number;
  constructor(count: number) {
    super();
    this.count = count;
  }
  *[Symbol.iterator]() {
    for (let index = 0; index < this.count; index++) yield index + sampleRandom().uniform() / 2;
  }
}
const labels = (loader: Iterable<readonly [Tensor, Tensor]>) => [...loader].map(([, y]) => y.toArray());
const everything = (loader: Iterable<readonly [Tensor, Tensor]>) =>
  [...loader].map(([x, y]) => [x.toArray(), y.toArray()]);

describe("DataLoader in this thread", () => {
  test("batches in order; types follow from the data set", () => {
    const loader = new DataLoader(new Noisy(), { batchSize: 4 });
    expect(labels(loader)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(loader.length).toBe(3);
    for (const [x, y] of loader) {
      expectTypeOf(x).toEqualTypeOf<Tensor>();
      expectTypeOf(y).toEqualTypeOf<Tensor>();
    }
    const dropped = new DataLoader(new Noisy(), { batchSize: 4, dropLast: true });
    expect(labels(dropped)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    expect(dropped.length).toBe(2);
    expect(labels(new DataLoader(new Noisy())).length).toBe(10);
    const pairs = new DataLoader(new TensorDataset(tensor([[1], [2]]), tensor([3, 4])), { batchSize: 2 });
    for (const [x, y] of pairs)
      expect([x.toArray(), y.toArray()]).toEqual([
        [[1], [2]],
        [3, 4],
      ]);
    const named = new DataLoader(
      [
        { x: tensor([1]), name: "a" },
        { x: tensor([2]), name: "b" },
      ],
      { batchSize: 2 },
    );
    for (const batch of named) {
      expectTypeOf(batch).toEqualTypeOf<{ x: Tensor; name: string[] }>();
      expect(batch.name).toEqual(["a", "b"]);
    }
  });

  test("for await gives the same", async () => {
    const loader = new DataLoader(new Noisy(), { batchSize: 4, shuffle: true, seed: 1 });
    const sync = everything(loader);
    loader.setEpoch(0);
    const received: unknown[] = [];
    for await (const [x, y] of loader) received.push([x.toArray(), y.toArray()]);
    expect(received).toEqual(sync);
  });

  test("shuffling and augmentation: other ones each epoch, the same for a seed", () => {
    const run = (seed: number) => {
      const loader = new DataLoader(new Noisy(), { batchSize: 3, shuffle: true, seed });
      return [everything(loader), everything(loader)];
    };
    const [first, second] = run(1);
    expect(second).not.toEqual(first);
    expect(run(1)).toEqual([first, second]);
    expect(run(2)[0]).not.toEqual(first);
    const noise = (epochs: unknown[]) =>
      epochs.flatMap((batch) => (batch as [number[][], number[]])[0]).sort((a, b) => a[0]! - b[0]!);
    expect(noise(first as unknown[])).not.toEqual(noise(second as unknown[]));
  });

  test("the seed comes from the generator, or the default one", () => {
    const own = () =>
      labels(new DataLoader(new Noisy(), { shuffle: true, batchSize: 10, generator: new Generator(7) }));
    expect(own()).toEqual(own());
    const global = () => {
      setRandomSeed(11);
      return labels(new DataLoader(new Noisy(), { shuffle: true, batchSize: 10 }));
    };
    expect(global()).toEqual(global());
  });

  test("random tensors of an example are keyed too, and the program's own go on undisturbed", () => {
    class Random extends Dataset<Tensor> {
      readonly length = 4;
      get(): Tensor {
        return randomUniform([20]);
      }
    }
    const run = (between: boolean) => {
      setRandomSeed(1);
      if (between) [...new DataLoader(new Random(), { seed: 5 })];
      const own = randomUniform([3]).toArray();
      return { own, batches: [...new DataLoader(new Random(), { seed: 5 })].map((batch) => batch.toArray()) };
    };
    expect(run(true)).toEqual(run(false));
    const { batches } = run(false);
    expect(new Set(batches.map((batch) => JSON.stringify(batch))).size).toBe(4);
  });

  test("collateFn, samplers, batchSampler, no batches", () => {
    const joined = new DataLoader(new Noisy(), {
      batchSize: 5,
      collateFn: (samples) => samples.map(([, label]) => label).join(""),
    });
    expectTypeOf(joined).toEqualTypeOf<DataLoader<[Tensor, number], string>>();
    expect([...joined]).toEqual(["01234", "56789"]);
    const sampler = { length: 3, [Symbol.iterator]: () => [9, 0, 9][Symbol.iterator]() };
    expect(labels(new DataLoader(new Noisy(), { sampler, batchSize: 2 }))).toEqual([[9, 0], [9]]);
    const batchSampler = new BatchSampler(new SequentialSampler(new Noisy()), 7);
    const grouped = new DataLoader(new Noisy(), { batchSampler });
    expect([labels(grouped).map((batch) => (batch as number[]).length), grouped.length]).toEqual([[7, 3], 2]);
    const single = new DataLoader<[Tensor, number], [Tensor, number]>(new Noisy(), { batchSize: null });
    expect([...single].map(([, label]) => label)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("streams", () => {
    const batches = [...new DataLoader(new Counting(7), { batchSize: 3, seed: 1 })].map(
      (batch) => batch.toArray() as number[],
    );
    expect(batches.map((batch) => batch.map(Math.floor))).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect([...new DataLoader(new Counting(7), { batchSize: 3, dropLast: true })].length).toBe(2);
    expect(() => new DataLoader(new Counting(7)).length).toThrow("a stream has no length");
    expect(() => new DataLoader(new Counting(7), { shuffle: true })).toThrow("a stream has an order of its own");
    let closed = 0;
    const stream = {
      *[Symbol.iterator]() {
        try {
          for (;;) yield 1;
        } finally {
          closed++;
        }
      },
    };
    for (const _ of new DataLoader(stream, { batchSize: 2 })) break;
    expect(closed).toBe(1);
  });

  test("an error of the data set is thrown as it is", () => {
    const broken = {
      length: 4,
      get(index: number) {
        if (index === 2) throw new RangeError("broken");
        return index;
      },
    };
    const seen: unknown[] = [];
    expect(() => {
      for (const batch of new DataLoader(broken, { batchSize: 2 })) seen.push(batch.toArray());
    }).toThrow(RangeError);
    expect(seen).toEqual([[0, 1]]);
  });

  test("contradicting options are refused", () => {
    const data = new Noisy();
    const sampler = new SequentialSampler(data);
    const batchSampler = new BatchSampler(sampler, 2);
    expect(() => new DataLoader(data, { batchSize: 0 })).toThrow(ArgumentError);
    expect(() => new DataLoader(data, { sampler, shuffle: true })).toThrow("sampler or shuffle");
    expect(() => new DataLoader(data, { batchSampler, batchSize: 2 })).toThrow("batchSize cannot be given with it");
    expect(() => new DataLoader(data, { numWorkers: 2 })).toThrow("cannot move to another thread");
    expect(() => new DataLoader(data, { timeout: 2 })).toThrow("numWorkers is 0");
    expect(() => new DataLoader(data, { batchSize: null, dropLast: true })).toThrow("dropLast");
    expect(() => new DataLoader(data, { seed: 0.5 })).toThrow("seed must be an integer");
    expect(() => new DataLoader({} as Noisy)).toThrow("length and get(index)");
    expect(() => new DataLoader("file:///nowhere/data.js", { numWorkers: 1 })).toThrow("does not exist");
    expect(() => new DataLoader(import.meta.url, { numWorkers: 0 })).toThrow("numWorkers of at least 1");
    expect(() => new DataLoader(data).setEpoch(-1)).toThrow(ArgumentError);
    expect(() => new DataLoader(data).loadStateDict({ seed: 1, epoch: -1, position: 0 })).toThrow(
      "not the state of a loader",
    );
  });
});

describe("resuming in the middle of an epoch", () => {
  const samplers = {
    shuffle: () => new DataLoader(new Noisy(), { batchSize: 3, shuffle: true, generator: new Generator(3) }),
    "in order": () => new DataLoader(new Noisy(), { batchSize: 3, seed: 3 }),
    "a random sampler of its own": () =>
      new DataLoader(new Noisy(), {
        batchSize: 3,
        seed: 3,
        sampler: new RandomSampler(new Noisy(), { generator: new Generator(9) }),
      }),
    "a stream": () => new DataLoader(new Counting(10), { batchSize: 3, seed: 3 }),
  };
  test.each(Object.keys(samplers) as (keyof typeof samplers)[])(
    "%s: the rest and what follows, bit for bit",
    (name) => {
      const make = samplers[name] as () => DataLoader<unknown, Tensor | Tensor[]>;
      const show = (batch: Tensor | Tensor[]) => [batch].flat().map((part) => part.toArray());
      for (const stop of [1, 3, 4, 6]) {
        const loader = make();
        const rest: unknown[] = [];
        let state: ReturnType<typeof loader.stateDict> | undefined;
        for (let epoch = 0, count = 0; epoch < 3; epoch++) {
          for (const batch of loader) {
            count++;
            if (state) rest.push(show(batch));
            if (count === stop) state = structuredClone(loader.stateDict());
          }
        }
        const resumed = make();
        resumed.loadStateDict(JSON.parse(JSON.stringify(state)) as NonNullable<typeof state>);
        const again: unknown[] = [];
        for (let epoch = state!.epoch; epoch < 3; epoch++) for (const batch of resumed) again.push(show(batch));
        expect(again, `after ${stop}`).toEqual(rest);
      }
    },
  );

  test("after an epoch the state is the start of the next", () => {
    const loader = new DataLoader(new Noisy(), { batchSize: 3, shuffle: true, seed: 3 });
    for (const _ of loader);
    expect(loader.stateDict()).toMatchObject({ seed: 3, epoch: 1, position: 0 });
    for (const _ of loader) break;
    expect(loader.stateDict()).toMatchObject({ epoch: 1, position: 1 });
    loader.setEpoch(5);
    expect(loader.stateDict()).toMatchObject({ epoch: 5, position: 0 });
  });
});
