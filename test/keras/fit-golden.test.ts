import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { type Tensor, tensor } from "../../src/tensor/index.ts";
import { hashLabels, hashUniform } from "../../src/testing/hash-uniform.ts";
import { type Arguments, expectClose, label, readGolden, type StoredTensor, useFastTarget } from "./golden.ts";

interface FitCase {
  readonly compile: { readonly optimizer: "sgd" | "adam" | "rmsprop" };
  readonly fit: Arguments;
  readonly history: Readonly<Record<string, readonly number[]>>;
  readonly epochs: readonly number[];
  readonly params: { readonly epochs: number; readonly steps: number };
  readonly evaluate: readonly number[];
  readonly predict: StoredTensor;
  readonly weightsAfter: readonly (readonly number[])[];
  readonly stdout: { readonly verbose2: string };
}
interface FitGolden {
  readonly x: number;
  readonly labels: number;
  readonly weights: readonly number[];
  readonly sampleWeight: number;
  readonly fits: readonly FitCase[];
  readonly trainOnBatch: readonly (readonly number[])[];
  readonly summaries: Readonly<Record<string, string>>;
}
const golden = readGolden<FitGolden>("fit");
const x = () => tensor(hashUniform(golden.x, 22 * 6), { shape: [22, 6] });
const labels = () => tensor(hashLabels(golden.labels, 22, 3));

function smallModel(): keras.Sequential {
  const model = new keras.Sequential(
    [
      keras.Input({ shape: [6] }),
      new keras.Dense(8, { activation: "relu" }),
      new keras.Dense(3, { activation: "softmax" }),
    ],
    { name: "small" },
  );
  model.setWeights(
    model.weights.map((weight, index) =>
      tensor(hashUniform(golden.weights[index], weight.size, -0.5, 0.5), { shape: weight.shape }),
    ),
  );
  return model;
}

beforeAll(useFastTarget);
afterEach(() => vi.restoreAllMocks());

describe("fit goes as in Keras: history, output, evaluation, weights", () => {
  test.each(golden.fits.map((entry) => [label(entry.compile.optimizer, entry.fit), entry] as const))(
    "%s",
    async (_, entry) => {
      const model = smallModel();
      model.compile({ ...entry.compile, loss: "sparse_categorical_crossentropy", metrics: ["accuracy"] });
      const written: string[] = [];
      vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
      const { sampleWeight, ...options } = entry.fit as keras.FitOptions & { sampleWeight?: unknown };
      const weights: Tensor | undefined = sampleWeight ? tensor(hashUniform(golden.sampleWeight, 22, 0, 2)) : undefined;
      const history = await model.fit(x(), labels(), { ...options, verbose: 2, sampleWeight: weights });
      vi.restoreAllMocks();

      expect(Object.keys(history.history).sort()).toEqual(Object.keys(entry.history).sort());
      for (const [name, values] of Object.entries(entry.history)) expectClose(history.history[name], values, name);
      expect(history.epoch).toEqual(entry.epochs);
      expect(history.params).toEqual({ verbose: 2, ...{ epochs: entry.params.epochs, steps: entry.params.steps } });
      const timeless = (text: string) => text.replace(/\d+(s|ms|us)\/step/g, "T").replace(/\d+s/g, "T");
      expect(timeless(written.join(""))).toBe(timeless(entry.stdout.verbose2));
      expectClose(await model.evaluate(x(), labels(), { batchSize: 5, verbose: 0 }), entry.evaluate, "evaluate");
      const head = x().slice([0], [3]);
      expectClose(await model.predict(head, { verbose: 0 }), entry.predict.data, "predict");
      model.weights.forEach((weight, index) => {
        expectClose(weight, entry.weightsAfter[index], weight.name);
      });
    },
  );
});

test("trainOnBatch gives loss and metrics of each batch", async () => {
  const model = smallModel();
  model.compile({ optimizer: "sgd", loss: "sparse_categorical_crossentropy", metrics: ["accuracy"] });
  for (const [step, expected] of golden.trainOnBatch.entries()) {
    const rows = [4 * step, 4 * step + 4] as const;
    const values = await model.trainOnBatch(x().slice([rows[0]], [rows[1]]), labels().slice([rows[0]], [rows[1]]));
    expectClose(values, expected, `batch ${step}`);
  }
});

test("summary of the seeds' network", () => {
  keras.utils.clearSession();
  const model = new keras.Sequential([keras.Input([28, 28, 1])], { name: "sequential" });
  for (const layer of [
    new keras.Conv2D(32, 3),
    new keras.Conv2D(64, 3),
    new keras.MaxPooling2D(),
    new keras.Flatten(),
    new keras.Dense(1024),
    new keras.Dense(10),
  ]) {
    model.add(layer);
  }
  let text = "";
  model.summary({ printFn: (printed) => (text = printed) });
  const plain = (table: string) => table.trimEnd();
  expect(plain(text)).toBe(plain(golden.summaries.seeds));
});
