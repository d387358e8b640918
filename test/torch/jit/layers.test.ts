/** Every kind of layer keeps its meaning when it is traced at one batch size, saved, loaded and called with others. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { noGrad, setRandomSeed, type Tensor, tensor } from "../../../src/tensor/index.ts";
import { flattenTensors } from "../../../src/tensor/portable/index.ts";
import { hashLabels, hashUniform } from "../../../src/testing/hash-uniform.ts";
import * as jit from "../../../src/torch/jit/index.ts";
import * as nn from "../../../src/torch/nn/index.ts";

const folder = mkdtempSync(join(tmpdir(), "trivium-jit-layers-"));
afterAll(() => rmSync(folder, { recursive: true }));
const uniform = (...shape: number[]) =>
  tensor(
    hashUniform(
      shape.length,
      shape.reduce((a, b) => a * b, 1),
    ),
    { shape },
  );
const tokens = (...shape: number[]) =>
  tensor(
    hashLabels(
      7,
      shape.reduce((a, b) => a * b, 1),
      9,
    ),
    { shape },
  );

type Case = readonly [name: string, layer: nn.AnyModule, input: (batch: number) => Tensor];
const cases: Case[] = [
  ["Linear", new nn.Linear(6, 4), (n) => uniform(n, 5, 6)],
  ["Conv1d", new nn.Conv1d(3, 4, 3, { padding: 1, stride: 2 }), (n) => uniform(n, 3, 9)],
  ["Conv2d groups", new nn.Conv2d(4, 8, 3, { groups: 4, dilation: 2 }), (n) => uniform(n, 4, 9, 9)],
  ["ConvTranspose2d", new nn.ConvTranspose2d(4, 2, 3, { stride: 2, padding: 1 }), (n) => uniform(n, 4, 5, 5)],
  ["MaxPool2d", new nn.MaxPool2d(2), (n) => uniform(n, 3, 8, 8)],
  ["AvgPool2d", new nn.AvgPool2d(3, { padding: 1 }), (n) => uniform(n, 3, 7, 7)],
  ["AdaptiveAvgPool2d", new nn.AdaptiveAvgPool2d([3, 2]), (n) => uniform(n, 3, 7, 5)],
  ["BatchNorm1d", new nn.BatchNorm1d(5), (n) => uniform(n, 5, 4)],
  ["BatchNorm2d", new nn.BatchNorm2d(5), (n) => uniform(n, 5, 4, 4)],
  ["LayerNorm", new nn.LayerNorm([4, 5]), (n) => uniform(n, 4, 5)],
  ["GroupNorm", new nn.GroupNorm(2, 4), (n) => uniform(n, 4, 5, 5)],
  ["Embedding", new nn.Embedding(9, 4), (n) => tokens(n, 6)],
  ["Dropout", new nn.Dropout(0.3), (n) => uniform(n, 6)],
  ["Dropout2d", new nn.Dropout2d(0.3), (n) => uniform(n, 4, 3, 3)],
  ["RNN", new nn.RNN(4, 5, { numLayers: 2, batchFirst: true }), (n) => uniform(n, 6, 4)],
  ["GRU", new nn.GRU(4, 5, { bidirectional: true, batchFirst: true }), (n) => uniform(n, 6, 4)],
  ["LSTM", new nn.LSTM(4, 5, { numLayers: 2, dropout: 0.2, batchFirst: true }), (n) => uniform(n, 6, 4)],
  [
    "TransformerEncoderLayer",
    new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 6, batchFirst: true }),
    (n) => uniform(n, 5, 8),
  ],
  ["Flatten", new nn.Flatten(), (n) => uniform(n, 3, 4, 2)],
  ["Upsample", new nn.Upsample({ scaleFactor: 2, mode: "bilinear" }), (n) => uniform(n, 2, 3, 3)],
  [
    "activations",
    new nn.Sequential(new nn.ReLU(), new nn.GELU(), new nn.SiLU(), new nn.Tanh(), new nn.Softmax(1), new nn.ELU()),
    (n) => uniform(n, 7),
  ],
];
const values = (result: unknown) =>
  flattenTensors(result, "results").tensors.map((part) => [part.shape, [...part.dataSync()]]);

for (const training of [false, true]) {
  test.each(cases)(`%s (training: ${training})`, (name, layer, input) => {
    layer.train(training);
    const path = join(folder, `${name}-${training}.pt`);
    jit.save(jit.trace(layer as nn.Module, input(3)), path);
    const loaded = jit.load<[Tensor], unknown>(path);
    for (const batch of training ? [2, 5] : [1, 5]) {
      const call = (module: nn.AnyModule) => {
        setRandomSeed(batch);
        return noGrad(() => values((module as nn.Module)(input(batch))));
      };
      expect(call(loaded)).toEqual(call(layer));
    }
    expect(values(Object.values(loaded.stateDict()))).toEqual(values(Object.values(layer.stateDict())));
  });
}
