import { beforeAll, describe, expect, test } from "vitest";
import * as keras from "../../src/keras/index.ts";
import { gradients, tensor } from "../../src/tensor/index.ts";
import { type Arguments, expectClose, label, readGolden, type StoredTensor, stored, useFastTarget } from "./golden.ts";

interface LossCase {
  readonly loss: string;
  readonly arguments: Arguments;
  readonly yTrue: StoredTensor;
  readonly yPred: StoredTensor;
  readonly sampleWeight: readonly number[];
  readonly value: number;
  readonly valueGradient: StoredTensor;
  readonly weighted: number;
  readonly weightedGradient: StoredTensor;
  readonly sum: number;
  readonly weightedMean: number;
  readonly each: readonly number[];
}
const golden = readGolden<{ losses: LossCase[] }>("losses");
const classes = keras.losses as unknown as Record<string, new (options: object) => keras.Loss>;

beforeAll(useFastTarget);

describe("losses give Keras' values and gradients under every reduction", () => {
  test.each(golden.losses.map((entry, index) => [label(entry.loss, entry.arguments, ` #${index}`), entry] as const))(
    "%s",
    (_, entry) => {
      const make = (reduction: string) => new classes[entry.loss]({ ...entry.arguments, reduction });
      const target = stored(entry.yTrue);
      const prediction = stored(entry.yPred);
      prediction.requiresGrad = true;
      const weight = tensor(Float32Array.from(entry.sampleWeight));
      const slope = (loss: typeof prediction) =>
        gradients(loss, [prediction], { retainGraph: true })[0] as typeof prediction;

      const value = make("sum_over_batch_size")(target, prediction);
      expectClose([value.item()], [entry.value], "value");
      expectClose(slope(value), entry.valueGradient.data, "gradient");
      const weighted = make("sum_over_batch_size")(target, prediction, weight);
      expectClose([weighted.item()], [entry.weighted], "weighted");
      expectClose(slope(weighted), entry.weightedGradient.data, "weighted gradient");
      expectClose([make("sum")(target, prediction).item()], [entry.sum], "sum");
      const mean = make("mean_with_sample_weight")(target, prediction, weight);
      expectClose([mean.item()], [entry.weightedMean], "weighted mean");
      expectClose(make("none")(target, prediction), entry.each, "each");
    },
  );
});

describe("softmax and sigmoid outputs use their logits", () => {
  test("a saturated softmax has the gradient of the logits, not 0", () => {
    const logits = tensor([[200, 0, 0]]);
    logits.requiresGrad = true;
    const probabilities = keras.activations.softmax(logits);
    const loss = new keras.losses.CategoricalCrossentropy()(tensor([[0, 1, 0]]), probabilities);
    expect(loss.item()).toBeCloseTo(200, 3);
    const [slope] = gradients(
      new keras.losses.CategoricalCrossentropy()(tensor([[0, 1, 0]]), keras.activations.softmax(logits)),
      [logits],
    );
    expectClose(slope as NonNullable<typeof slope>, [1, -1, 0], "gradient");
  });
  test("a saturated sigmoid likewise", () => {
    const loss = new keras.losses.BinaryCrossentropy()(tensor([[0]]), keras.activations.sigmoid(tensor([[90]])));
    expect(loss.item()).toBeCloseTo(90, 3);
  });
  test("probabilities from elsewhere are clipped", () => {
    const loss = new keras.losses.CategoricalCrossentropy()(tensor([[0, 1]]), tensor([[1, 0]]));
    expect(loss.item()).toBeCloseTo(-Math.log(1e-7), 3);
  });
});

describe("mistakes", () => {
  test("shapes, names and reductions are typed errors", () => {
    const loss = new keras.losses.MeanSquaredError();
    expect(() => loss(tensor([[1, 2]]), tensor([[1, 2, 3]]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: mean_squared_error: targets have shape (1, 2), predictions (1, 3); they must be equal.]`,
    );
    expect(() => keras.losses.get("categorical_crossentopy" as "mse")).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: losses.get: unknown loss "categorical_crossentopy" (did you mean "categorical_crossentropy"?); expected one of categorical_crossentropy, sparse_categorical_crossentropy, binary_crossentropy, mean_squared_error, mse, mean_absolute_error, mae, mean_absolute_percentage_error, mape, mean_squared_logarithmic_error, msle, huber, log_cosh, hinge, squared_hinge, categorical_hinge, kl_divergence, poisson, cosine_similarity.]`,
    );
    expect(() => new keras.losses.Huber({ reduction: "average" as "sum" })).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Huber: unknown reduction "average"; expected one of sum_over_batch_size, sum, mean, mean_with_sample_weight, none.]`,
    );
    expect(() => new keras.losses.Huber({ delt: 2 } as object)).toThrowErrorMatchingInlineSnapshot(
      `[ArgumentError: Huber: unknown option "delt" (did you mean "delta"?); expected name, reduction, delta.]`,
    );
  });
});
