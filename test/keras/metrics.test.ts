import { beforeAll, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { engine, tensor } from "../../src/tensor/index.ts";
import { type Arguments, expectClose, label, readGolden, type StoredTensor, stored, useFastTarget } from "./golden.ts";

interface MetricCase {
  readonly metric: string;
  readonly name: string;
  readonly arguments: Arguments;
  readonly yTrue: StoredTensor;
  readonly yPred: StoredTensor;
  readonly split: number;
  readonly sampleWeight: readonly number[];
  readonly plain: readonly (readonly number[])[];
  readonly weighted: readonly (readonly number[])[];
}
const golden = readGolden<{ metrics: MetricCase[] }>("metrics");
const classes = keras.metrics as unknown as Record<string, new (options: object) => keras.Metric>;
const list = (value: number | number[]): number[] => (typeof value === "number" ? [value] : value);

beforeAll(useFastTarget);

describe("metrics give Keras' values after each half of the data", () => {
  test.each(golden.metrics.map((entry, index) => [label(entry.metric, entry.arguments, ` #${index}`), entry] as const))(
    "%s",
    (_, entry) => {
      const target = stored(entry.yTrue);
      const prediction = stored(entry.yPred);
      const weight = tensor(Float32Array.from(entry.sampleWeight));
      const count = target.shape[0];
      const halves = [
        [0, entry.split],
        [entry.split, count],
      ];
      for (const kind of ["plain", "weighted"] as const) {
        const metric = new classes[entry.metric](entry.arguments);
        halves.forEach(([from, to], half) => {
          metric.updateState(
            target.slice([from], [to]),
            prediction.slice([from], [to]),
            kind === "weighted" ? weight.slice([from], [to]) : undefined,
          );
          expectClose(list(metric.result()), entry[kind][half], `${kind} ${half}`);
        });
        metric.resetState();
        expect(list(metric.result()).every((value) => value === 0 || Number.isNaN(value))).toBe(true);
      }
    },
  );
});

test("names are Keras' names", () => {
  for (const entry of golden.metrics.filter(({ metric }) => !["Precision", "Recall", "AUC"].includes(metric))) {
    expect(new classes[entry.metric](entry.arguments).name).toBe(entry.name);
  }
});

test("updates do not recompile", () => {
  const metric = new keras.metrics.AUC();
  const update = (): void => metric.updateState(tensor([0, 1, 1]), tensor([0.1, 0.4, 0.8]));
  update();
  update();
  const before = engine.stats().compilations;
  for (let step = 0; step < 5; step++) update();
  expect(engine.stats().compilations).toBe(before);
});

test("Mean and Sum take values", () => {
  const mean = new keras.metrics.Mean();
  mean.updateState(tensor([1, 3, 5]), tensor([1, 0, 1]));
  expect(mean.result()).toBe(3);
  const sum = new keras.metrics.Sum();
  sum.updateState(tensor([1, 3, 5]));
  expect(sum.result()).toBe(9);
});

test("mistakes are typed errors", () => {
  expect(() => new keras.metrics.Precision({ thresholds: 1.5 })).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: precision: thresholds must be numbers from 0 to 1, received [1.5].]`,
  );
  expect(() => new keras.metrics.AUC({ curve: "PRC" as "PR" })).toThrowErrorMatchingInlineSnapshot(
    `[ArgumentError: AUC: curve must be "ROC" or "PR", received "PRC".]`,
  );
  expect(() =>
    new keras.metrics.CategoricalAccuracy().updateState(tensor([1, 2]), tensor([[0.1, 0.9]])),
  ).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: categorical_accuracy: targets have shape (2,), predictions (1, 2); they must be equal.]`,
  );
});
