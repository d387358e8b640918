import { ArgumentError, ShapeError, UnsupportedError } from "../errors.ts";
import { formatShape, type Shape, sizeOf } from "../graph/shape.ts";
import { Callable } from "../nn/callable.ts";
import { perExamplePenalty } from "../nn/regularizers.ts";
import { Generator, isGradEnabled, type NumericArray, Tensor, tensor, tensorView, Variable } from "../tensor/index.ts";
import { callContext } from "./call-context.ts";
import type { BatchShape, Config } from "./config.ts";
import * as constraints from "./constraints.ts";
import type { InitializerLike } from "./initializers.ts";
import * as initializers from "./initializers.ts";
import type { KerasTensor, LayerNode } from "./keras-tensor.ts";
import { batchShape, heldBy, type Type, unique } from "./layer-tools.ts";
import { attachMasks, masksOf } from "./mask.ts";
import { autoName } from "./naming.ts";
import { checkOptions } from "./options.ts";
import * as regularizers from "./regularizers.ts";
import {
  type GivenTo,
  leavesOf,
  type MasksOf,
  mapStructure,
  type ShapeStructure,
  type ShapesOf,
  type Structure,
  type SymbolicOf,
  type SymbolicStructure,
  type TensorStructure,
} from "./structure.ts";
import { callSymbolically, inferOutputShape, readsSymbols } from "./symbolic.ts";
import { Weight } from "./weight.ts";

/** Options that every layer takes. */
export interface LayerOptions {
  /** Default: the class's name in snake case, numbered. */
  readonly name?: string | undefined;
  /** Whether training changes the layer's weights. */
  readonly trainable?: boolean | undefined;
  /** Sizes of one example; makes a Sequential model buildable at once. */
  readonly inputShape?: Shape;
  /** Only 'float32' is available. */
  readonly dtype?: "float32";
  /** A penalty on the outputs, per example, that is added to the training loss. */
  readonly activityRegularizer?: regularizers.RegularizerLike | null;
}
const layerOptionNames = ["name", "trainable", "inputShape", "dtype", "activityRegularizer"] as const;

/** What a call may say besides the inputs. */
export interface CallOptions<In = Tensor> {
  /** Whether layers that differ in training (Dropout, BatchNormalization) behave as in training; that of the surrounding call by default. */
  readonly training?: boolean | undefined;
  /** Which time steps count: the masks that the inputs carry, unless given. */
  readonly mask?: MasksOf<In> | undefined;
}
/** The same options with symbolic tensors in place of tensors. */
type SymbolicOptions<Options> = { readonly [K in keyof Options]: Options[K] | KerasTensor | readonly KerasTensor[] };

/** What a weight may be set to. */
export type WeightInput = Tensor | NumericArray;

export interface AddWeightOptions {
  readonly name?: string;
  readonly shape: Shape;
  /** 'glorot_uniform' by default. */
  readonly initializer?: InitializerLike;
  readonly trainable?: boolean;
  /** A penalty that is added to the training loss. */
  readonly regularizer?: regularizers.RegularizerLike | null | undefined;
  /** What the weight must satisfy after every update. */
  readonly constraint?: constraints.ConstraintLike | null | undefined;
}

/** How layers are called: on tensors, or on symbolic tensors to make a functional model. */
export interface LayerCallable<In, Out, Options> {
  (inputs: In, options?: Options): Out;
  (inputs: SymbolicOf<In>, options?: SymbolicOptions<Options>): SymbolicOf<Out>;
  /** What `layer(…)` does. */
  invoke(inputs: In | SymbolicOf<In>, options?: Options): Out | SymbolicOf<Out>;
}
const LayerBase = Callable as unknown as abstract new <In, Out, Options>() => LayerCallable<In, Out, Options>;

/** Any layer, whatever it takes and gives. */
export type AnyLayer = Layer<never, TensorStructure, never>;

/**
 * Base of all layers. A layer is called with a tensor (or, `In`, a list or record of tensors); the first call, or `build`, makes its weights. Called on
 * what `Input` or another layer gave symbolically, it becomes part of a functional model. Subclasses implement `call`, and `build` where they have
 * weights; `computeOutputShape` is found out by a dry run unless they say it.
 *
 * @example
 * ```ts
 * class Scale extends Layer {
 *   scale!: Variable;
 *   override build(inputShape: BatchShape) {
 *     this.scale = this.addWeight({ name: "scale", shape: [inputShape.at(-1) as number], initializer: "ones" });
 *   }
 *   override call(x: Tensor) {
 *     return x.mul(this.scale);
 *   }
 * }
 * ```
 */
