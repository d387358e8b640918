import { ArgumentError } from "../errors.ts";
import type { Tensor } from "../tensor/index.ts";
import type { BatchShape, Config } from "./config.ts";
import { KerasTensor } from "./keras-tensor.ts";
import { type AnyLayer, type CallOptions, formatBatchShape, Layer } from "./layer.ts";
import { InputLayer } from "./layers/input.ts";
import { Model } from "./model.ts";
import { deserializeLayer, serializeLayer } from "./serialization.ts";
import type { ShapeStructure } from "./structure.ts";
import { callLayer, outputShapeOf } from "./symbolic.ts";

export interface SequentialOptions {
  readonly name?: string | undefined;
  readonly trainable?: boolean | undefined;
}

/** A layer that takes one tensor and gives one. */
type StackLayer = Layer<Tensor, Tensor, never> | KerasTensor;

/**
 * Layers one after another.
 *
 * @example
 * ```ts
 * const model = new Sequential();
 * model.add(new Conv2D(32, [3, 3], { inputShape: [28, 28, 1], activation: "relu" }));
 * model.add(new Flatten());
 * model.add(new Dense(10, { activation: "softmax" }));
 * ```
 */
export class Sequential extends Model {
  private readonly stack: AnyLayer[] = [];
  private entry: InputLayer | undefined;
  /** What the layers so far give symbolically, once the input shape is known. */
  private readonly tails: KerasTensor[] = [];

  constructor(layers: readonly StackLayer[] = [], options: SequentialOptions = {}) {
    super(options);
    for (const layer of layers) this.add(layer);
  }

  /** Appends a layer. With a known input shape the weights are made at once. */
  add(layer: StackLayer): void {
    const added: AnyLayer = layer instanceof KerasTensor ? layer.history.layer : layer;
    if (!(added instanceof Layer)) {
      throw new ArgumentError(`Sequential "${this.name}": add expects a layer, received ${typeof added}.`);
    }
    if (added instanceof InputLayer) {
      if (this.entry || this.stack.length > 0) {
        throw new ArgumentError(
          `Sequential "${this.name}": an input must come first and once${
            this.entry ? `; the model takes inputs of shape ${formatBatchShape(this.entry.batchShape)}` : ""
          }.`,
        );
      }
      this.entry = added;
      return;
    }
    if (this.stack.includes(added) || this.stack.some(({ name }) => name === added.name)) {
      throw new ArgumentError(
        `Sequential "${this.name}": all layers need different names, and "${added.name}" is in the model already; pass { name: "…" }.`,
      );
    }
    if (this.stack.length === 0 && !this.entry && added.inputShapeArgument) {
      this.entry = new InputLayer({ shape: added.inputShapeArgument });
    }
    this.stack.push(added);
    if (!this.entry) return;
    try {
      this.extend(added);
    } catch (error) {
      // A layer that does not fit is not part of the model.
      this.stack.pop();
      throw error;
    }
    this.builtShape = this.entry.batchShape;
    this.built = true;
  }

  /** Calls a layer on what the one before gives symbolically; this builds it. */
  private extend(layer: AnyLayer): void {
    const before = this.tails.at(-1) ?? (this.entry as InputLayer).symbol;
    const result: unknown = callLayer(layer, before);
    if (!(result instanceof KerasTensor)) {
      throw new ArgumentError(
        `Sequential "${this.name}": layer "${layer.name}" gives several tensors; use new Model({ inputs, outputs }).`,
      );
    }
    this.tails.push(result);
  }

  /** Removes the last layer. */
  pop(): AnyLayer {
    const layer = this.stack.pop();
    if (!layer) throw new ArgumentError(`Sequential "${this.name}": there is no layer to remove.`);
    if (this.tails.length > this.stack.length) {
      const { nodeIndex } = (this.tails.pop() as KerasTensor).history;
      if (nodeIndex === layer.inboundNodes.length - 1) layer.inboundNodes.pop();
    }
    if (this.stack.length === 0) this.built = false;
    return layer;
  }

  override get layers(): readonly AnyLayer[] {
    return [...this.stack];
  }
  protected override get nestedLayers(): readonly AnyLayer[] {
    return this.stack;
  }
  override get inputs(): readonly KerasTensor[] {
    return this.entry ? [this.entry.symbol] : super.inputs;
  }
  override get outputs(): readonly KerasTensor[] {
    const tail = this.tails.at(-1);
    return tail ? [tail] : super.outputs;
  }

  override buildFor(inputShape: BatchShape): void {
    if (this.built) return;
    super.buildFor(this.entry?.batchShape ?? inputShape);
  }
  override build(inputShape: BatchShape): void {
    if (this.stack.length === 0) {
      throw new ArgumentError(`Sequential "${this.name}" has no layers; call model.add(layer) first.`);
    }
    const given = this.entry;
    this.entry ??= new InputLayer({ shape: inputShape.slice(1), batchSize: inputShape[0] });
    try {
      for (const layer of this.stack.slice(this.tails.length)) this.extend(layer);
    } catch (error) {
      this.entry = given;
      this.tails.length = 0;
      throw error;
    }
    this.builtShape = inputShape;
    this.built = true;
  }

  override call(inputs: Tensor, options: CallOptions): Tensor {
    const dtype = this.entry?.inputDType ?? "f32";
    let value = inputs.dtype === dtype ? inputs : inputs.cast(dtype);
    for (const layer of this.stack) value = callLayer(layer, value, { training: options.training }) as Tensor;
    return value;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return this.stack.reduce<ShapeStructure>((shape, layer) => outputShapeOf(layer, shape), inputShape) as BatchShape;
  }

  /** What makes the same model again, without weights. */
  override getConfig(): Config {
    return {
      name: this.name,
      trainable: this.trainable,
      layers: [...(this.entry ? [this.entry] : []), ...this.stack].map((layer) => serializeLayer(layer)),
      buildInputShape: this.builtShape ?? null,
    };
  }
  static fromConfig(config: Config): Sequential {
    if (!Array.isArray(config.layers)) {
      throw new ArgumentError("Sequential.fromConfig: the configuration has no list of layers.");
    }
    const layers = (config.layers as readonly Config[]).map(
      (layer) => deserializeLayer(layer) as unknown as StackLayer,
    );
    const model = new Sequential(layers, { name: config.name as string | undefined });
    const shape = config.buildInputShape as BatchShape | null | undefined;
    if (shape && !model.built) model.buildFor(shape);
    return model;
  }
}
