import { DataError } from "../errors.ts";
import { leavesOf } from "../train/structure.ts";
import type { Config, ConfigValue } from "./config.ts";
import type { KerasTensor } from "./keras-tensor.ts";
import type { AnyLayer } from "./layer.ts";
import { InputLayer } from "./layers/input.ts";
import { isRecord, type SymbolicStructure } from "./structure.ts";
import { callLayer } from "./symbolic.ts";

/** Symbolic inputs and outputs from what `getConfig` gave; `revive` makes a layer. Every mistake in the data is a `DataError`. */
export function graphFromConfig(
  config: Config,
  revive: (layer: Config) => AnyLayer,
): { inputs: SymbolicStructure; outputs: SymbolicStructure } {
  if (!Array.isArray(config.layers)) throw new DataError("a functional model's configuration has no list of layers.");
  const layers = new Map<string, AnyLayer>();
  const made = new Map<string, KerasTensor[][]>();
  const waiting: { name: string; layer: AnyLayer; calls: Config[] }[] = [];
  for (const entry of config.layers as readonly Config[]) {
    const layer = revive(entry);
    if (layers.has(layer.name)) throw new DataError(`two layers of a saved model have the name "${layer.name}".`);
    layers.set(layer.name, layer);
    const first =
      layer instanceof InputLayer ? [leavesOf<KerasTensor>(layer.inboundNodes[0].outputs) as KerasTensor[]] : [];
    made.set(layer.name, first);
    const calls = (entry.inboundNodes ?? []) as readonly Config[];
    if (!Array.isArray(calls)) throw new DataError(`layer "${layer.name}" of a saved model has no list of calls.`);
    waiting.push({ name: layer.name, layer, calls: [...calls] });
  }
  const find = (history: unknown): KerasTensor | undefined => {
    const [name, node, tensor] = history as readonly [string, number, number];
    const nodes = made.get(name);
    if (!nodes) throw new DataError(`a saved model mentions a layer "${String(name)}" that it does not have.`);
    return nodes[node]?.[tensor];
  };
  class Missing extends Error {}
  const need = (history: unknown): KerasTensor => {
    const symbol = find(history);
    if (!symbol) throw new Missing();
    return symbol;
  };
  const structure = (value: ConfigValue | undefined): SymbolicStructure => {
    if (isRecord(value)) {
      const { names, tensors } = value as { names: readonly string[]; tensors: readonly ConfigValue[] };
      return Object.fromEntries(names.map((name, index) => [name, need(tensors[index])]));
    }
    if (!Array.isArray(value)) throw new DataError("a saved model has a call without inputs.");
    return typeof value[0] === "string" ? need(value) : (value as readonly unknown[]).map(need);
  };
  const option = (value: ConfigValue | undefined): unknown => {
    if (Array.isArray(value)) return value.map(option);
    return isRecord(value) && "kerasTensor" in value ? need(value.kerasTensor) : value;
  };
  for (let progress = true; progress; ) {
    progress = false;
    for (const { name, layer, calls } of waiting) {
      while (calls.length > 0) {
        try {
          const inputs = structure(calls[0].inputs);
          const options = Object.entries((calls[0].options ?? {}) as Config).map(([key, value]) => [
            key,
            option(value),
          ]);
          const before = layer.inboundNodes.length;
          callLayer(layer, inputs, Object.fromEntries(options));
          made.get(name)?.push([...leavesOf<KerasTensor>(layer.inboundNodes[before].outputs)]);
        } catch (error) {
          if (error instanceof Missing) break;
          throw error;
        }
        calls.shift();
        progress = true;
      }
    }
  }
  const stuck = waiting.find(({ calls }) => calls.length > 0);
  if (stuck) throw new DataError(`layer "${stuck.name}" of a saved model reads what no other layer gives.`);
  try {
    return { inputs: structure(config.inputLayers), outputs: structure(config.outputLayers) };
  } catch (error) {
    if (error instanceof Missing)
      throw new DataError("a saved model's inputs or outputs are not among its layers' results.");
    throw error;
  }
}
