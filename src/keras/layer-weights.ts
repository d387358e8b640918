/** What a layer holds: weights, generators, layers inside it, and the losses that they add. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape, sizeOf } from "../graph/shape.ts";
import { Callable } from "../nn/callable.ts";
import { Generator, Tensor, tensor, tensorView, Variable } from "../tensor/index.ts";
import * as constraints from "./constraints.ts";
import * as initializers from "./initializers.ts";
import type { AnyLayer } from "./layer.ts";
import type { AddWeightOptions, LayerCallable, WeightInput } from "./layer-options.ts";
import { heldBy, unique } from "./layer-tools.ts";
import * as regularizers from "./regularizers.ts";
import { Weight } from "./weight.ts";

const LayerBase = Callable as unknown as abstract new <In, Out, Options>() => LayerCallable<In, Out, Options>;

/** The layers that are being looked into at the moment, each inside the one before. */
const descent = new Set<object>();

/** The part of a layer that owns weights: whether they train, what they must satisfy, what they cost. */
export abstract class LayerWeights<In, Out, Options> extends LayerBase<In, Out, Options> {
  abstract override readonly name: string;
  /** The class's name in Keras. */
  abstract get className(): string;
  /** Whether the weights exist. */
  built = false;
  private isTrainable: boolean;
  private readonly ownTrainable: Variable[] = [];
  private readonly ownNonTrainable: Variable[] = [];
  private addedLosses: Tensor[] = [];

  constructor(trainable: boolean) {
    super();
    this.isTrainable = trainable;
  }

  /** Creates a weight of this layer. */
  protected addWeight(options: AddWeightOptions): Variable {
    const owner = `${this.className} "${this.name}"`;
    const trains = options.trainable ?? true;
    const initializer = initializers.get(options.initializer ?? "glorot_uniform", owner);
    const count = this.ownTrainable.length + this.ownNonTrainable.length;
    const variable = new Weight(initializer(options.shape), {
      name: `${this.name}/${options.name ?? (count === 0 ? "variable" : `variable_${count}`)}`,
      trainable: trains && this.isTrainable,
      regularizer: regularizers.get(options.regularizer, owner),
      constraint: constraints.get(options.constraint, owner),
    });
    (trains ? this.ownTrainable : this.ownNonTrainable).push(variable);
    return variable;
  }

  // ---- losses ----

  /** Adds a scalar to the loss of the step that calls the layer; use it inside `call`. */
  addLoss(loss: Tensor): void {
    this.addedLosses.push(loss);
  }
  /** What the last call added, and the penalties on the weights; a training step adds all of it to the loss. */
  get losses(): Tensor[] {
    return [...this.callLosses, ...this.weightLosses];
  }
  /** @internal */
  get callLosses(): Tensor[] {
    return [...this.addedLosses, ...this.ofNested((layer) => layer.callLosses)];
  }
  private get weightLosses(): Tensor[] {
    return this.trainableWeights.flatMap((weight) =>
      weight instanceof Weight && weight.regularizer ? [weight.regularizer(weight)] : [],
    );
  }
  /** @internal Forgets what calls added. */
  clearLosses(): void {
    if (this.addedLosses.length > 0) this.addedLosses = [];
    this.ofNested((layer) => {
      layer.clearLosses();
      return [];
    });
  }

  // ---- weights ----

  /** Layers inside this one: those that it holds as properties, alone, in arrays or by name. */
  protected abstract get nestedLayers(): readonly AnyLayer[];
  /** What something takes of each layer inside this one, which goes on to those inside it. */
  private ofNested<Part>(take: (layer: AnyLayer) => readonly Part[]): Part[] {
    if (descent.has(this)) {
      throw new ArgumentError(
        `${this.className} "${this.name}" contains itself; layers must form a tree (parts may be shared). To refer to a layer without owning it, hold it in a function.`,
      );
    }
    descent.add(this);
    try {
      return this.nestedLayers.flatMap(take);
    } finally {
      descent.delete(this);
    }
  }
  /** Variables of the user's own making that the layer holds as properties. */
  private get heldVariables(): readonly Variable[] {
    return heldBy(this, Variable).filter((variable) => !(variable instanceof Weight));
  }

  /** Random generators that the layer and those inside it hold. @internal */
  get generators(): readonly Generator[] {
    return unique([...heldBy(this, Generator), ...this.ofNested((layer) => layer.generators)]);
  }

  /** Whether training changes the weights; setting it reaches the layers inside. Takes effect with the next step, without `compile`. */
  get trainable(): boolean {
    return this.isTrainable;
  }
  set trainable(value: boolean) {
    this.isTrainable = value;
    for (const variable of this.ownTrainable) variable.trainable = value;
    this.ofNested((layer) => {
      layer.trainable = value;
      return [];
    });
  }

  /** All weights, layer by layer: those that training changes by gradients, then the others. */
  get weights(): Variable[] {
    const held = this.heldVariables;
    return unique([
      ...this.ownTrainable,
      ...held.filter(({ trainable }) => trainable),
      ...this.ownNonTrainable,
      ...held,
      ...this.ofNested((layer) => layer.weights),
    ]);
  }
  /** Weights that the optimizer changes. */
  get trainableWeights(): Variable[] {
    if (!this.isTrainable) return [];
    return unique([
      ...this.ownTrainable,
      ...this.heldVariables.filter(({ trainable }) => trainable),
      ...this.ofNested((layer) => layer.trainableWeights),
    ]);
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
}
