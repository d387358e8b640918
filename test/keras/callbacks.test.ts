import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { formatPath } from "../../src/keras/callbacks/model-checkpoint.ts";
import * as keras from "../../src/keras/index.ts";
import { useFastTarget } from "./golden.ts";
import { smallData, smallModel, weightBits } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-callbacks-"));
beforeAll(useFastTarget);
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

const { x, labels } = smallData();
const quiet = { verbose: 0, shuffle: false, batchSize: 8 } as const;

/** Pretends that the validation loss takes these values, epoch by epoch. */
class Pretend extends keras.Callback {
  private readonly values: readonly number[];
  constructor(values: readonly number[]) {
    super();
    this.values = values;
  }
  override onEpochEnd(epoch: number, logs: keras.Logs = {}): void {
    logs.val_loss = this.values[epoch];
  }
}

/** Writes down which hooks were called. */
class Recorder extends keras.Callback {
  readonly calls: string[] = [];
  override onTrainBegin(): void {
    this.calls.push("train begin");
  }
  override onTrainEnd(logs: keras.Logs = {}): void {
    this.calls.push(`train end ${Object.keys(logs).join()}`);
  }
  override onEpochBegin(epoch: number): void {
    this.calls.push(`epoch ${epoch}`);
  }
  override async onEpochEnd(epoch: number, logs: keras.Logs = {}): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.calls.push(`epoch end ${epoch} ${Object.keys(logs).join()}`);
  }
  override onTrainBatchBegin(batch: number): void {
    this.calls.push(`batch ${batch}`);
  }
  override onTrainBatchEnd(batch: number, logs: keras.Logs = {}): void {
    this.calls.push(`batch end ${batch} ${Object.keys(logs).join()}`);
  }
  override onTestBegin(): void {
    this.calls.push("test begin");
  }
  override onTestEnd(logs: keras.Logs = {}): void {
    this.calls.push(`test end ${Object.keys(logs).join()}`);
  }
}

test("hooks come in Keras' order, with Keras' logs; asynchronous hooks are awaited", async () => {
  const recorder = new Recorder();
  await smallModel().fit(x, labels, { ...quiet, validationSplit: 0.3, callbacks: recorder });
  expect(recorder.calls).toEqual([
    "train begin",
    "epoch 0",
    "batch 0",
    "batch end 0 accuracy,loss",
    "batch 1",
    "batch end 1 accuracy,loss",
    "test begin",
    "test end accuracy,loss",
    "epoch end 0 accuracy,loss,val_accuracy,val_loss",
    "train end accuracy,loss,val_accuracy,val_loss",
  ]);
});

describe("EarlyStopping", () => {
  const run = async (options: keras.callbacks.EarlyStoppingOptions, values: readonly number[]) => {
    const model = smallModel();
    const stopping = new keras.EarlyStopping(options);
    const history = await model.fit(x, labels, {
      ...quiet,
      epochs: values.length,
      callbacks: [new Pretend(values), stopping],
    });
    return { epochs: history.epoch.length, stopping, model };
  };
  test("stops after `patience` epochs without improvement", async () => {
    expect((await run({ patience: 2 }, [1, 0.9, 0.95, 0.92, 0.8, 0.7])).epochs).toBe(4);
    expect((await run({}, [1, 0.9, 0.95, 0.92])).epochs).toBe(3);
    expect((await run({ patience: 1, minDelta: 0.2 }, [1, 0.9, 0.5, 0.45, 0.1])).epochs).toBe(2);
    expect((await run({ mode: "max", patience: 1 }, [1, 0.9, 0.95])).epochs).toBe(2);
    expect((await run({ baseline: 0.5, patience: 2 }, [1, 1, 1, 1])).epochs).toBe(2);
    expect((await run({ startFromEpoch: 2 }, [1, 2, 3, 4, 5])).epochs).toBe(4);
  });
  test("goes back to the best weights", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const { model, stopping } = await run({ patience: 1, restoreBestWeights: true, verbose: 1 }, [1, 0.5, 0.9]);
    expect(stopping.stoppedEpoch).toBe(2);
    expect(log.mock.calls.flat()).toEqual([
      "Epoch 3: early stopping",
      "Restoring model weights from the end of the best epoch: 2.",
    ]);
    const twin = smallModel();
    await twin.fit(x, labels, { ...quiet, epochs: 2 });
    expect(weightBits(model)).toEqual(weightBits(twin));
  });
  test("warns when its value is not there", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await smallModel().fit(x, labels, { ...quiet, callbacks: new keras.EarlyStopping() });
    expect(warn.mock.calls[0][0]).toMatchInlineSnapshot(
      `"Early stopping conditioned on metric \`val_loss\` which is not available. Available metrics are: accuracy,loss"`,
    );
  });
});

