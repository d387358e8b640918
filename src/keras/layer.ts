import { ArgumentError, ShapeError, UnsupportedError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../graph/shape.ts";
import { Callable } from "../nn/callable.ts";
import { type NumericArray, Tensor, tensor, tensorView, Variable } from "../tensor/index.ts";
import type { BatchShape, Config } from "./config.ts";
import type { InitializerLike } from "./initializers.ts";
import * as initializers from "./initializers.ts";
import { autoName } from "./naming.ts";
import { checkOptions } from "./options.ts";

/** Options that every layer takes. */
export interface LayerOptions {
  /** Default: the class's name in snake case, numbered. */
  readonly name?: string;
  /** Whether training changes the layer's weights. */
  readonly trainable?: boolean;
  /** Sizes of one example; makes a Sequential model buildable at once. */
  readonly inputShape?: Shape;
  /** Only 'float32' is available. */
  readonly dtype?: "float32";
}
const layerOptionNames = ["name", "trainable", "inputShape", "dtype"] as const;

export interface CallOptions {
  /** Whether layers that differ in training (Dropout, BatchNormalization) behave as in training. */
  readonly training?: boolean;
}

/** What a weight may be set to. */
export type WeightInput = Tensor | NumericArray;

/**
 * Base of all layers. A layer is called with a tensor; the first call, or `build`, makes its weights. Subclasses implement `call`, and `build` and
 * `computeOutputShape` where they have weights or change the shape.
 */
export abstract class Layer extends Callable<[inputs: Tensor, options?: CallOptions], Tensor> {
  override readonly name: string;
  /** Whether the weights exist. */
  built = false;
  /** Input shape of one example as the user gave it. */
  readonly inputShapeArgument: Shape | undefined;
  private isTrainable: boolean;
  private readonly ownTrainable: Variable[] = [];
  private readonly ownNonTrainable: Variable[] = [];
  /** Shape that the layer was built for; the batch axis is null. */
  protected builtShape: BatchShape | undefined;

  constructor(options: LayerOptions = {}, ownOptions: readonly string[] = []) {
    super();
    const className = new.target.name;
    checkOptions(className, options, [...ownOptions, ...layerOptionNames]);
    if (options.dtype !== undefined && options.dtype !== "float32") {
      throw new UnsupportedError(
        `${className}: dtype "${String(options.dtype)}" is not available; layers compute in float32.`,
      );
    }
    this.name = options.name ?? autoName(className);
    if (this.name.includes("/")) {
      throw new ArgumentError(`${className}: a layer's name cannot contain "/", received "${this.name}".`);
    }
    this.isTrainable = options.trainable ?? true;
    this.inputShapeArgument = options.inputShape;
  }

  /** The class's name in Keras. */
  get className(): string {
    return this.constructor.name;
  }

  override invoke(inputs: Tensor, options: CallOptions = {}): Tensor {
    if (!(inputs instanceof Tensor)) {
      throw new ArgumentError(`${this.className} "${this.name}": expected a tensor, received ${typeof inputs}.`);
    }
    const shape: BatchShape = [null, ...inputs.shape.slice(1)];
    if (!this.built) this.buildFor(shape);
    return this.call(inputs, options);
  }

  /** What the layer computes. */
  abstract override call(inputs: Tensor, options: CallOptions): Tensor;

  /** Makes the weights for inputs of a shape. */
  build(_inputShape: BatchShape): void {}

  /** Builds once, and remembers for which shape. */
  buildFor(inputShape: BatchShape): void {
    if (this.built) return;
    this.build(inputShape);
    this.builtShape = inputShape;
    this.built = true;
  }

  /** Shape of the output for an input shape, without computing. */
  computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  /** Creates a weight of this layer. */
  protected addWeight(options: {
    readonly name: string;
    readonly shape: Shape;
    readonly initializer?: InitializerLike;
    readonly trainable?: boolean;
  }): Variable {
    const trains = options.trainable ?? true;
    const initializer = initializers.get(options.initializer ?? "glorot_uniform", `${this.className} "${this.name}"`);
    const variable = new Variable(initializer(options.shape), {
      name: `${this.name}/${options.name}`,
      trainable: trains && this.isTrainable,
    });
    (trains ? this.ownTrainable : this.ownNonTrainable).push(variable);
    return variable;
  }

  /** Layers inside this one: those that it holds as properties, alone or in arrays. */
  protected get nestedLayers(): readonly Layer[] {
    const values: unknown[] = Object.values(this).flat();
    return values.filter((value) => value instanceof Layer);
  }

  /** Whether training changes the weights; setting it reaches the layers inside. Takes effect with the next step, without `compile`. */
  get trainable(): boolean {
    return this.isTrainable;
  }
  set trainable(value: boolean) {
    this.isTrainable = value;
    for (const variable of this.ownTrainable) variable.trainable = value;
    for (const layer of this.nestedLayers) layer.trainable = value;
  }

  /** All weights, layer by layer: those that training changes by gradients, then the others. */
  get weights(): Variable[] {
    return [...this.ownTrainable, ...this.ownNonTrainable, ...this.nestedLayers.flatMap((layer) => layer.weights)];
  }
  /** Weights that the optimizer changes. */
  get trainableWeights(): Variable[] {
    if (!this.isTrainable) return [];
    return [...this.ownTrainable, ...this.nestedLayers.flatMap((layer) => layer.trainableWeights)];
  }
  get nonTrainableWeights(): Variable[] {
    const trainable = new Set(this.trainableWeights);
    return this.weights.filter((weight) => !trainable.has(weight));
  }
  get variables(): Variable[] {
    return this.weights;
  }
  get trainableVariables(): Variable[] {
    return this.trainableWeights;
  }
  get nonTrainableVariables(): Variable[] {
    return this.nonTrainableWeights;
  }

  /** Copies of the weights. */
  getWeights(): Tensor[] {
    return this.weights.map((weight) => tensorView(weight.dataSync(), weight.shape, weight.dtype));
  }

  /** Replaces the weights; number, order and shapes must be those of `getWeights()`. */
  setWeights(values: readonly WeightInput[]): void {
    const { weights } = this;
    if (values.length !== weights.length) {
      throw new ArgumentError(
        `setWeights: ${this.className} "${this.name}" has ${weights.length} weights, received ${values.length}` +
          `${this.built ? "" : " (the layer is not built yet: call it, or build it, first)"}.`,
      );
    }
    values.forEach((value, index) => {
      const weight = weights[index];
      const shape = value instanceof Tensor ? value.shape : undefined;
      const size = value instanceof Tensor ? value.size : value.length;
      if (size !== weight.size || (shape && formatShape(shape) !== formatShape(weight.shape))) {
        throw new ShapeError(
          `setWeights: ${weight.name} has shape ${formatShape(weight.shape)}, received ${shape ? formatShape(shape) : `${size} values`}.`,
        );
      }
    });
    values.forEach((value, index) => {
      const weight = weights[index];
      weight.assign(value instanceof Tensor ? value : tensor(value, { shape: weight.shape }));
    });
  }

  /** Number of numbers in the weights. */
  countParams(): number {
    if (!this.built) {
      throw new ArgumentError(
        `countParams: ${this.className} "${this.name}" is not built yet; call it, or build it with an input shape, first.`,
      );
    }
    return this.weights.reduce((sum, weight) => sum + sizeOf(weight.shape), 0);
  }

  /** What makes the same layer again, without its weights. */
  getConfig(): Config {
    return { name: this.name, trainable: this.trainable };
  }

  /** Output shape for the shape that the layer was built for. */
  get outputShape(): BatchShape {
    if (!this.builtShape) {
      throw new ArgumentError(`outputShape: ${this.className} "${this.name}" is not built yet.`);
    }
    return this.computeOutputShape(this.builtShape);
  }
  /** Shape that the layer was built for. */
  get inputShape(): BatchShape {
    if (!this.builtShape) throw new ArgumentError(`inputShape: ${this.className} "${this.name}" is not built yet.`);
    return this.builtShape;
  }

  override toString(): string {
    return `<${this.className} name=${this.name}, built=${this.built}>`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** The error for an input of the wrong rank or size, in one form for all layers. */
export function inputError(layer: Layer, inputShape: BatchShape, expected: string): ShapeError {
  return new ShapeError(
    `${layer.className} "${layer.name}": expected ${expected}, received an input of shape ${formatBatchShape(inputShape)}.`,
  );
}

export function formatBatchShape(shape: BatchShape): string {
  return shape.length === 1 ? `(${shape[0] ?? "None"},)` : `(${shape.map((extent) => extent ?? "None").join(", ")})`;
}

/** A size that must be known. */
export function knownSize(layer: Layer, shape: BatchShape, axis: number, what: string): number {
  const size = shape.at(axis);
  if (typeof size !== "number") throw inputError(layer, shape, `a known ${what}`);
  return size;
}
