import { expect, test } from "vitest";
import { ArgumentError } from "../../src/errors.ts";
import { readableMemorySize, renderSummary, type SummaryRow } from "../../src/train/summary-table.ts";
import goldens from "../goldens/keras-fit.json" with { type: "json" };

const row = (
  name: string,
  type: string,
  outputShape: SummaryRow["outputShape"],
  parameters: number,
  trainable?: boolean,
) =>
  ({
    name,
    type,
    outputShape,
    parameters,
    built: true,
    ...(trainable !== undefined && { trainable }),
  }) satisfies SummaryRow;

const seeds = [
  row("conv2d", "Conv2D", [null, 26, 26, 32], 320),
  row("conv2d_1", "Conv2D", [null, 24, 24, 64], 18496),
  row("max_pooling2d", "MaxPooling2D", [null, 12, 12, 64], 0),
  row("flatten", "Flatten", [null, 9216], 0),
  row("dense", "Dense", [null, 1024], 9438208),
  row("dense_1", "Dense", [null, 10], 10250),
];
const frozen = [
  row("dense", "Dense", [null, 4], 36, false),
  row("a_batch_normalization_layer_with_a_long_name", "BatchNormalization", [null, 4], 16, true),
  row("dense_1", "Dense", [null, 2], 10, true),
];
const frozenTotals = { trainable: 18, nonTrainable: 44, optimizer: 38, optimizerBytes: 156 };
const unbuilt = ["dense", "dense_1"].map((name) => ({ ...row(name, "Dense", undefined, 0), built: false }));

test.each([
  ["seeds", () => renderSummary("sequential", seeds, { trainable: 9467274, nonTrainable: 0 })],
  ["narrow", () => renderSummary("sequential", seeds, { trainable: 9467274, nonTrainable: 0 }, { lineLength: 60 })],
  ["frozen", () => renderSummary("frozen", frozen, frozenTotals)],
  ["trainable", () => renderSummary("frozen", frozen, frozenTotals, { showTrainable: true })],
  ["unbuilt", () => renderSummary("unbuilt", unbuilt, { trainable: 0, nonTrainable: 0 })],
] as const)("equals Keras's: %s", (name, render) => {
  expect(render()).toBe(goldens.summaries[name]);
});

test("memory sizes", () => {
  expect([0, 1023, 1024, 37869096, 2 ** 60].map(readableMemorySize)).toEqual([
    "0.00 B",
    "1023.00 B",
    "1.00 KB",
    "36.11 MB",
    "1024.00 PB",
  ]);
});

test("a line that is too narrow is an ArgumentError", () => {
  expect(() => renderSummary("m", [], { trainable: 0, nonTrainable: 0 }, { lineLength: 10 })).toThrow(ArgumentError);
});
