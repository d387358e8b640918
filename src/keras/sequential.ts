import { ArgumentError } from "../errors.ts";
import type { Tensor } from "../tensor/index.ts";
import type { BatchShape, Config } from "./config.ts";
import { type CallOptions, formatBatchShape, Layer } from "./layer.ts";
import { InputLayer, isSymbolicInput, type SymbolicInput } from "./layers/core.ts";
import { Model } from "./model.ts";
import { deserializeLayer, modelJson, serializeLayer, toKerasConfig } from "./serialization.ts";

export interface SequentialOptions {
  readonly name?: string;
  readonly trainable?: boolean;
}

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
  private readonly stack: Layer[] = [];
  private input: InputLayer | undefined;

  constructor(layers: readonly (Layer | SymbolicInput)[] = [], options: SequentialOptions = {}) {
    super(options);
    for (const layer of layers) this.add(layer);
  }

  /** Appends a layer. With a known input shape the weights are made at once. */
  add(layer: Layer | SymbolicInput): void {
    const added = isSymbolicInput(layer) ? layer.layer : layer;
    if (!(added instanceof Layer)) {
      throw new ArgumentError(`Sequential "${this.name}": add expects a layer, received ${typeof added}.`);
    }
    if (added instanceof InputLayer) {
      if (this.input || this.stack.length > 0) {
        throw new ArgumentError(
          `Sequential "${this.name}": an input must come first and once${
            this.input ? `; the model takes inputs of shape ${formatBatchShape(this.input.batchShape)}` : ""
          }.`,
        );
      }
      this.input = added;
      return;
    }
    if (this.stack.includes(added) || this.stack.some(({ name }) => name === added.name)) {
      throw new ArgumentError(
        `Sequential "${this.name}": all layers need different names, and "${added.name}" is in the model already; pass { name: "…" }.`,
      );
    }
    if (this.stack.length === 0 && !this.input && added.inputShapeArgument) {
      this.input = new InputLayer({ shape: added.inputShapeArgument });
    }
    const before = this.built ? this.outputShape : this.input?.batchShape;
    this.stack.push(added);
    if (!before) return;
    const shape =
      this.stack.length === 1 ? (this.input as InputLayer).batchShape : this.shapeAfter(this.stack.length - 1);
    try {
      added.buildFor(shape);
      added.computeOutputShape(shape);
    } catch (error) {
      // A layer that does not fit is not part of the model.
      this.stack.pop();
      throw error;
    }
    this.builtShape = (this.input as InputLayer).batchShape;
    this.built = true;
  }

  /** Removes the last layer. */
  pop(): Layer {
    const layer = this.stack.pop();
    if (!layer) throw new ArgumentError(`Sequential "${this.name}": there is no layer to remove.`);
    if (this.stack.length === 0) this.built = false;
    return layer;
  }

  /** Shape after the first `count` layers. */
  private shapeAfter(count: number): BatchShape {
    let shape = (this.builtShape ?? this.input?.batchShape) as BatchShape;
    for (const layer of this.stack.slice(0, count)) shape = layer.computeOutputShape(shape);
    return shape;
  }

  override get layers(): readonly Layer[] {
    return [...this.stack];
  }
  protected override get nestedLayers(): readonly Layer[] {
    return this.stack;
  }

  override buildFor(inputShape: BatchShape): void {
    if (this.built) return;
    super.buildFor(this.input?.batchShape ?? inputShape);
  }
  override build(inputShape: BatchShape): void {
    if (this.stack.length === 0) {
      throw new ArgumentError(`Sequential "${this.name}" has no layers; call model.add(layer) first.`);
    }
    let shape = inputShape;
    for (const layer of this.stack) {
      layer.buildFor(shape);
      shape = layer.computeOutputShape(shape);
    }
    this.builtShape = inputShape;
    this.built = true;
  }

  override call(inputs: Tensor, options: CallOptions): Tensor {
    let value = inputs.dtype === "f32" ? inputs : inputs.cast("f32");
    for (const layer of this.stack) value = layer(value, options);
    return value;
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return this.stack.reduce((shape, layer) => layer.computeOutputShape(shape), inputShape);
  }

  /** What makes the same model again, without weights. */
  override getConfig(): Config {
    return {
      name: this.name,
      trainable: this.trainable,
      layers: [...(this.input ? [this.input] : []), ...this.stack].map((layer) => serializeLayer(layer)),
      buildInputShape: this.builtShape ?? null,
    };
  }
  static fromConfig(config: Config): Sequential {
    if (!Array.isArray(config.layers)) {
      throw new ArgumentError("Sequential.fromConfig: the configuration has no list of layers.");
    }
    const layers = (config.layers as readonly Config[]).map(deserializeLayer);
    const model = new Sequential(layers, { name: config.name as string | undefined });
    const shape = config.buildInputShape as BatchShape | null | undefined;
    if (shape && !model.built) model.buildFor(shape);
    return model;
  }
  override toJSON(): Config {
    return modelJson(this.className, toKerasConfig(this.getConfig()) as Config);
  }
}
