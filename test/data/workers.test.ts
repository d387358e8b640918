import { spawnSync } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { DataLoader, type DataLoaderOptions, DatasetError } from "../../src/data/index.ts";
import { DataError } from "../../src/errors.ts";
import type { Tensor } from "../../src/tensor/index.ts";
import createDataset, { type Options } from "./fixtures/noisy-squares.ts";

type Example = { x: Tensor; noise: Tensor; label: number; name: string };
type Batch = { x: Tensor; noise: Tensor; label: Tensor; name: string[] };
const url = new URL("./fixtures/noisy-squares.ts", import.meta.url);

const open: { close(): void }[] = [];
function threaded(
  options: DataLoaderOptions<Example, Batch> & { datasetOptions?: Options },
): DataLoader<Example, Batch> {
  const loader = new DataLoader<Example, Batch>(url, options);
  open.push(loader);
  return loader;
}
afterEach(() => {
  for (const loader of open.splice(0)) loader.close();
});

const show = (batch: Batch) => [batch.x.toArray(), batch.noise.toArray(), batch.label.toArray(), batch.name];
const common = { batchSize: 3, shuffle: true, seed: 5 } as const;
const local = () =>
  new DataLoader(createDataset() as unknown as { length: number; get(index: number): Example }, common);
function errorOf(body: () => void): Error {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe("workers", () => {
  test("any number of them gives the same batches as this thread, with for…of and for await, epoch after epoch", async () => {
    const whole = local();
    const expected = [[...whole].map(show), [...whole].map(show)];
    expect(expected[0]).not.toEqual(expected[1]);
    for (const numWorkers of [1, 3]) {
      const loader = threaded({ ...common, numWorkers, persistentWorkers: true, prefetchFactor: numWorkers });
      expect(loader.length).toBe(7);
      expect([...loader].map(show)).toEqual(expected[0]);
      const received: unknown[] = [];
      for await (const batch of loader) received.push(show(batch));
      expect(received).toEqual(expected[1]);
      if (numWorkers > 1) continue;
      // a loop within a loop has workers of its own
      loader.setEpoch(0);
      for (const outer of loader) {
        expect(show(outer)).toEqual(expected[0]![0]);
        expect([...loader].map(show)).toEqual(expected[1]);
        break;
      }
    }
  });

  test("streams too", () => {
    type Pairs = [Tensor, Tensor];
    const stream = createDataset({ stream: true, count: 17 }) as unknown as Iterable<[number, number]>;
    const values = (loader: Iterable<Pairs>) => [...loader].map((parts) => parts.map((part) => part.toArray()));
    const expected = values(new DataLoader<[number, number], Pairs>(stream, { batchSize: 3, seed: 2 }));
    const loader = new DataLoader<[number, number], Pairs>(url, {
      ...{ batchSize: 3, seed: 2, numWorkers: 2 },
      datasetOptions: { stream: true, count: 17 },
    });
    expect(values(loader)).toEqual(expected);
    expect(expected.length).toBe(6);
    // workers that are not kept start again for the next epoch
    expect(values(loader).length).toBe(6);
    const shuffled = threaded({ shuffle: true, numWorkers: 1, datasetOptions: { stream: true } });
    expect(() => [...shuffled]).toThrow("a stream has an order of its own");
  });

  test("the rest of an epoch after a resume, with another number of workers", () => {
    const expected = [...local()].map(show);
    const first = threaded({ ...common, numWorkers: 1 });
    let state: ReturnType<typeof first.stateDict> | undefined;
    for (const _ of first) {
      state = first.stateDict();
      if (state.position === 4) break;
    }
    const resumed = threaded({ ...common, seed: undefined, numWorkers: 2 });
    resumed.loadStateDict(state!);
    expect([...resumed].map(show)).toEqual(expected.slice(4));
  });

  test("collation in the worker by name, in this thread by function; initializer", () => {
    const there = new DataLoader<Example, string>(url, {
      ...{ batchSize: 5, numWorkers: 2, collateFn: "workerNames", workerInitFn: "initialize" },
      datasetOptions: { count: 12 },
    });
    expect([...there]).toEqual(["0,1,2,3,4 by 0 of 2, 0", "5,6,7,8,9 by 1 of 2, 1", "10,11 by 0 of 2, 0"]);
    const here = new DataLoader<Example, string>(url, {
      ...{ batchSize: 5, numWorkers: 1, collateFn: (samples: Example[]) => samples.map(({ x }) => x.shape).join(" ") },
      datasetOptions: { count: 6 },
    });
    expect([...here]).toEqual(["2 2 2 2 2", "2"]);
  });
});

describe("what goes wrong in a worker", () => {
  test("an example that throws: its stack, its index, and the loop ends", () => {
    const seen: unknown[] = [];
    const loader = threaded({ batchSize: 3, numWorkers: 1, datasetOptions: { failAt: 7, failure: "throw" } });
    const error = errorOf(() => {
      for (const { label } of loader) seen.push(label.toArray());
    });
    expect(seen).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(error).toBeInstanceOf(DatasetError);
    expect((error as DatasetError).index).toBe(7);
    expect(error.message).toContain("RangeError in worker 0 at example 7: this example is broken");
    expect(error.message).toMatch(/at NoisySquares\.get \(.*noisy-squares\.ts:\d+/);
  });

  test("the same with for await", async () => {
    const loader = threaded({ batchSize: 3, numWorkers: 1, datasetOptions: { failAt: 7, failure: "throw" } });
    await expect(async () => {
      for await (const _ of loader);
    }).rejects.toThrow(DatasetError);
  });

  test("a worker that exits, with both loops", async () => {
    const options = { batchSize: 3, numWorkers: 1, datasetOptions: { failAt: 7, failure: "exit" } } as const;
    expect(errorOf(() => [...threaded(options)]).message).toContain("the thread ended with code 3");
    await expect(async () => {
      for await (const _ of threaded(options));
    }).rejects.toThrow("the thread ended with code 3");
  });

  test("one that never answers: the timeout", () => {
    const options = {
      batchSize: 3,
      numWorkers: 1,
      timeout: 0.3,
      datasetOptions: { failAt: 0, failure: "hang" },
    } as const;
    // starting takes longer than this timeout on a busy machine: then that is what is said
    const error = errorOf(() => [...threaded(options)]);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain("within the timeout of 0.3 s");
  });

  test("a factory that throws, is missing, or makes no data set; examples that have no batch", () => {
    expect(errorOf(() => [...threaded({ numWorkers: 1, datasetOptions: { failAt: -1 } })]).message).toContain(
      "TypeError in worker 0: no data here",
    );
    const other = new DataLoader(pathToFileURL(fileURLToPath(new URL("../../src/errors.ts", import.meta.url))), {
      numWorkers: 1,
    });
    expect(errorOf(() => [...other]).message).toContain('no function "createDataset" among its exports');
    expect(
      errorOf(() => [...threaded({ numWorkers: 1, batchSize: 2, datasetOptions: { failure: "images" } })]).message,
    ).toContain("ToTensor");
    expect(
      errorOf(() => threaded({ numWorkers: 1, datasetOptions: { count: (() => 1) as unknown as number } }).length)
        .message,
    ).toContain("use plain data");
  });
});

test("a process that leaves a loop early, or forgets an iterator, exits by itself", () => {
  const script = `
    import { DataLoader } from ${JSON.stringify(new URL("../../src/data/index.ts", import.meta.url).href)};
    const options = { numWorkers: 1, datasetOptions: { failAt: 9, failure: "hang" } };
    for (const { name } of new DataLoader(${JSON.stringify(url.href)}, options)) { console.log(name[0]); break; }
    const kept = new DataLoader(${JSON.stringify(url.href)}, { ...options, persistentWorkers: true });
    console.log(kept[Symbol.iterator]().next().value.name[0]);
    for await (const { name } of new DataLoader(${JSON.stringify(url.href)}, options)) { console.log(name[0]); break; }
  `;
  const result = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
    encoding: "utf8",
  });
  expect(result.stdout.trim().split("\n"), result.stderr).toEqual(["example 0", "example 0", "example 0"]);
  expect(result.status).toBe(0);
});
