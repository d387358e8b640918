import { ArgumentError, ShapeError, UnsupportedError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import type { Tensor } from "../tensor/index.ts";
import { leavesOf, mapStructure, type Structure } from "../train/structure.ts";
import type { BatchShape, Config, ConfigValue } from "./config.ts";
import { KerasTensor, type LayerNode } from "./keras-tensor.ts";
import { type AnyLayer, formatBatchShape } from "./layer.ts";
import { InputLayer } from "./layers/input.ts";
import { setMask } from "./mask.ts";
import { isRecord, type ShapeStructure, type SymbolicStructure, shapesIn, type TensorStructure } from "./structure.ts";
import { callLayer, fillOptions, outputShapeOf } from "./symbolic.ts";

const nodeOf = ({ history }: KerasTensor): LayerNode => history.layer.inboundNodes[history.nodeIndex];

/** What lies between symbolic inputs and outputs: the calls in the order in which they run, and the layers in Keras' order. */
export class FunctionalGraph {
  readonly inputs: SymbolicStructure;
  readonly outputs: SymbolicStructure;
  /** All layers, inputs included, by distance from the outputs: the order of weights. */
  readonly layers: readonly AnyLayer[];
  /** Calls, each after those whose results it reads. */
  readonly nodes: readonly LayerNode[];
  private readonly owner: string;

  constructor(owner: string, inputs: SymbolicStructure, outputs: SymbolicStructure) {
    this.owner = owner;
    this.inputs = inputs;
    this.outputs = outputs;
    checkSymbols(owner, "inputs", inputs);
    checkSymbols(owner, "outputs", outputs);
    const ends = new Set(this.flatInputs);
    if (ends.size < this.flatInputs.length) throw new ArgumentError(`${owner}: an input is given twice.`);
    const walk = walkBack(owner, this.flatOutputs, ends);
    this.nodes = walk.nodes;
    this.layers = orderLayers(this.flatInputs, walk);
    this.checkNames();
  }

  get flatInputs(): readonly KerasTensor[] {
    return leavesOf<KerasTensor>(this.inputs);
  }
  get flatOutputs(): readonly KerasTensor[] {
    return leavesOf<KerasTensor>(this.outputs);
  }
  get inputNames(): string[] {
    return this.flatInputs.map(({ history }) => history.layer.name);
  }
  get outputNames(): string[] {
    return this.flatOutputs.map(({ history }) => history.layer.name);
  }
  get inputShape(): ShapeStructure {
    return mapStructure<KerasTensor, BatchShape>(this.inputs, ({ shape }) => shape) as ShapeStructure;
  }

  private checkNames(): void {
    const seen = new Set<string>();
    for (const { name } of this.layers) {
      if (seen.has(name)) {
        throw new ArgumentError(
          `${this.owner}: the name "${name}" belongs to two layers; all layers need different names, pass { name: "…" }.`,
        );
      }
      seen.add(name);
    }
  }

  /** Tensors (or shapes) for the inputs in order, from any structure that fits: by position or by name. */
  private arrange<Value>(given: Structure<Value>): readonly Value[] {
    const { inputs, inputNames } = this;
    const wanted = isRecord(inputs) ? Object.keys(inputs) : inputNames;
    if (isRecord(given)) {
      return wanted.map((name, index) => {
        const key = Object.hasOwn(given, name) ? name : inputNames[index];
        if (Object.hasOwn(given, key)) return (given as Readonly<Record<string, Value>>)[key];
        throw new ArgumentError(
          `${this.owner}: expected inputs named ${wanted.join(", ")}, received ${Object.keys(given).join(", ") || "none"}.`,
        );
      });
    }
    const list = leavesOf(given);
    if (list.length === wanted.length) return list;
    throw new ArgumentError(
      `${this.owner}: expected ${wanted.length} inputs (${wanted.join(", ")}), received ${list.length}.`,
    );
  }

  /** The outputs for inputs. */
  run(given: TensorStructure, masks: Structure<Tensor | undefined> | undefined): TensorStructure {
    const values = new Map<KerasTensor, Tensor>();
    const tensors = this.arrange<Tensor>(given);
    const givenMasks = masks === undefined ? [] : leavesOf<Tensor | undefined>(masks);
    this.flatInputs.forEach((symbol, index) => {
      const tensor = this.fit(symbol, tensors[index]);
      setMask(tensor, givenMasks[index]);
      values.set(symbol, tensor);
    });
    const tensorFor = (symbol: KerasTensor): Tensor => values.get(symbol) as Tensor;
    for (const node of this.nodes) {
      if (leavesOf<KerasTensor>(node.outputs).every((symbol) => values.has(symbol))) continue;
      const results = callLayer(
        node.layer,
        mapStructure<KerasTensor, Tensor>(node.inputs, tensorFor),
        fillOptions(node.options, tensorFor),
      );
      const list = leavesOf<Tensor>(results);
      leavesOf<KerasTensor>(node.outputs).forEach((symbol, index) => {
        values.set(symbol, list[index]);
      });
    }
    return mapStructure<KerasTensor, Tensor>(this.outputs, tensorFor);
  }

  /** A tensor in the dtype and rank of an input, as Keras adapts it: a last axis of 1 may be missing or too many. */
  private fit({ shape, dtype, history }: KerasTensor, given: Tensor): Tensor {
    let tensor = given.dtype === dtype ? given : given.cast(dtype);
    if (tensor.rank === shape.length - 1 && shape.at(-1) === 1) tensor = tensor.reshape([...tensor.shape, 1]);
    else if (tensor.rank === shape.length + 1 && tensor.shape.at(-1) === 1) {
      tensor = tensor.reshape(tensor.shape.slice(0, -1));
    }
    const fits =
      tensor.rank === shape.length &&
      shape.every((size, axis) => axis === 0 || size === null || size === tensor.shape[axis]);
    if (fits) return tensor;
    throw new ShapeError(
      `${this.owner}: input "${history.layer.name}" has shape ${formatBatchShape(shape)}, received ${formatShape(given.shape)}.`,
    );
  }

  /** Output shapes for input shapes. */
  shapes(inputShape: ShapeStructure): ShapeStructure {
    const values = new Map<KerasTensor, BatchShape>();
    const given = isRecord(inputShape) ? (inputShape as Readonly<Record<string, BatchShape>>) : shapesIn(inputShape);
    const list = this.arrange<BatchShape>(given as Structure<BatchShape>);
    this.flatInputs.forEach((symbol, index) => values.set(symbol, list[index]));
    const shapeFor = (symbol: KerasTensor): BatchShape => values.get(symbol) as BatchShape;
    for (const node of this.nodes) {
      if (leavesOf<KerasTensor>(node.outputs).every((symbol) => values.has(symbol))) continue;
      const symbols = leavesOf<KerasTensor>(node.outputs);
      const inputs = mapStructure<KerasTensor, BatchShape>(node.inputs, shapeFor) as ShapeStructure;
      const unchanged = leavesOf<KerasTensor>(node.inputs).every(
        (symbol) => formatBatchShape(shapeFor(symbol)) === formatBatchShape(symbol.shape),
      );
      const shapes = unchanged ? symbols.map(({ shape }) => shape) : shapesIn(outputShapeOf(node.layer, inputs));
      symbols.forEach((symbol, index) => values.set(symbol, shapes[index]));
    }
    return mapStructure<KerasTensor, BatchShape>(this.outputs, shapeFor) as ShapeStructure;
  }

  // ---- as data ----

  /** The calls of a layer that belong to this graph. */
  nodesOf(layer: AnyLayer): readonly LayerNode[] {
    return layer.inboundNodes.filter((node) => this.nodes.includes(node));
  }
  private historyOf(symbol: KerasTensor): ConfigValue {
    const { layer, tensorIndex } = symbol.history;
    return [layer.name, this.nodesOf(layer).indexOf(nodeOf(symbol)), tensorIndex];
  }
  private structureConfig(structure: SymbolicStructure): ConfigValue {
    if (structure instanceof KerasTensor) return this.historyOf(structure);
    const histories = leavesOf<KerasTensor>(structure).map((symbol) => this.historyOf(symbol));
    return isRecord(structure) ? { names: Object.keys(structure), tensors: histories } : histories;
  }
  private optionConfig(layer: AnyLayer, name: string, value: unknown): ConfigValue | undefined {
    if (value instanceof KerasTensor) return { kerasTensor: this.historyOf(value) };
    if (Array.isArray(value)) return value.map((entry) => this.optionConfig(layer, name, entry) ?? null);
    if (value === null || value === undefined || ["boolean", "number", "string"].includes(typeof value)) {
      return value as ConfigValue | undefined;
    }
    throw new ArgumentError(
      `${this.owner}: the call of "${layer.name}" has an option "${name}" that cannot be saved: ${typeof value}.`,
    );
  }

  /** The graph as data; `serialize` writes a layer. */
  getConfig(serialize: (layer: AnyLayer) => Config): Config {
    const foreign = this.flatInputs.find(({ history }) => !(history.layer instanceof InputLayer));
    if (foreign) {
      throw new UnsupportedError(
        `${this.owner}: its input ${foreign.name} is the output of a layer, not of Input; such a model cannot be saved with its architecture. Save its weights.`,
      );
    }
    return {
      layers: this.layers.map((layer) => ({
        ...serialize(layer),
        name: layer.name,
        inboundNodes: this.nodesOf(layer)
          .filter(({ reads }) => reads.length > 0)
          .map(({ inputs, options }) => ({
            inputs: this.structureConfig(inputs),
            options: Object.fromEntries(
              Object.entries(options).map(([name, value]) => [name, this.optionConfig(layer, name, value)]),
            ),
          })),
      })),
      inputLayers: this.structureConfig(this.inputs),
      outputLayers: this.structureConfig(this.outputs),
    };
  }
}

function checkSymbols(owner: string, argument: string, structure: unknown): void {
  const leaves = leavesOf(structure as Structure<unknown>);
  if (leaves.length > 0 && leaves.every((leaf) => leaf instanceof KerasTensor)) return;
  throw new ArgumentError(
    `${owner}: ${argument} must be what Input or a layer gave symbolically (one, a list, or a record of them); received ${
      leaves.length === 0 ? "nothing" : typeof leaves.find((leaf) => !(leaf instanceof KerasTensor))
    }.`,
  );
}

interface Walk {
  /** Each after what it reads. */
  readonly nodes: LayerNode[];
  /** Layers as they are first met on the way back from the outputs. */
  readonly met: Map<AnyLayer, number>;
}

/** All calls between inputs and outputs, found from the outputs backwards. */
function walkBack(owner: string, outputs: readonly KerasTensor[], ends: ReadonlySet<KerasTensor>): Walk {
  const nodes: LayerNode[] = [];
  const met = new Map<AnyLayer, number>();
  const finished = new Set<LayerNode>();
  // A stack of its own: graphs may be deeper than the call stack.
  const stack: { node: LayerNode; next: number }[] = [];
  const enter = (symbol: KerasTensor): void => {
    const node = nodeOf(symbol);
    if (finished.has(node)) return;
    const isInput = node.layer instanceof InputLayer;
    if (ends.has(symbol) && !isInput) return;
    if (isInput && !ends.has(symbol)) {
      throw new ArgumentError(
        `${owner}: the outputs depend on the input "${symbol.history.layer.name}", which is not among the model's inputs.`,
      );
    }
    if (!met.has(node.layer)) met.set(node.layer, met.size);
    stack.push({ node, next: 0 });
  };
  for (const output of outputs) {
    enter(output);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.node.reads.length) {
        enter(top.node.reads[top.next++]);
        continue;
      }
      stack.pop();
      if (finished.has(top.node)) continue;
      finished.add(top.node);
      nodes.push(top.node);
    }
  }
  for (const input of ends) {
    const node = nodeOf(input);
    if (!(node.layer instanceof InputLayer) || finished.has(node)) continue;
    // an input that no output reads is part of the model all the same
    nodes.unshift(node);
    met.set(node.layer, -1);
  }
  return { nodes, met };
}

/** Layers by decreasing distance from the outputs, as Keras orders them (and so their weights). */
function orderLayers(inputs: readonly KerasTensor[], { nodes, met }: Walk): AnyLayer[] {
  const inGraph = new Set(nodes);
  const stops = new Set(inputs);
  const ofNode = new Map<LayerNode, number>();
  const ofLayer = new Map<AnyLayer, number>();
  for (const node of nodes.toReversed()) {
    const depth = Math.max(ofNode.get(node) ?? 0, ofLayer.get(node.layer) ?? 0);
    ofLayer.set(node.layer, depth);
    ofNode.set(node, depth);
    for (const symbol of node.reads) {
      const parent = nodeOf(symbol);
      if (!inGraph.has(parent) || (stops.has(symbol) && !(parent.layer instanceof InputLayer))) continue;
      ofNode.set(parent, Math.max(depth + 1, ofNode.get(parent) ?? 0));
    }
  }
  const place = (layer: AnyLayer): number => met.get(layer) ?? 0;
  const depth = (layer: AnyLayer): number => ofLayer.get(layer) ?? 0;
  return [...ofLayer.keys()].sort((left, right) => depth(right) - depth(left) || place(left) - place(right));
}
