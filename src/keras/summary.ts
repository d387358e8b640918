import { leavesOf } from "../train/structure.ts";
import type { SummaryRow, SummaryTotals } from "../train/summary-table.ts";
import type { KerasTensor } from "./keras-tensor.ts";
import { type AnyLayer, formatBatchShape } from "./layer.ts";
import type { AnyModel } from "./model.ts";
import { isRecord, type ShapeStructure, shapesIn } from "./structure.ts";

const isModel = (layer: AnyLayer): layer is AnyModel => "layers" in layer;

/** A row for each layer, and for the layers inside of models where asked for. */
export function summaryRows(
  model: AnyModel,
  expandNested: boolean,
  depth = 0,
  connected = isNetwork(model),
): SummaryRow[] {
  const prefix = depth === 0 ? "" : `${"   ".repeat(depth)}└ `;
  const graph = depth === 0 ? model.functionalGraph : undefined;
  return model.layers.flatMap((layer) => [
    { ...summaryRow(layer, prefix), ...(connected && { connectedTo: graph ? connections(model, layer) : "-" }) },
    ...(expandNested && isModel(layer) ? summaryRows(layer, true, depth + 1, connected) : []),
  ]);
}

/** Whether layers are more than a chain: several inputs, branches, merges, or a layer that is called twice. */
function isNetwork({ functionalGraph: graph }: AnyModel): boolean {
  if (!graph) return false;
  const reads = graph.nodes.flatMap((node) => node.reads);
  const branches = new Set(reads).size < reads.length;
  const merges = graph.nodes.some((node) => node.reads.length > 1);
  return branches || merges || graph.flatInputs.length > 1 || graph.nodes.length > graph.layers.length;
}

/** `dense[0][0], dense_1[0][0]`: where the inputs of a layer come from. */
function connections({ functionalGraph: graph }: AnyModel, layer: AnyLayer): string {
  const reads = graph?.nodesOf(layer).flatMap((node) => node.reads) ?? [];
  const text = ({ history }: KerasTensor) => `${history.layer.name}[${history.nodeIndex}][${history.tensorIndex}]`;
  return reads.length === 0 ? "-" : reads.map(text).join(", ");
}

function summaryRow(layer: AnyLayer, prefix: string): SummaryRow {
  return {
    name: prefix + layer.name,
    type: layer.className,
    outputShape: layer.built ? outputShape(layer) : undefined,
    parameters: layer.built ? layer.countParams() : 0,
    built: layer.built,
    trainable: layer.weights.length > 0 ? layer.trainable : undefined,
  };
}

/** The output's shape; several shapes as one text. */
function outputShape(layer: AnyLayer): SummaryRow["outputShape"] {
  const last = layer.inboundNodes.at(-1);
  const shapes = last
    ? leavesOf<KerasTensor>(last.outputs).map(({ shape }) => shape)
    : shapesIn(layer.outputShape as unknown as ShapeStructure);
  if (shapes.length === 1) return shapes[0];
  const texts = shapes.map(formatBatchShape);
  const names = last && isRecord(last.outputs) ? Object.keys(last.outputs) : undefined;
  return names ? `{${texts.map((text, index) => `${names[index]}: ${text}`).join(", ")}}` : `[${texts.join(", ")}]`;
}

export function summaryTotals(model: AnyModel): SummaryTotals {
  const count = (weights: readonly { size: number }[]) => weights.reduce((sum, weight) => sum + weight.size, 0);
  const optimizer = model.compiled && model.optimizer.built ? model.optimizer.countParams() : undefined;
  return { trainable: count(model.trainableWeights), nonTrainable: count(model.nonTrainableWeights), optimizer };
}