export abstract class Layer<
  In extends TensorStructure = Tensor,
  Out extends TensorStructure = Tensor,
  Options extends CallOptions<In> = CallOptions<In>,
> extends LayerBase<In, Out, Options> {
  override readonly name: string;
  /** Whether the weights exist. */
  built = false;
  /** Input shape of one example as the user gave it. */
  readonly inputShapeArgument: Shape | undefined;
  /** Whether a mask of the inputs may reach the outputs; by default when `computeMask` is overridden. */
  supportsMasking: boolean;
  /** Calls on symbolic tensors. @internal */
  readonly inboundNodes: LayerNode[] = [];
  readonly activityRegularizer: regularizers.Regularizer | undefined;
  private isTrainable: boolean;
  private readonly ownTrainable: Variable[] = [];
  private readonly ownNonTrainable: Variable[] = [];
  private addedLosses: Tensor[] = [];
  /** Shape that the layer was built for; the batch axis is null. */
  protected builtShape: ShapesOf<In> | undefined;

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
    this.activityRegularizer = regularizers.get(options.activityRegularizer, `${className} "${this.name}"`);
    this.supportsMasking = this.computeMask !== Layer.prototype.computeMask;
  }

  /** The class's name in Keras. */
  get className(): string {
    return this.constructor.name;
  }

  override invoke(inputs: In | SymbolicOf<In>, options: Options = {} as Options): Out | SymbolicOf<Out> {
    if (readsSymbols(inputs, options)) {
      return callSymbolically(this as AnyLayer, inputs as SymbolicStructure, options) as SymbolicOf<Out>;
    }
    return this.run(inputs as In, options);
  }

  /** The call on tensors: builds, finds training mode and masks, calls, adds the penalty on the outputs, passes masks on. */
  private run(inputs: In, given: Options): Out {
    this.checkTensors(inputs);
    if (!this.built) this.buildFor(mapStructure<Tensor, BatchShape>(inputs, batchShape) as ShapesOf<In>);
    const outer = callContext.current;
    if (!outer) this.clearLosses();
    const training = given.training ?? outer?.training ?? this.trainsByDefault;
    const mask = given.mask ?? masksOf(inputs);
    callContext.current = { training };
    let outputs: Out;
    try {
      outputs = this.call(inputs, { ...given, training, mask } as Options);
      if (this.activityRegularizer) {
        for (const output of leavesOf<Tensor>(outputs)) {
          this.addLoss(perExamplePenalty(this.activityRegularizer(output), output));
        }
      }
    } finally {
      callContext.current = outer;
    }
    // what a call from outside gives can be read after the step that changes the weights
    if (!outer && isGradEnabled()) for (const output of leavesOf<Tensor>(outputs)) output.keep();
    if (this.supportsMasking) {
      const masks = this.computeMask(inputs, mask as MasksOf<In> | undefined);
      if (masks !== undefined) attachMasks(outputs, masks);
    } else if (mask !== undefined && leavesOf<Tensor | undefined>(mask).some(Boolean)) {
      callContext.warnOnce(
        this,
        `${this.className} "${this.name}" received an input with a mask, which it does not support: layers after it do not see the mask.`,
      );
    }
    return outputs;
  }

  private checkTensors(inputs: unknown): void {
    const leaves = leavesOf(inputs as Structure<unknown>);
    const strange = leaves.find((leaf) => !(leaf instanceof Tensor));
    if (leaves.length > 0 && strange === undefined) return;
    const some = leaves.some((leaf) => leaf instanceof Tensor);
    const received = some ? strange : inputs;
    throw new ArgumentError(
      `${this.className} "${this.name}": expected ${some ? "tensors" : "a tensor"}, received ${received === null ? "null" : typeof received}.`,
    );
  }

  /** Whether a call from outside that does not say is one of training. */
  protected get trainsByDefault(): boolean {
    return false;
  }

  /** What the layer computes. */
  abstract override call(inputs: In, options: Options): Out;

  /** Makes the weights for inputs of a shape. */
  build(_inputShape: ShapesOf<In>): void {}

  /** Builds once, and remembers for which shape. */
  buildFor(inputShape: ShapesOf<In>): void {
    if (this.built) return;
    this.build(inputShape);
    this.builtShape = inputShape;
    this.built = true;
  }

  /** Shape of the output for an input shape, without computing: by a dry run, unless a subclass knows. */
  computeOutputShape(inputShape: ShapesOf<In>): ShapesOf<Out> {
    return inferOutputShape(this as AnyLayer, inputShape as ShapeStructure) as ShapesOf<Out>;
  }

  /** The masks of the outputs; those of the inputs by default. */
  computeMask(_inputs: In, previousMask?: MasksOf<In> | undefined): Structure<Tensor | undefined> | undefined {
    return previousMask;
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
    return [...this.addedLosses, ...this.nestedLayers.flatMap((layer) => layer.callLosses)];
  }
  private get weightLosses(): Tensor[] {
    return this.trainableWeights.flatMap((weight) =>
      weight instanceof Weight && weight.regularizer ? [weight.regularizer(weight)] : [],
    );
  }
  /** @internal Forgets what calls added. */
  clearLosses(): void {
    if (this.addedLosses.length > 0) this.addedLosses = [];
    for (const layer of this.nestedLayers) layer.clearLosses();
  }

  // ---- weights ----

  /** Layers inside this one: those that it holds as properties, alone, in arrays or by name. */
  protected get nestedLayers(): readonly AnyLayer[] {
    return heldBy(this, Layer as unknown as Type<AnyLayer>);
  }
  /** Variables of the user's own making that the layer holds as properties. */
  private get heldVariables(): readonly Variable[] {
    return heldBy(this, Variable).filter((variable) => !(variable instanceof Weight));
  }

  /** Random generators that the layer and those inside it hold. @internal */
  get generators(): readonly Generator[] {
    return unique([...heldBy(this, Generator), ...this.nestedLayers.flatMap((layer) => layer.generators)]);
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
    const held = this.heldVariables;
    return unique([
      ...this.ownTrainable,
      ...held.filter(({ trainable }) => trainable),
      ...this.ownNonTrainable,
      ...held,
      ...this.nestedLayers.flatMap((layer) => layer.weights),
    ]);
  }
  /** Weights that the optimizer changes. */
  get trainableWeights(): Variable[] {
    if (!this.isTrainable) return [];
    return unique([
      ...this.ownTrainable,
      ...this.heldVariables.filter(({ trainable }) => trainable),
      ...this.nestedLayers.flatMap((layer) => layer.trainableWeights),
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

  /** What makes the same layer again, without its weights. */
  getConfig(): Config {
    const { name, trainable, activityRegularizer } = this;
    if (!activityRegularizer) return { name, trainable };
    return { name, trainable, activityRegularizer: regularizers.serialize(activityRegularizer) };
  }

  // ---- shapes and symbolic tensors ----

  /** Output shape for the shape that the layer was built for. */
  get outputShape(): ShapesOf<Out> {
    return this.computeOutputShape(this.inputShape);
  }
  /** Shape that the layer was built for. */
  get inputShape(): ShapesOf<In> {
    if (!this.builtShape) throw new ArgumentError(`inputShape: ${this.className} "${this.name}" is not built yet.`);
    return this.builtShape;
  }
  /** The symbolic tensors of the layer's one call. */
  get input(): GivenTo<In> {
    return this.onlyNode("input").inputs as GivenTo<In>;
  }
  /** What the layer's one call on symbolic tensors gave. */
  get output(): SymbolicOf<Out> {
    return this.onlyNode("output").outputs as SymbolicOf<Out>;
  }
  private onlyNode(property: string): LayerNode {
    const count = this.inboundNodes.length;
    if (count === 1) return this.inboundNodes[0];
    throw new ArgumentError(
      `${property}: ${this.className} "${this.name}" was called on symbolic tensors ${count} times; ${
        count === 0 ? "call it on what Input gives" : "keep what each call returns"
      }.`,
    );
  }

  override toString(): string {
    return `<${this.className} name=${this.name}, built=${this.built}>`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

export { batchShape, formatBatchShape, heldBy, inputError, knownSize } from "./layer-tools.ts";
