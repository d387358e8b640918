/** What layers, their calls and their weights may be told. */
import type { Shape } from "../graph/shape.ts";
import type { NumericArray, Tensor } from "../tensor/index.ts";
import type * as constraints from "./constraints.ts";
import type { InitializerLike } from "./initializers.ts";
import type { KerasTensor } from "./keras-tensor.ts";
import type * as regularizers from "./regularizers.ts";
import type { MasksOf, SymbolicOf } from "./structure.ts";

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
/** Their names. */
export const layerOptionNames = ["name", "trainable", "inputShape", "dtype", "activityRegularizer"] as const;

/** What a call may say besides the inputs. */
export interface CallOptions<In = Tensor> {
  /** Whether layers that differ in training (Dropout, BatchNormalization) behave as in training; that of the surrounding call by default. */
  readonly training?: boolean | undefined;
  /** Which time steps count: the masks that the inputs carry, unless given. */
  readonly mask?: MasksOf<In> | undefined;
}
/** The same options with symbolic tensors in place of tensors. */
export type SymbolicOptions<Options> = {
  readonly [K in keyof Options]: Options[K] | KerasTensor | readonly KerasTensor[];
};

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
