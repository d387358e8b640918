/** Layers on symbolic tensors: finding shapes without computing, and recording calls. */
import { ArgumentError } from "../errors.ts";
import type { DType } from "../graph/dtype.ts";
import { discardUpdates } from "../nn/updates.ts";
import { noGrad, Tensor, zeros } from "../tensor/index.ts";
import { callContext } from "./call-context.ts";
import type { BatchShape } from "./config.ts";
import { KerasTensor, type LayerNode } from "./keras-tensor.ts";
import { type AnyLayer, Layer } from "./layer.ts";
import {
  leavesOf,
  mapShapes,
  mapStructure,
  type ShapeStructure,
  type Structure,
  type SymbolicStructure,
  type TensorStructure,
} from "./structure.ts";

/** A layer as the code here drives it, whatever it takes. */
interface Drivable {
  invoke(inputs: unknown, options?: object): unknown;
  buildFor(shape: unknown): void;
  computeOutputShape(shape: unknown): ShapeStructure;
}
const drive = (layer: AnyLayer): Drivable => layer as unknown as Drivable;

/** Calls a layer on a structure of tensors, where types cannot follow which. @internal */
export function callLayer(layer: AnyLayer, inputs: unknown, options?: object): TensorStructure {
  return drive(layer).invoke(inputs, options) as TensorStructure;
}
/** Builds a layer for a structure of shapes. @internal */
export function buildLayer(layer: AnyLayer, shape: ShapeStructure): void {
  drive(layer).buildFor(shape);
}
/** Output shapes of a layer for a structure of shapes. @internal */
export function outputShapeOf(layer: AnyLayer, shape: ShapeStructure): ShapeStructure {
  return drive(layer).computeOutputShape(shape);
}

/** Symbolic tensors among options: alone or in lists. */
function symbolsIn(options: object): KerasTensor[] {
  return Object.values(options)
    .flat()
    .filter((value) => value instanceof KerasTensor);
}

/** Whether a call is on symbolic tensors; a mixture is an error. */
export function readsSymbols(inputs: unknown, options: object): boolean {
  if (inputs instanceof Tensor) return false;
  const leaves = leavesOf(inputs as Structure<unknown>);
  const symbols = leaves.filter((leaf) => leaf instanceof KerasTensor).length;
  if (symbols > 0 && symbols < leaves.length) {
    throw new ArgumentError(
      `a layer was called on ${symbols} symbolic tensor${symbols === 1 ? "" : "s"} and ${leaves.length - symbols} other value${
        leaves.length - symbols === 1 ? "" : "s"
      }; inputs must all be symbolic, or all tensors.`,
    );
  }
  return symbols > 0 || (leaves.length === 0 && symbolsIn(options).length > 0);
}

/** What is known of a symbolic tensor. A class, since plain records are structures. */
export class Spec {
  readonly shape: BatchShape;
  readonly dtype: DType;
  constructor(shape: BatchShape, dtype: DType) {
    this.shape = shape;
    this.dtype = dtype;
  }
}

/** Sizes that stand for unknown ones: two dry runs tell which sizes of the outputs follow them. */
const trials = [
  { batch: 2, other: 16 },
  { batch: 3, other: 17 },
] as const;

/** Shapes and dtypes of what a layer gives, by calling it on zeros that nobody computes. */
function dryRun(layer: AnyLayer, inputs: Structure<Spec>, options: object): Structure<Spec> {
  const [first, second] = trials.map(({ batch, other }) => {
    const stand = ({ shape, dtype }: Spec): Tensor =>
      zeros(
        shape.map((size, axis) => size ?? (axis === 0 ? batch : other)),
        dtype,
      );
    const concrete = (value: unknown): unknown => {
      if (value instanceof KerasTensor) return stand(value);
      return Array.isArray(value) ? value.map(concrete) : value;
    };
    const settings = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, concrete(value)]));
    const outer = callContext.current;
    try {
      return noGrad(() =>
        discardUpdates(() =>
          callLayer(layer, mapStructure(inputs, stand), { ...settings, training: settings.training ?? false }),
        ),
      );
    } finally {
      callContext.current = outer;
      layer.clearLosses();
    }
  });
  const others = leavesOf<Tensor>(second);
  let index = 0;
  return mapStructure<Tensor, Spec>(first, ({ shape, dtype }) => {
    const other = others[index++].shape;
    return new Spec(
      shape.map((size, axis) => (size === other[axis] ? size : null)),
      dtype,
    );
  });
}

/** Output shapes of a layer that does not say them: by a dry run, which builds it. */
export function inferOutputShape(layer: AnyLayer, inputShape: ShapeStructure): ShapeStructure {
  const specs = mapShapes(inputShape, (shape) => new Spec(shape, "f32"));
  return mapStructure<Spec, BatchShape>(dryRun(layer, specs, {}), ({ shape }) => shape) as ShapeStructure;
}

/** Records a call on symbolic tensors and gives what it returns symbolically. */
export function callSymbolically(layer: AnyLayer, inputs: SymbolicStructure, options: object): SymbolicStructure {
  const shapes = mapStructure<KerasTensor, BatchShape>(inputs, ({ shape }) => shape) as ShapeStructure;
  buildLayer(layer, shapes);
  const said = layer.computeOutputShape !== Layer.prototype.computeOutputShape;
  const specs: Structure<Spec> = said
    ? mapShapes(outputShapeOf(layer, shapes), (shape) => new Spec(shape, "f32"))
    : dryRun(
        layer,
        mapStructure<KerasTensor, Spec>(inputs, ({ shape, dtype }) => new Spec(shape, dtype)),
        options,
      );
  return recordNode(layer, inputs, options, specs).outputs;
}

/** Adds a node to a layer; its outputs are new symbolic tensors. */
export function recordNode(
  layer: AnyLayer,
  inputs: SymbolicStructure,
  options: object,
  specs: Structure<Spec>,
): LayerNode {
  const nodeIndex = layer.inboundNodes.length;
  let tensorIndex = 0;
  const outputs = mapStructure<Spec, KerasTensor>(specs, ({ shape, dtype }) => {
    const index = tensorIndex++;
    const number = nodeIndex + index === 0 ? "" : `_${nodeIndex}_${index}`;
    return new KerasTensor(shape, dtype, { layer, nodeIndex, tensorIndex: index }, `${layer.name}${number}`);
  });
  const node: LayerNode = {
    layer,
    inputs,
    options: options as Readonly<Record<string, unknown>>,
    reads: [...leavesOf<KerasTensor>(inputs), ...symbolsIn(options)],
    outputs,
  };
  layer.inboundNodes.push(node);
  return node;
}

/** The options of a node with values in place of its symbolic tensors. */
export function fillOptions(
  options: Readonly<Record<string, unknown>>,
  value: (symbol: KerasTensor) => Tensor,
): Record<string, unknown> {
  const fill = (entry: unknown): unknown => {
    if (entry instanceof KerasTensor) return value(entry);
    return Array.isArray(entry) ? entry.map(fill) : entry;
  };
  return Object.fromEntries(Object.entries(options).map(([name, entry]) => [name, fill(entry)]));
}