describe("ModelCheckpoint", () => {
  test("fills in its path as Python does", () => {
    const values = { epoch: 3, val_loss: 0.12345, batch: 17 };
    expect(formatPath("a/{epoch:02d}-{val_loss:.2f}.safetensors", values)).toBe("a/03-0.12.safetensors");
    expect(formatPath("{epoch}-{batch:05d}-{val_loss:.1e}", values)).toBe("3-00017-1.2e-01");
    expect(() => formatPath("{val_acc:.2f}", values)).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: ModelCheckpoint: the path "{val_acc:.2f}" names {val_acc:.2f}, but only epoch, val_loss, batch are known at this point.]`,
    );
  });
  test("saves every epoch, only the best, or every so many batches", async () => {
    const every = join(folder, "every-{epoch:02d}.safetensors");
    const best = join(folder, "best.safetensors");
    const batches = join(folder, "deep", "batch-{epoch}-{batch}.safetensors");
    const model = smallModel();
    const saved: number[][][] = [];
    const note = new keras.LambdaCallback({ onEpochEnd: () => void saved.push(weightBits(model)) });
    await model.fit(x, labels, {
      ...quiet,
      epochs: 3,
      callbacks: [
        new Pretend([1, 0.5, 0.7]),
        note,
        new keras.ModelCheckpoint(every),
        new keras.ModelCheckpoint(best, { saveBestOnly: true, saveWeightsOnly: true }),
        new keras.ModelCheckpoint(batches, { saveFreq: 2 }),
      ],
    });
    for (const epoch of [1, 2, 3]) {
      const loaded = keras.loadModel(join(folder, `every-0${epoch}.safetensors`));
      expect(weightBits(loaded)).toEqual(saved[epoch - 1]);
      expect(loaded.optimizer.iterations.item()).toBe(3 * epoch);
    }
    const other = smallModel();
    other.loadWeights(best);
    expect(weightBits(other)).toEqual(saved[1]);
    expect(
      ["1-2", "2-1", "2-3", "3-2"].map((name) => existsSync(join(folder, "deep", `batch-${name}.safetensors`))),
    ).toEqual([true, true, true, true]);
  });
});

describe("learning rates", () => {
  test("LearningRateScheduler sets the rate; the history has it", async () => {
    const model = smallModel();
    const scheduler = new keras.LearningRateScheduler((epoch, rate) => (epoch === 0 ? rate : rate / 2));
    const history = await model.fit(x, labels, { ...quiet, epochs: 3, callbacks: scheduler });
    expect(history.history.learning_rate).toEqual([0.001, 0.0005, 0.00025].map(Math.fround));
    expect(() => new keras.LearningRateScheduler(() => Number.NaN)).not.toThrow();
    await expect(
      model.fit(x, labels, { ...quiet, callbacks: new keras.LearningRateScheduler(() => Number.NaN) }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: LearningRateScheduler: the schedule must give a finite number, received NaN.]`,
    );
  });
  test("ReduceLROnPlateau waits, reduces, cools down, and stops at the least rate", async () => {
    const model = smallModel();
    const values = [1, 1, 1, 1, 1, 1, 1, 1];
    const reduce = new keras.ReduceLROnPlateau({ factor: 0.1, patience: 2, cooldown: 1, minLr: 5e-5 });
    const history = await model.fit(x, labels, { ...quiet, epochs: 8, callbacks: [new Pretend(values), reduce] });
    expect(history.history.learning_rate.map((rate) => rate.toExponential(0))).toEqual([
      "1e-3",
      "1e-3",
      "1e-3",
      "1e-4",
      "1e-4",
      "5e-5",
      "5e-5",
      "5e-5",
    ]);
  });
});

