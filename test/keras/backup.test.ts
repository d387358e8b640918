/** An interrupted fit goes on to the bits of one that was not interrupted. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { useFastTarget } from "./golden.ts";
import { smallData, weightBits } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-backup-"));
beforeAll(useFastTarget);
afterAll(() => rmSync(folder, { recursive: true }));

class Stop extends Error {}
/** Ends training as a crash would, after so many batches. */
class Crash extends keras.Callback {
  private left: number;
  constructor(batches: number) {
    super();
    this.left = batches;
  }
  override onTrainBatchBegin(): void {
    if (this.left-- === 0) throw new Stop();
  }
}

const { x, labels } = smallData();
const epochs = 4;

function network(): keras.Model {
  keras.setRandomSeed(7);
  const input = keras.Input({ shape: [6] });
  const hidden = new keras.Dropout(0.3)(new keras.Dense(5, { activation: "relu" })(input));
  const normal = new keras.Dropout(0.2, { seed: 3 })(new keras.BatchNormalization()(hidden));
  const model = new keras.Model({ inputs: input, outputs: new keras.Dense(3, { activation: "softmax" })(normal) });
  model.compile({
    optimizer: new keras.Adam(new keras.optimizers.schedules.CosineDecay(0.05, 20)),
    loss: "sparse_categorical_crossentropy",
    metrics: ["accuracy"],
  });
  return model as unknown as keras.Model;
}
const train = (model: keras.Model, callbacks: keras.Callback[], shuffle: boolean | "batch" = true) =>
  model.fit(x, labels, { epochs, batchSize: 4, verbose: 0, validationSplit: 0.2, shuffle, callbacks });

const steps = 4; // 16 examples for training, 4 in a batch

describe.each([
  ["epoch", true],
  [3, true],
  [3, "batch"],
  [1, false],
] as const)("backups every %s, shuffle %s", (saveFreq, shuffle) => {
  test.each([...(saveFreq === 1 ? [1] : []), steps + 1, 2 * steps + 3, 3 * steps])(
    "a crash after %i batches",
    async (batches) => {
      const backup = join(folder, `${saveFreq}-${shuffle}-${batches}`);
      const whole = network();
      const expected = await train(whole, [], shuffle);
      const callbacks = () => [new keras.BackupAndRestore(backup, { saveFreq })];
      await expect(train(network(), [...callbacks(), new Crash(batches)], shuffle)).rejects.toThrowError(Stop);
      keras.setRandomSeed(99);
      const resumed = network();
      keras.setRandomSeed(12345);
      const history = await train(resumed, callbacks(), shuffle);
      expect(weightBits(resumed)).toEqual(weightBits(whole));
      for (const [name, values] of Object.entries(history.history)) {
        expect(values).toEqual(expected.history[name].slice(epochs - values.length));
      }
      expect(existsSync(backup)).toBe(false);
    },
  );
});

test("a backup of another model, or a broken one, changes nothing", async () => {
  const backup = join(folder, "other");
  await expect(train(network(), [new keras.BackupAndRestore(backup), new Crash(5)])).rejects.toThrowError(Stop);
  const path = join(backup, "backup.safetensors");
  const other = new keras.Sequential([keras.Input([6]), new keras.Dense(3)]);
  other.compile({ loss: "sparse_categorical_crossentropy" });
  const before = weightBits(other);
  await expect(
    other.fit(x, labels, { verbose: 0, callbacks: new keras.BackupAndRestore(backup) }),
  ).rejects.toThrowError(/backup\.safetensors: holds 8 weights, the model has 2/);
  expect(weightBits(other)).toEqual(before);
  writeFileSync(path, readFileSync(path).subarray(0, 900));
  const same = network();
  const bits = weightBits(same);
  await expect(train(same, [new keras.BackupAndRestore(backup)])).rejects.toThrowError(/backup\.safetensors/);
  expect(weightBits(same)).toEqual(bits);
  expect(() => new keras.BackupAndRestore(backup, { saveFreq: 0 })).toThrowError(/saveFreq must be "epoch"/);
});
