/** SimpleRNN, LSTM and GRU over [batch, steps, features]; one loop per layer, compiled once whatever the length. Defaults and weights are Keras'. */
import { ArgumentError, ShapeError, UnsupportedError } from "../../errors.ts";
import type { Shape } from "../../graph/shape.ts";
import type { Activation as ActivationFunction } from "../../nn/activations.ts";
import { recur } from "../../nn/recurrent.ts";
import { type CellWeights, gruCell, lstmCell, type RecurrentCell, simpleCell } from "../../nn/recurrent-cells.ts";
import { concat, dropout, ones, Tensor, type Variable } from "../../tensor/index.ts";
import * as activations from "../activations.ts";
import type { BatchShape, Config } from "../config.ts";
import type * as constraints from "../constraints.ts";
import * as initializers from "../initializers.ts";
import { type CallOptions, inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";
import { lookUp } from "../options.ts";
import type * as regularizers from "../regularizers.ts";
import { revivedOptions } from "../revive.ts";
import { activationConfig } from "./core.ts";
import {
  type BiasOptions,
  type KernelOptions,
  type WeightSetting,
  weightConfig,
  weightOptionNames,
  weightSetting,
} from "./weight-options.ts";

/** Options of all recurrent layers. `State` is inferred from `returnState`. */
export interface RecurrentOptions<State extends boolean = boolean> extends LayerOptions, KernelOptions, BiasOptions {
  /** tanh by default. */
  readonly activation?: activations.ActivationLike | null;
  readonly useBias?: boolean;
  /** Orthogonal by default. */
  readonly recurrentInitializer?: initializers.InitializerLike;
  readonly recurrentRegularizer?: regularizers.RegularizerLike | null;
  readonly recurrentConstraint?: constraints.ConstraintLike | null;
  /** Share of the features that is dropped, the same ones at every step. */
  readonly dropout?: number;
  /** Share of the state that is dropped, the same units at every step. */
  readonly recurrentDropout?: number;
  /** All outputs instead of the last one. */
  readonly returnSequences?: boolean;
  /** A list: the output, then the states after the last step. */
  readonly returnState?: State;
  /** From the last step to the first; outputs come in that order. */
  readonly goBackwards?: boolean;
  /** Not available: pass the states on with `returnState` and `initialState`. */
  readonly stateful?: false;
  /** Has no effect: a loop is compiled once whatever its length. */
  readonly unroll?: boolean;
}
export interface GatedOptions<State extends boolean = boolean> extends RecurrentOptions<State> {
  /** Sigmoid by default. */
  readonly recurrentActivation?: activations.ActivationLike | null;
}
export interface LSTMOptions<State extends boolean = boolean> extends GatedOptions<State> {
  /** The forget gate's bias starts at 1 (default true). */
  readonly unitForgetBias?: boolean;
}
export interface GRUOptions<State extends boolean = boolean> extends GatedOptions<State> {
  /** The reset gate multiplies after the recurrent product (default true), which then has a bias of its own. */
  readonly resetAfter?: boolean;
}

/** What a call may say besides the inputs. */
export interface RecurrentCallOptions extends CallOptions<Tensor> {
  /** States before the first step, [batch, units] each; zeros by default. */
  readonly initialState?: Tensor | readonly Tensor[] | undefined;
}
/** A tensor, or with `returnState` a list of the output and the states. */
export type RecurrentOutput<State extends boolean> = State extends true ? Tensor[] : Tensor;

const commonOptions = [
  "activation",
  "useBias",
  "dropout",
  "recurrentDropout",
  "returnSequences",
  "returnState",
  "goBackwards",
  "stateful",
  "unroll",
  ...["kernel", "recurrent", "bias"].flatMap(weightOptionNames),
];

function checkRate(owner: string, name: string, rate: number): number {
  if (rate >= 0 && rate <= 1) return rate;
  throw new ArgumentError(`${owner}: ${name} must lie in [0, 1], received ${rate}.`);
}

/** What the recurrent layers share. */
export abstract class RecurrentLayer<State extends boolean = boolean> extends Layer<
  Tensor,
  RecurrentOutput<State>,
  RecurrentCallOptions
> {
  readonly units: number;
  readonly activation: ActivationFunction;
  readonly useBias: boolean;
  readonly dropout: number;
  readonly recurrentDropout: number;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly goBackwards: boolean;
  /** Outputs of masked steps are zeros instead of those of the step before; set by `Bidirectional`. @internal */
  zeroOutputForMask = false;
  kernel!: Variable;
  recurrentKernel!: Variable;
  bias: Variable | undefined;
  /** Gates side by side in the weights. */
  protected abstract readonly gates: number;
  protected abstract readonly stateCount: 1 | 2;
  private readonly settings: Readonly<Record<"kernel" | "recurrent" | "bias", WeightSetting>>;

  constructor(units: number, options: RecurrentOptions<State>, ownOptions: readonly string[]) {
    super(options, [...commonOptions, ...ownOptions]);
    const owner = `${this.className} "${this.name}"`;
    if (!Number.isInteger(units) || units <= 0) {
      throw new ArgumentError(`${owner}: units must be a positive integer, received ${units}.`);
    }
    if (options.stateful) {
      throw new UnsupportedError(
        `${owner}: stateful is not available; pass states on with returnState and initialState.`,
      );
    }
    this.units = units;
    this.activation = activations.get(options.activation === undefined ? "tanh" : options.activation, owner);
    this.useBias = options.useBias ?? true;
    this.dropout = checkRate(owner, "dropout", options.dropout ?? 0);
    this.recurrentDropout = checkRate(owner, "recurrentDropout", options.recurrentDropout ?? 0);
    this.returnSequences = options.returnSequences ?? false;
    this.returnState = options.returnState ?? false;
    this.goBackwards = options.goBackwards ?? false;
    this.settings = {
      kernel: weightSetting(owner, options, "kernel", "glorot_uniform"),
      recurrent: weightSetting(owner, options, "recurrent", "orthogonal"),
      bias: weightSetting(owner, options, "bias", "zeros"),
    };
  }

  /** The cell over the layer's weights. */
  protected abstract cell(): RecurrentCell;
  protected biasShape(): Shape {
    return [this.gates * this.units];
  }
  /** How the bias starts. */
  protected biasStart(initializer: initializers.Initializer): initializers.InitializerLike {
    return initializer;
  }

  override build(inputShape: BatchShape): void {
    if (inputShape.length !== 3) throw inputError(this, inputShape, "three axes (batch, steps, features)");
    const width = knownSize(this, inputShape, -1, "size of the last axis");
    const columns = this.gates * this.units;
    const { kernel, recurrent, bias } = this.settings;
    this.kernel = this.addWeight({ name: "kernel", shape: [width, columns], ...kernel });
    this.recurrentKernel = this.addWeight({ name: "recurrent_kernel", shape: [this.units, columns], ...recurrent });
    if (!this.useBias) return;
    const initializer = this.biasStart(bias.initializer);
    this.bias = this.addWeight({ name: "bias", shape: this.biasShape(), ...bias, initializer });
  }

  protected get weightsOfCell(): CellWeights {
    return { kernel: this.kernel, recurrentKernel: this.recurrentKernel, bias: this.bias };
  }

  override call(inputs: Tensor, options: RecurrentCallOptions = {}): RecurrentOutput<State> {
    if (inputs.rank !== 3 || inputs.shape[2] !== this.kernel.shape[0]) {
      throw inputError(this, inputs.shape, `an input of shape (batch, steps, ${this.kernel.shape[0]})`);
    }
    const { training = false, mask } = options;
    const [batch, , width] = inputs.shape;
    const x = training ? dropout(inputs, this.dropout, { maskShape: [batch, 1, width] }) : inputs;
    const dropsState = training && this.recurrentDropout > 0;
    const { outputs, last, states } = recur(this.cell(), x.transpose(0, 1), {
      reverse: this.goBackwards,
      mask: mask?.transpose(0, 1),
      zeroMasked: this.zeroOutputForMask,
      initial: this.initialStates(options.initialState),
      ...(dropsState && { stateFactor: dropout(ones([batch, this.units]), this.recurrentDropout) }),
    });
    const ordered = this.goBackwards ? outputs.flip(0) : outputs;
    const output = this.returnSequences ? ordered.transpose(0, 1) : last;
    return (this.returnState ? [output, ...states] : output) as RecurrentOutput<State>;
  }

  private initialStates(given: Tensor | readonly Tensor[] | undefined): readonly Tensor[] | undefined {
    if (given === undefined) return undefined;
    const states = given instanceof Tensor ? [given] : given;
    if (states.length === this.stateCount) return states;
    throw new ShapeError(
      `${this.className} "${this.name}": initialState must hold ${this.stateCount} tensor${this.stateCount === 1 ? "" : "s"}, received ${states.length}.`,
    );
  }

  override computeOutputShape([batch, steps]: BatchShape): never {
    const output: BatchShape = this.returnSequences ? [batch, steps, this.units] : [batch, this.units];
    const states = Array.from({ length: this.stateCount }, (): BatchShape => [batch, this.units]);
    return (this.returnState ? [output, ...states] : output) as never;
  }

  /** All outputs are masked as the inputs are; the last one and the states are not. */
  override computeMask(_inputs: Tensor, mask?: Tensor | undefined) {
    const output = this.returnSequences ? (this.goBackwards ? mask?.flip(1) : mask) : undefined;
    return this.returnState ? [output, ...Array.from({ length: this.stateCount }, () => undefined)] : output;
  }

  override getConfig(): Config {
    return {
      ...super.getConfig(),
      units: this.units,
      activation: activationConfig(this, this.activation),
      useBias: this.useBias,
      ...weightConfig("kernel", this.settings.kernel),
      ...weightConfig("recurrent", this.settings.recurrent),
      ...weightConfig("bias", this.settings.bias),
      dropout: this.dropout,
      recurrentDropout: this.recurrentDropout,
      returnSequences: this.returnSequences,
      returnState: this.returnState,
      goBackwards: this.goBackwards,
    };
  }
}

/** h_t = activation(x_t·kernel + h_{t−1}·recurrentKernel + bias). After keras.layers.SimpleRNN. */
export class SimpleRNN<State extends boolean = false> extends RecurrentLayer<State> {
  protected override readonly gates = 1;
  protected override readonly stateCount = 1;
  constructor(units: number, options: RecurrentOptions<State> = {}) {
    super(units, options, []);
  }
  protected override cell(): RecurrentCell {
    return simpleCell(this.weightsOfCell, this.activation);
  }
}

/** Ones for the forget gate, another initializer's values for the others. */
class ForgetBias extends initializers.Initializer {
  readonly others: initializers.Initializer;
  readonly units: number;
  constructor(others: initializers.Initializer, units: number) {
    super({});
    this.others = others;
    this.units = units;
  }
  protected override initialize(): () => Tensor {
    const { others, units } = this;
    return () => concat([others([units]), ones([units]), others([2 * units])]);
  }
}

/**
 * Long short-term memory with gates i, f, c, o; states h and c. After keras.layers.LSTM.
 *
 * @example
 * ```ts
 * const [sequence, h, c] = new layers.LSTM(32, { returnSequences: true, returnState: true })(zeros([8, 10, 4]));
 * ```
 */
export class LSTM<State extends boolean = false> extends RecurrentLayer<State> {
  readonly recurrentActivation: ActivationFunction;
  readonly unitForgetBias: boolean;
  protected override readonly gates = 4;
  protected override readonly stateCount = 2;
  constructor(units: number, options: LSTMOptions<State> = {}) {
    super(units, options, ["recurrentActivation", "unitForgetBias"]);
    const gate = options.recurrentActivation === undefined ? "sigmoid" : options.recurrentActivation;
    this.recurrentActivation = activations.get(gate, `${this.className} "${this.name}"`);
    this.unitForgetBias = options.unitForgetBias ?? true;
  }
  protected override cell(): RecurrentCell {
    return lstmCell(this.weightsOfCell, this);
  }
  protected override biasStart(initializer: initializers.Initializer): initializers.InitializerLike {
    return this.unitForgetBias ? new ForgetBias(initializer, this.units) : initializer;
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      recurrentActivation: activationConfig(this, this.recurrentActivation),
      unitForgetBias: this.unitForgetBias,
    };
  }
}