test("CSVLogger writes a line per epoch and goes on where it stopped", async () => {
  const file = join(folder, "log.csv");
  const model = smallModel();
  const options = { ...quiet, validationSplit: 0.3, validationFreq: 2 };
  const first = await model.fit(x, labels, { ...options, epochs: 2, callbacks: new keras.CSVLogger(file) });
  const lines = readFileSync(file, "utf8").split("\r\n");
  expect(lines[0]).toBe("epoch,accuracy,loss,val_accuracy,val_loss");
  expect(lines[1]).toBe(`0,${first.history.accuracy[0]},${first.history.loss[0]},NA,NA`);
  expect(lines[2].split(",")[4]).toBe(String(first.history.val_loss[0]));
  await model.fit(x, labels, {
    ...options,
    epochs: 3,
    initialEpoch: 2,
    callbacks: new keras.CSVLogger(file, { append: true }),
  });
  expect(
    readFileSync(file, "utf8")
      .trim()
      .split("\r\n")
      .map((line) => line.split(",")[0]),
  ).toEqual(["epoch", "0", "1", "2"]);
});

test("TerminateOnNaN stops at the first bad loss", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const model = smallModel({ compile: { optimizer: new keras.SGD(1e30) } });
  const steps = { seen: 0 };
  const counter = new keras.LambdaCallback({ onTrainBatchEnd: () => void steps.seen++ });
  const history = await model.fit(x, labels, { ...quiet, epochs: 5, callbacks: [new keras.TerminateOnNaN(), counter] });
  expect(log.mock.calls.flat().join()).toMatch(/Batch \d: Invalid loss, terminating training/);
  expect(steps.seen).toBeLessThan(6);
  expect(history.epoch.length).toBeLessThan(5);
});

test("Ctrl-C ends after the current step, runs the end hooks and keeps the history", async () => {
  const recorder = new Recorder();
  const interrupt = new keras.LambdaCallback({
    onTrainBatchEnd: (batch) => {
      if (batch === 1 && recorder.calls.includes("epoch 1")) process.emit("SIGINT");
    },
  });
  const history = await smallModel().fit(x, labels, { ...quiet, epochs: 5, callbacks: [recorder, interrupt] });
  expect(history.interrupted).toBe(true);
  expect(history.epoch).toEqual([0]);
  expect(recorder.calls.slice(-2)).toEqual(["batch end 1 accuracy,loss", "train end accuracy,loss"]);
  expect(process.listenerCount("SIGINT")).toBe(0);
});

test("only callbacks are callbacks", async () => {
  await expect(
    smallModel().fit(x, labels, { callbacks: [{}] as unknown as keras.Callback[] }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: callbacks: expected instances of keras.callbacks.Callback, received object.]`,
  );
  expect(() => new keras.EarlyStopping({ patients: 3 } as object)).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: EarlyStopping: unknown option "patients" (did you mean "patience"?); expected monitor, minDelta, patience, verbose, mode, baseline, restoreBestWeights, startFromEpoch.]`,
  );
  expect(() => new keras.ReduceLROnPlateau({ factor: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: ReduceLROnPlateau: factor must be between 0 and 1, received 1.]`,
  );
});
