/** Event files: byte for byte what TensorBoard's own protocol buffers make (`tools/goldens/tensorboard_events.py`), and what fit writes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  bucketsOf,
  crc32c,
  encodeEvent,
  encodeFileVersion,
  frameRecord,
  maskedCrc32c,
} from "../../src/interop/index.ts";
import * as keras from "../../src/keras/index.ts";
import { useFastTarget } from "./golden.ts";
import { smallData, smallModel } from "./small-model.ts";

const golden = JSON.parse(readFileSync(new URL("../goldens/tensorboard-events.json", import.meta.url), "utf8")) as {
  readonly records: Readonly<Record<string, string>>;
};
const folder = mkdtempSync(join(tmpdir(), "trivium-events-"));
beforeAll(useFastTarget);
afterAll(() => rmSync(folder, { recursive: true }));

const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

test("checksums: CRC-32C of the RFC 3720 examples", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});

test("records are TensorBoard's, byte for byte", () => {
  const events: Readonly<Record<string, Uint8Array>> = {
    version: encodeFileVersion(1700000000.25),
    scalar: encodeEvent({ kind: "scalar", tag: "epoch_loss", value: 0.625 }, 3, 1700000001.5),
    "step 0": encodeEvent({ kind: "scalar", tag: "epoch_accuracy", value: -1.5 }, 0, 1700000001.5),
    "large step": encodeEvent({ kind: "scalar", tag: "évaluation", value: 1e-30 }, 123456789012, 1700000001.5),
    histogram: encodeEvent(
      {
        kind: "histogram",
        tag: "dense/kernel/histogram",
        buckets: [
          [-1, 0, 3],
          [0, 2.5, 4],
        ],
      },
      200,
      1700000002,
    ),
  };
  for (const [name, event] of Object.entries(events)) expect(hex(frameRecord(event)), name).toBe(golden.records[name]);
});

test("buckets of values", () => {
  expect(bucketsOf([1, 2, 3, 4, Number.NaN], 3)).toEqual([
    [1, 2, 1],
    [2, 3, 1],
    [3, 4, 2],
  ]);
  expect(bucketsOf([2, 2], 30)).toEqual([[1.5, 2.5, 2]]);
  expect(bucketsOf([], 30)).toEqual([]);
});

/** Tag, step and value of every scalar of a run, with every checksum verified. */
function scalarsOf(run: string): [tag: string, step: number, value: number][] {
  const found: [string, number, number][] = [];
  for (const name of readdirSync(join(folder, run))) {
    const file = readFileSync(join(folder, run, name));
    for (let offset = 0; offset < file.length; ) {
      const length = Number(file.readBigUInt64LE(offset));
      expect(file.readUInt32LE(offset + 8)).toBe(maskedCrc32c(file.subarray(offset, offset + 8)));
      const data = file.subarray(offset + 12, offset + 12 + length);
      expect(file.readUInt32LE(offset + 12 + length)).toBe(maskedCrc32c(data));
      offset += 16 + length;
      const text = data.toString("latin1");
      const start = data.findIndex(
        (byte, at) => byte === 0x0a && /^(epoch|batch|evaluation)_/.test(text.slice(at + 2)),
      );
      if (start < 0 || !text.includes("scalars")) continue;
      const tag = text.slice(start + 2, start + 2 + data[start + 1]);
      const step = data[9] === 0x10 ? data[10] : 0;
      const value = data.readFloatLE(data.indexOf(Buffer.from([0x2a, 0x04])) + 2);
      found.push([tag, step, value]);
    }
  }
  return found;
}

test("fit writes what Keras writes: epochs of training and validation, evaluations, batches, histograms", async () => {
  const { x, labels } = smallData();
  const model = smallModel();
  const board = new keras.TensorBoard(folder, { histogramFreq: 1, updateFreq: 2 });
  const { history } = await model.fit(x, labels, {
    epochs: 2,
    batchSize: 4,
    verbose: 0,
    validationSplit: 0.2,
    callbacks: board,
  });
  const train = scalarsOf("train");
  const validation = scalarsOf("validation");
  const series = (list: typeof train, tag: string) =>
    list.filter(([name]) => name === tag).map(([, step, value]) => [step, value]);
  const rounded = (values: readonly number[]) => values.map((value, step) => [step, Math.fround(value)]);
  expect(series(train, "epoch_loss")).toEqual(rounded(history.loss));
  expect(series(train, "epoch_accuracy")).toEqual(rounded(history.accuracy));
  expect(series(train, "epoch_learning_rate")).toEqual(rounded([0.001, 0.001]));
  expect(series(train, "batch_loss").map(([step]) => step)).toEqual([2, 4, 6, 8]);
  expect(series(validation, "epoch_loss")).toEqual(rounded(history.val_loss));
  expect(series(validation, "evaluation_loss_vs_iterations")).toEqual([
    [4, Math.fround(history.val_loss[0])],
    [8, Math.fround(history.val_loss[1])],
  ]);
  expect(() => new keras.TensorBoard({ updateFreq: 0 })).toThrowError(/updateFreq must be/);
  expect(() => new keras.TensorBoard({ logdir: "x" } as object)).toThrowError(/did you mean "logDir"/);
});
