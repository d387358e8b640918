import type { SummaryRow, SummaryTotals } from "../train/summary-table.ts";
import type { Layer } from "./layer.ts";
import type { Model } from "./model.ts";

const isModel = (layer: Layer): layer is Model => "layers" in layer;

/** A row for each layer, and for the layers inside of models where asked for. */
export function summaryRows(model: Model, expandNested: boolean, depth = 0): SummaryRow[] {
  const prefix = depth === 0 ? "" : `${"   ".repeat(depth)}└ `;
  return model.layers.flatMap((layer) => [
    summaryRow(layer, prefix),
    ...(expandNested && isModel(layer) ? summaryRows(layer, true, depth + 1) : []),
  ]);
}

function summaryRow(layer: Layer, prefix: string): SummaryRow {
  return {
    name: prefix + layer.name,
    type: layer.className,
    outputShape: layer.built ? layer.outputShape : undefined,
    parameters: layer.built ? layer.countParams() : 0,
    built: layer.built,
    trainable: layer.weights.length > 0 ? layer.trainable : undefined,
  };
}

export function summaryTotals(model: Model): SummaryTotals {
  const count = (weights: readonly { size: number }[]) => weights.reduce((sum, weight) => sum + weight.size, 0);
  const optimizer = model.compiled && model.optimizer.built ? model.optimizer.countParams() : undefined;
  return { trainable: count(model.trainableWeights), nonTrainable: count(model.nonTrainableWeights), optimizer };
}
