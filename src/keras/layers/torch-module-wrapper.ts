/** A network of another style as a layer. */
import { ArgumentError } from "../../errors.ts";
import { type ForeignModule, isForeignModule, runInMode, stateOf } from "../../nn/foreign-module.ts";
import type { Tensor, Variable } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import { type CallOptions, Layer, type LayerOptions } from "../layer.ts";

export interface TorchModuleWrapperOptions extends LayerOptions {
  /** Output shape of one example; found out by a dry run by default. */
  readonly outputShape?: readonly (number | null)[];
}

/**
 * A `trivium/torch` module as a layer: its parameters and buffers are the layer's weights and train under `fit`, running statistics included, and
 * `training` is passed on as `module.train(…)`. Data are passed as they are: a module for images wants (batch, channels, height, width). A module
 * has no configuration: save the weights, or make it a class of one's own. After keras.layers.TorchModuleWrapper.
 *
 * @example
 * ```ts
 * import { nn } from "trivium/torch";
 * const model = new Sequential([new layers.TorchModuleWrapper(new nn.Linear(8, 4)), new layers.Dense(2)]);
 * ```
 */
export class TorchModuleWrapper extends Layer {
  readonly module: ForeignModule;
  readonly parameters: readonly Variable[];
  readonly buffers: readonly Variable[];
  private readonly outputShapeOption: readonly (number | null)[] | undefined;

  constructor(module: ForeignModule, options: TorchModuleWrapperOptions = {}) {
    super(options, ["outputShape"]);
    if (!isForeignModule(module)) {
      throw new ArgumentError(
        `TorchModuleWrapper "${this.name}": expected a module (callable, with namedParameters, namedBuffers and train), received ${typeof module}.`,
      );
    }
    this.module = module;
    const { parameters, buffers } = stateOf(module);
    this.parameters = parameters.map(([, parameter]) => parameter);
    this.buffers = buffers.map(([, buffer]) => buffer);
    this.outputShapeOption = options.outputShape;
  }
  /** Names of the weights in the module, in the order of `weights`. */
  get weightNames(): readonly string[] {
    const { parameters, buffers } = stateOf(this.module);
    const names = new Map([...parameters, ...buffers].map(([name, variable]) => [variable, name]));
    return this.weights.map((weight) => names.get(weight) ?? weight.name);
  }
  override call(inputs: Tensor, options: CallOptions): Tensor {
    const { module } = this;
    return runInMode(module, options.training === true, () => module(inputs));
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { outputShapeOption } = this;
    return outputShapeOption ? [inputShape[0], ...outputShapeOption] : super.computeOutputShape(inputShape);
  }
  override getConfig(): Config {
    throw new ArgumentError(
      `TorchModuleWrapper "${this.name}": a module has no configuration; save the weights only, or wrap it in a class of your own that is registered.`,
    );
  }
}
