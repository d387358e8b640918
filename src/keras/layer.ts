import { ArgumentError, UnsupportedError } from "../errors.ts";
import type { Shape } from "../graph/shape.ts";
import { perExamplePenalty } from "../nn/regularizers.ts";
import { isGradEnabled, Tensor } from "../tensor/index.ts";
import { callContext } from "./call-context.ts";
import type { BatchShape, Config } from "./config.ts";
import type { LayerNode } from "./keras-tensor.ts";
import { type CallOptions, type LayerOptions, layerOptionNames } from "./layer-options.ts";
import { batchShape, heldBy, type Type } from "./layer-tools.ts";
import { LayerWeights } from "./layer-weights.ts";
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
> extends LayerWeights<In, Out, Options> {
  override readonly name: string;
  /** Input shape of one example as the user gave it. */
  readonly inputShapeArgument: Shape | undefined;
  /** Whether a mask of the inputs may reach the outputs; by default when `computeMask` is overridden. */
  supportsMasking: boolean;
  /** Calls on symbolic tensors. @internal */
  readonly inboundNodes: LayerNode[] = [];
  readonly activityRegularizer: regularizers.Regularizer | undefined;
  /** Shape that the layer was built for; the batch axis is null. */
  protected builtShape: ShapesOf<In> | undefined;

  constructor(options: LayerOptions = {}, ownOptions: readonly string[] = []) {
    super(options.trainable ?? true);
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
    this.inputShapeArgument = options.inputShape;
    this.activityRegularizer = regularizers.get(options.activityRegularizer, `${className} "${this.name}"`);
    this.supportsMasking = this.computeMask !== Layer.prototype.computeMask;
  }

  override get className(): string {
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

  protected override get nestedLayers(): readonly AnyLayer[] {
    return heldBy(this, Layer as unknown as Type<AnyLayer>);
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

export type { AddWeightOptions, CallOptions, LayerCallable, LayerOptions, WeightInput } from "./layer-options.ts";
export { batchShape, formatBatchShape, heldBy, inputError, knownSize } from "./layer-tools.ts";
