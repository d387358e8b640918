import { describe, expect, test } from "vitest";
import { tensor } from "../../src/tensor/index.ts";
import { ArraySource, type Batch, type BatchSource, splitRow } from "../../src/train/batches.ts";
import { Breather } from "../../src/train/breather.ts";
import { EpochFeeder, type LoopEvents, runFit } from "../../src/train/loop.ts";

const batch = (size: number): Batch => ({ examples: { x: tensor(new Float32Array(size)) }, size });
const source = (sizes: readonly number[]): BatchSource => ({
  steps: undefined,
  count: undefined,
  batches: () => sizes.map(batch)[Symbol.iterator](),
});
async function sizes(feeder: EpochFeeder): Promise<number[]> {
  const found: number[] = [];
  for await (const { size } of feeder.epoch()) found.push(size);
  return found;
}

describe("EpochFeeder", () => {
  test("an epoch is a pass; the number of steps is known after the first", async () => {
    const feeder = new EpochFeeder(source([3, 2, 1]), undefined, () => {});
    expect(feeder.steps).toBeUndefined();
    expect(await sizes(feeder)).toEqual([3, 2, 1]);
    expect(feeder.steps).toBe(3);
    expect(await sizes(feeder)).toEqual([3, 2, 1]);
  });
  test("with fixed steps the pass goes on in the next epoch, and starts over at its end", async () => {
    const warnings: string[] = [];
    const feeder = new EpochFeeder(source([5, 4, 3, 2, 1]), 2, (message) => warnings.push(message));
    expect([await sizes(feeder), await sizes(feeder)]).toEqual([
      [5, 4],
      [3, 2],
    ]);
    expect(await sizes(feeder)).toEqual([1]);
    expect(warnings.length).toBe(1);
    expect(await sizes(feeder)).toEqual([5, 4]);
    feeder.reset();
    expect(await sizes(feeder)).toEqual([5, 4]);
  });
});

test("ArraySource divides with a short last batch; steps give the batch size", () => {
  const examples = { x: tensor(new Float32Array(10)) };
  const counts = (options: ConstructorParameters<typeof ArraySource>[2]) =>
    Array.from(new ArraySource("test", examples, options).batches(), ({ size }) => size);
  expect(counts({ batchSize: 4 })).toEqual([4, 4, 2]);
  expect(counts({ steps: 3 })).toEqual([4, 4, 2]);
  expect(counts({})).toEqual([10]);
  expect(counts({ batchSize: 4, range: [3, 9] })).toEqual([4, 2]);
});

test("the validation part begins where Keras begins it", () => {
  expect([splitRow("t", 60000, 0.3), splitRow("t", 10, 0.25), splitRow("t", 10, 0)]).toEqual([42000, 7, 10]);
});

test("a long run lets timers and signals through", async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const breather = new Breather();
  const start = performance.now();
  while (performance.now() - start < 60) await breather.pause();
  clearInterval(timer);
  expect(ticks).toBeGreaterThanOrEqual(2);
});

test("an error in the middle takes the watch on Ctrl-C away", async () => {
  const nothing = (): void => {};
  const events = new Proxy({}, { get: () => nothing }) as LoopEvents;
  const failing = {
    trainBatch: () => {
      throw new Error("user code");
    },
    testBatch: nothing,
    resetMetrics: nothing,
    readLogs: () => ({}),
  };
  const feeder = new EpochFeeder(source([1]), undefined, nothing);
  const run = runFit(failing, { initialEpoch: 0, epochs: 1, feeder, events, stop: { stopTraining: false } });
  await expect(run).rejects.toThrow("user code");
  expect(process.listenerCount("SIGINT")).toBe(0);
});