/** Gated recurrent unit with gates z, r and the candidate: h_t = z·h_{t−1} + (1 − z)·ĥ. With `resetAfter` the bias is [2, 3·units]. After keras.layers.GRU. */
export class GRU<State extends boolean = false> extends RecurrentLayer<State> {
  readonly recurrentActivation: ActivationFunction;
  readonly resetAfter: boolean;
  protected override readonly gates = 3;
  protected override readonly stateCount = 1;
  constructor(units: number, options: GRUOptions<State> = {}) {
    super(units, options, ["recurrentActivation", "resetAfter"]);
    const gate = options.recurrentActivation === undefined ? "sigmoid" : options.recurrentActivation;
    this.recurrentActivation = activations.get(gate, `${this.className} "${this.name}"`);
    this.resetAfter = options.resetAfter ?? true;
  }
  protected override biasShape(): Shape {
    return this.resetAfter ? [2, 3 * this.units] : [3 * this.units];
  }
  protected override cell(): RecurrentCell {
    const { activation, recurrentActivation, resetAfter, bias } = this;
    const options = { activation, recurrentActivation, resetAfter, resetFirst: false };
    if (!resetAfter || !bias) return gruCell(this.weightsOfCell, options);
    return gruCell({ ...this.weightsOfCell, bias: bias.select(0, 0), recurrentBias: bias.select(0, 1) }, options);
  }
  override getConfig(): Config {
    return {
      ...super.getConfig(),
      recurrentActivation: activationConfig(this, this.recurrentActivation),
      resetAfter: this.resetAfter,
    };
  }
}

/** Any recurrent layer, whatever it returns. */
export type AnyRecurrentLayer = RecurrentLayer<boolean>;

const classes = { SimpleRNN, LSTM, GRU };

/** A recurrent layer from its class and `getConfig()`. */
export function recurrentFromConfig({ className, config }: Config): AnyRecurrentLayer {
  const type = lookUp("deserialize", "recurrent layer", String(className), classes);
  const { units, ...options } = revivedOptions(config as Config);
  return new type<boolean>(units as number, options);
}
