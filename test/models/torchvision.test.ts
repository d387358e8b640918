/** The networks of `trivium/models` against torchvision: structure, what they compute, a training step, and how weights start. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { defaultEngine } from "../../src/engine/default-engine.ts";
import { whyNoMachineCode } from "../../src/engine/default-target.ts";
import * as models from "../../src/models/index.ts";
import type { Tensor } from "../../src/tensor/index.ts";
import { digestOf, hashLabels } from "../../src/testing/hash-uniform.ts";
import { manualSeed, nn, noGrad, tensor } from "../../src/torch/index.ts";
import { image, setState, stateOf } from "./formula-state.ts";

interface Structure {
  readonly parameters: number;
  readonly entries: number;
  readonly state: string;
  readonly text: string;
}
interface Forward {
  readonly model: models.ModelName | "DenseNet";
  readonly options: models.ModelOptions;
  readonly batch: number;
  readonly edge: number;
  readonly largest: number;
  readonly step: number;
  readonly logits: readonly number[];
}
interface Digest {
  readonly sum: number;
  readonly norm: number;
  readonly indices: readonly number[];
  readonly values: readonly number[];
}
interface Training {
  readonly batch: number;
  readonly edge: number;
  readonly classes: number;
  readonly logits: readonly number[];
  readonly loss: number;
  readonly inputGradient: Digest;
  readonly gradients: Readonly<Record<string, Omit<Digest, "sum">>>;
  readonly norms: Readonly<Record<string, number>>;
  readonly buffers: Readonly<Record<string, Digest>>;
  readonly batchesTracked: number;
}
interface Start {
  readonly mean: number;
  readonly deviation: number;
  readonly largest: number;
}
interface Golden {
  readonly structures: Readonly<Record<models.ModelName, Structure>>;
  readonly forwards: readonly Forward[];
  readonly training: Training;
  readonly starts: Readonly<Record<models.ModelName, Readonly<Record<string, Start>>>>;
}
const golden = JSON.parse(
  readFileSync(new URL("../goldens/torchvision-models.json", import.meta.url), "utf8"),
) as Golden;

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
const compiled = test.skipIf(whyNoMachineCode() !== undefined);

test("every network of the goldens is here, and no other", () => {
  expect(models.listModels().sort()).toEqual(Object.keys(golden.structures).sort());
});

test.each(models.listModels())("%s has torchvision's parameters, state names, shapes and printed form", (name) => {
  const model = models.getModel(name);
  const state = stateOf(model);
  const lines = state.map(([key, { shape }]) => `${key} [${shape.join(",")}]`).join("\n");
  expect({
    parameters: model.parameters().reduce((sum, { size }) => sum + size, 0),
    entries: state.length,
    state: digest(lines),
    text: digest(String(model)),
  }).toEqual(golden.structures[name]);
  // two thousand million random numbers that nobody reads
  defaultEngine.takeAssignments();
});

/** Largest difference to a stored result, relative to its largest element. */
function difference(actual: ArrayLike<number>, expected: readonly number[], largest: number, step = 1): number {
  expect(Math.ceil(actual.length / step)).toBe(expected.length);
  const differences = expected.map((value, index) => Math.abs(actual[index * step]! - value));
  return Math.max(...differences) / largest;
}

compiled.each(golden.forwards.map((entry) => [entry.model, JSON.stringify(entry.options), entry] as const))(
  "%s %s: logits in eval mode, by the batch and alone",
  (_name, _options, { model: name, options, batch, edge, largest, step, logits }) => {
    const made = name === "DenseNet" ? new models.DenseNet(options) : models.getModel(name, options);
    const model = setState(made).eval();
    const x = image(batch, edge);
    const run = (images: Tensor): Float32Array => noGrad(() => model(images).dataSync()) as Float32Array;
    const together = run(x);
    expect(difference(together, logits, largest, step)).toBeLessThan(1e-4);
    // a row does not depend on the batch it is in
    if (edge === 224) expect(run(x.narrow(0, 0, 1))).toEqual(together.slice(0, together.length / batch));
  },
);

compiled("ResNet-18 in training: loss, gradients and running statistics", () => {
  const { training } = golden;
  const { batch, edge, classes } = training;
  const model = setState(models.resnet18({ numClasses: classes }));
  const x = image(batch, edge);
  x.requiresGrad = true;
  const output = model(x);
  const loss = nn.functional.crossEntropy(output, tensor(hashLabels(79, batch, classes)));
  loss.backward();
  expect(Math.abs(loss.item() - training.loss)).toBeLessThan(1e-4 * training.loss);
  const largest = Math.max(...training.logits.map(Math.abs));
  expect(difference(output.dataSync(), training.logits, largest)).toBeLessThan(1e-4);
  const parameters = new Map(model.namedParameters());
  expect([...parameters.keys()]).toEqual(Object.keys(training.norms));
  const close = (actual: Tensor, { indices, norm, values }: Omit<Digest, "sum">, tolerance: number): void => {
    const found = digestOf(actual.dataSync(), indices);
    expect(Math.abs(found.norm - norm)).toBeLessThan(tolerance * norm);
    const scale = Math.max(...values.map(Math.abs));
    expect(difference(found.values, values, scale)).toBeLessThan(tolerance);
  };
  for (const [name, stored] of Object.entries(training.gradients)) close(parameters.get(name)!.grad!, stored, 1e-3);
  for (const [name, norm] of Object.entries(training.norms)) {
    const found = digestOf(parameters.get(name)!.grad!.dataSync(), []).norm;
    expect(Math.abs(found - norm), name).toBeLessThan(1e-3 * norm);
  }
  close(x.grad!, training.inputGradient, 1e-3);
  for (const [name, stored] of Object.entries(training.buffers)) close(model.getBuffer(name), stored, 1e-4);
  expect(model.getBuffer("bn1.num_batches_tracked").item()).toBe(training.batchesTracked);
});

describe("weights start as in torchvision", () => {
  const cases = Object.entries(golden.starts) as [models.ModelName, Readonly<Record<string, Start>>][];
  compiled.each(cases)("%s", (name, entries) => {
    manualSeed(1);
    const model = models.getModel(name);
    for (const [key, { mean, deviation, largest }] of Object.entries(entries)) {
      const part = stateOf(model).find(([other]) => other === key)![1];
      const values = part.dataSync() as Float32Array;
      const found = values.reduce((sum, value) => sum + value, 0) / values.length;
      const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - found) ** 2, 0) / values.length);
      // two samples of so many numbers
      const tolerance = 8 / Math.sqrt(values.length);
      expect(Math.abs(found - mean), `${key}: mean`).toBeLessThanOrEqual(tolerance * deviation + 1e-12);
      expect(Math.abs(spread / (deviation || 1) - (deviation ? 1 : 0)), `${key}: deviation`).toBeLessThanOrEqual(
        tolerance,
      );
      const most = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      expect(Math.abs(most - largest), `${key}: largest`).toBeLessThanOrEqual(0.25 * largest);
    }
  });
});
