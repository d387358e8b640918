/** Layers around layers, for sequences: Bidirectional and TimeDistributed. */
import { ArgumentError, ShapeError } from "../../errors.ts";
import { type MergeMode, mergeDirections } from "../../nn/recurrent.ts";
import { Tensor } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import { type CallOptions, inputError, Layer, type LayerOptions } from "../layer.ts";
import { type AnyRecurrentLayer, type RecurrentCallOptions, RecurrentLayer, recurrentFromConfig } from "./recurrent.ts";

export interface BidirectionalOptions extends LayerOptions {
  /** "concat" by default; null gives a list of the two outputs. */
  readonly mergeMode?: MergeMode;
  /** What runs from the last step to the first; a copy of the layer, turned round, by default. */
  readonly backwardLayer?: AnyRecurrentLayer;
}

const mergeModes: readonly MergeMode[] = ["concat", "sum", "mul", "ave", null];

/**
 * A recurrent layer in both directions. With `returnState` of the layer: a list of the output, the states forwards, the states backwards. After
 * keras.layers.Bidirectional.
 *
 * @example
 * ```ts
 * const both = new layers.Bidirectional(new layers.LSTM(16, { returnSequences: true }));
 * both(zeros([8, 10, 4])).shape; // [8, 10, 32]
 * ```
 */
export class Bidirectional<Out extends Tensor | Tensor[] = Tensor> extends Layer<Tensor, Out, RecurrentCallOptions> {
  readonly forwardLayer: AnyRecurrentLayer;
  readonly backwardLayer: AnyRecurrentLayer;
  readonly mergeMode: MergeMode;

  constructor(layer: AnyRecurrentLayer & { call(...args: never[]): Out }, options: BidirectionalOptions = {}) {
    super(options, ["mergeMode", "backwardLayer"]);
    const owner = `${this.className} "${this.name}"`;
    if (!(layer instanceof RecurrentLayer)) {
      throw new ArgumentError(`${owner}: expected an RNN, SimpleRNN, LSTM or GRU layer.`);
    }
    const { mergeMode = "concat", backwardLayer } = options;
    if (!mergeModes.includes(mergeMode)) {
      throw new ArgumentError(
        `${owner}: mergeMode must be one of ${mergeModes.map(String).join(", ")}, received ${JSON.stringify(mergeMode)}.`,
      );
    }
    this.mergeMode = mergeMode;
    this.forwardLayer = turned(layer, "forward_", layer.goBackwards);
    this.backwardLayer = backwardLayer ?? turned(layer, "backward_", !layer.goBackwards);
    for (const each of [this.forwardLayer, this.backwardLayer]) each.zeroOutputForMask = each.returnSequences;
    for (const setting of ["returnSequences", "returnState"] as const) {
      if (this.backwardLayer[setting] !== layer[setting]) {
        throw new ArgumentError(`${owner}: both directions must have the same ${setting}.`);
      }
    }
    if (this.backwardLayer.goBackwards === layer.goBackwards) {
      throw new ArgumentError(`${owner}: the two layers must differ in goBackwards.`);
    }
  }

  override build(inputShape: BatchShape): void {
    this.forwardLayer.buildFor(inputShape);
    this.backwardLayer.buildFor(inputShape);
  }

  override call(inputs: Tensor, options: RecurrentCallOptions = {}): Out {
    const { mask, training, initialState } = options;
    const given =
      initialState === undefined ? undefined : initialState instanceof Tensor ? [initialState] : initialState;
    if (given && given.length % 2 !== 0) {
      throw new ShapeError(
        `${this.className} "${this.name}": initialState must hold the states of both directions, received ${given.length} tensors.`,
      );
    }
    const half = given ? given.length / 2 : 0;
    const run = (layer: AnyRecurrentLayer, initial: readonly Tensor[] | undefined): Tensor[] => {
      const result = layer(inputs, { mask, training, initialState: initial });
      return result instanceof Tensor ? [result] : result;
    };
    const [forward, ...forwardStates] = run(this.forwardLayer, given?.slice(0, half));
    const [backward, ...backwardStates] = run(this.backwardLayer, given?.slice(half));
    const aligned = this.forwardLayer.returnSequences ? backward.flip(1) : backward;
    const outputs = this.mergeMode === null ? [forward, aligned] : [mergeDirections(this.mergeMode, forward, aligned)];
    const all = [...outputs, ...forwardStates, ...backwardStates];
    return (all.length === 1 ? all[0] : all) as Out;
  }

  override computeMask(_inputs: Tensor, mask?: Tensor | undefined) {
    const { returnSequences, returnState } = this.forwardLayer;
    const output = returnSequences ? mask : undefined;
    const outputs = this.mergeMode === null ? [output, output] : [output];
    if (!returnState) return outputs.length === 1 ? output : outputs;
    const states = [this.forwardLayer, this.backwardLayer].flatMap(({ cell }) => cell.stateSizes);
    return [...outputs, ...states.map(() => undefined)];
  }

  /** A layer from `getConfig()`. */
  static fromConfig({ layer, backwardLayer, mergeMode, ...options }: Config): Bidirectional<Tensor | Tensor[]> {
    return new Bidirectional<Tensor | Tensor[]>(recurrentFromConfig(layer as Config), {
      ...(options as LayerOptions),
      mergeMode: mergeMode as MergeMode,
      backwardLayer: recurrentFromConfig(backwardLayer as Config),
    });
  }
  override getConfig(): Config {
    const { forwardLayer, mergeMode } = this;
    return {
      ...super.getConfig(),
      layer: { className: forwardLayer.className, config: forwardLayer.getConfig() },
      backwardLayer: { className: this.backwardLayer.className, config: this.backwardLayer.getConfig() },
      mergeMode,
    };
  }
}

/** The same layer with fresh weights, in a direction. */
function turned(layer: AnyRecurrentLayer, prefix: string, goBackwards: boolean): AnyRecurrentLayer {
  const name = layer.name.startsWith(prefix) ? layer.name : prefix + layer.name;
  return recurrentFromConfig({ className: layer.className, config: { ...layer.getConfig(), name, goBackwards } });
}

/** Applies a layer to every step of [batch, steps, …]: time counts as more examples. After keras.layers.TimeDistributed. */
export class TimeDistributed extends Layer {
  readonly layer: Layer;

  constructor(layer: Layer, options: LayerOptions = {}) {
    super(options);
    if (!(layer instanceof Layer)) {
      throw new ArgumentError(`${this.className} "${this.name}": expected a layer, received ${typeof layer}.`);
    }
    this.layer = layer;
    this.supportsMasking = true;
  }
  override build(inputShape: BatchShape): void {
    if (inputShape.length < 3) throw inputError(this, inputShape, "at least three axes (batch, steps, …)");
    this.layer.buildFor([inputShape[0], ...inputShape.slice(2)]);
  }
  override call(inputs: Tensor, { training }: CallOptions = {}): Tensor {
    if (inputs.rank < 3) throw inputError(this, inputs.shape, "at least three axes (batch, steps, …)");
    const [batch, steps, ...rest] = inputs.shape;
    const outputs = this.layer(inputs.reshape([batch * steps, ...rest]), { training });
    return outputs.reshape([batch, steps, ...outputs.shape.slice(1)]);
  }
  override computeOutputShape([batch, steps, ...rest]: BatchShape): BatchShape {
    return [batch, steps, ...this.layer.computeOutputShape([batch, ...rest]).slice(1)];
  }
  override getConfig(): Config {
    return { ...super.getConfig(), layer: { className: this.layer.className, config: this.layer.getConfig() } };
  }
}
