/** RNN over any cell, and SimpleRNN, LSTM and GRU, over [batch, steps, features]; one loop per layer, compiled once whatever the length. Defaults are Keras'. */
import { ArgumentError, ShapeError, UnsupportedError } from "../../errors.ts";
import type { Activation as ActivationFunction } from "../../nn/activations.ts";
import { recur } from "../../nn/recurrent.ts";
import { Tensor, type Variable } from "../../tensor/index.ts";
import type { BatchShape, Config } from "../config.ts";
import { type CallOptions, inputError, knownSize, Layer, type LayerOptions } from "../layer.ts";
import { lookUp } from "../options.ts";
import { revivedOptions } from "../revive.ts";
import { AbstractRNNCell } from "./abstract-cell.ts";
import { nestedConfig } from "./nested-config.ts";
import {
  type CellOptions,
  cellOptionNames,
  GRUCell,
  type GRUCellOptions,
  LSTMCell,
  type LSTMCellOptions,
  SimpleRNNCell,
  type UnitCell,
} from "./recurrent-cells.ts";
import { cellFromConfig, StackedRNNCells } from "./stacked-cells.ts";

/** Options of `RNN`. `State` is inferred from `returnState`. */
export interface RNNOptions<State extends boolean = boolean> extends LayerOptions {
  /** All outputs instead of the last one. */
  readonly returnSequences?: boolean;
  /** A list: the output, then the states after the last step. */
  readonly returnState?: State;
  /** From the last step to the first; outputs come in that order. */
  readonly goBackwards?: boolean;
  /** Outputs of masked steps are zeros instead of those of the step before. */
  readonly zeroOutputForMask?: boolean;
  /** Not available: pass the states on with `returnState` and `initialState`. */
  readonly stateful?: false;
  /** Has no effect: a loop is compiled once whatever its length. */
  readonly unroll?: boolean;
}
/** Options of all recurrent layers with units. */
export interface RecurrentOptions<State extends boolean = boolean>
  extends Omit<RNNOptions<State>, "zeroOutputForMask">,
    CellOptions {}
export interface LSTMOptions<State extends boolean = boolean> extends RecurrentOptions<State>, LSTMCellOptions {}
export interface GRUOptions<State extends boolean = boolean> extends RecurrentOptions<State>, GRUCellOptions {}

/** What a call may say besides the inputs. */
export interface RecurrentCallOptions extends CallOptions<Tensor> {
  /** States before the first step, [batch, size] each; zeros (or what the cell says) by default. */
  readonly initialState?: Tensor | readonly Tensor[] | undefined;
}
/** A tensor, or with `returnState` a list of the output and the states. */
export type RecurrentOutput<State extends boolean> = State extends true ? Tensor[] : Tensor;

const loopOptionNames = ["returnSequences", "returnState", "goBackwards", "stateful", "unroll"];

/** What the recurrent layers share: a cell, and how it runs over the steps. */
export abstract class RecurrentLayer<
  State extends boolean = boolean,
  Cell extends AbstractRNNCell = AbstractRNNCell,
> extends Layer<Tensor, RecurrentOutput<State>, RecurrentCallOptions> {
  readonly cell: Cell;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly goBackwards: boolean;
  /** Outputs of masked steps are zeros instead of those of the step before; set by `Bidirectional`. @internal */
  zeroOutputForMask: boolean;

  constructor(options: RNNOptions<State>, ownOptions: readonly string[], makeCell: (name: string) => Cell) {
    super(options, [...loopOptionNames, ...ownOptions]);
    if (options.stateful) {
      throw new UnsupportedError(
        `${this.className} "${this.name}": stateful is not available; pass states on with returnState and initialState.`,
      );
    }
    this.cell = makeCell(this.name);
    this.returnSequences = options.returnSequences ?? false;
    this.returnState = options.returnState ?? false;
    this.goBackwards = options.goBackwards ?? false;
    this.zeroOutputForMask = options.zeroOutputForMask ?? false;
  }

  /** Axes that a step may have besides the batch. */
  protected abstract checkInputs(shape: BatchShape): void;

  override build(inputShape: BatchShape): void {
    this.checkInputs(inputShape);
    const [batch, , ...features] = inputShape;
    this.cell.buildFor([batch, ...features]);
  }

  override call(inputs: Tensor, options: RecurrentCallOptions = {}): RecurrentOutput<State> {
    this.checkInputs(inputs.shape);
    const { training = false, mask } = options;
    const { outputs, last, states } = recur(this.cell.inLoop(training), inputs.transpose(0, 1), {
      reverse: this.goBackwards,
      mask: mask?.transpose(0, 1),
      zeroMasked: this.zeroOutputForMask,
      initial: this.initialStates(options.initialState, inputs.shape[0]),
    });
    const ordered = this.goBackwards ? outputs.flip(0) : outputs;
    const output = this.returnSequences ? ordered.transpose(0, 1) : last;
    return (this.returnState ? [output, ...states] : output) as RecurrentOutput<State>;
  }

  /** `undefined` where all are zeros. */
  private initialStates(given: Tensor | readonly Tensor[] | undefined, batch: number): readonly Tensor[] | undefined {
    const { cell } = this;
    const count = cell.stateSizes.length;
    if (given === undefined) {
      const { getInitialState } = cell;
      return getInitialState === AbstractRNNCell.prototype.getInitialState ? undefined : cell.getInitialState(batch);
    }
    const states = given instanceof Tensor ? [given] : given;
    if (states.length === count) return states;
    throw new ShapeError(
      `${this.className} "${this.name}": initialState must hold ${count} tensor${count === 1 ? "" : "s"}, received ${states.length}.`,
    );
  }

  override computeOutputShape([batch, steps]: BatchShape): never {
    const { outputSize, stateSizes } = this.cell;
    const output: BatchShape = this.returnSequences ? [batch, steps, outputSize] : [batch, outputSize];
    const states = stateSizes.map((size): BatchShape => [batch, size]);
    return (this.returnState ? [output, ...states] : output) as never;
  }

  /** All outputs are masked as the inputs are; the last one and the states are not. */
  override computeMask(_inputs: Tensor, mask?: Tensor | undefined) {
    const output = this.returnSequences ? (this.goBackwards ? mask?.flip(1) : mask) : undefined;
    return this.returnState ? [output, ...this.cell.stateSizes.map(() => undefined)] : output;
  }

  /** The options of the loop, without those of the cell. */
  protected loopConfig(): Config {
    const { returnSequences, returnState, goBackwards } = this;
    return { returnSequences, returnState, goBackwards };
  }
}

/**
 * Runs a cell, or a list of cells on top of each other, over the steps of [batch, steps, …]. The loop is traced once, so compiling takes as long for 500
 * steps as for 5. With `returnState`: a list of the output and the states, those of several cells one after the other. After keras.layers.RNN.
 *
 * @example
 * ```ts
 * const deep = new layers.RNN([new layers.LSTMCell(16), new layers.GRUCell(8)], { returnSequences: true });
 * deep(zeros([4, 10, 3])).shape; // [4, 10, 8]
 * ```
 */
export class RNN<State extends boolean = false> extends RecurrentLayer<State> {
  constructor(cell: AbstractRNNCell | readonly AbstractRNNCell[], options: RNNOptions<State> = {}) {
    super(options, ["zeroOutputForMask"], (name) => {
      if (Array.isArray(cell)) return new StackedRNNCells(cell, { name: `${name}_cells` });
      if (cell instanceof AbstractRNNCell) return cell;
      throw new ArgumentError(`RNN "${name}": expected a cell or a list of cells; a cell extends AbstractRNNCell.`);
    });
  }
  protected override checkInputs(shape: BatchShape): void {
    if (shape.length < 3) throw inputError(this, shape, "at least three axes (batch, steps, …)");
  }
  /** A layer from `getConfig()`. */
  static fromConfig({ cell, ...options }: Config): RNN<boolean> {
    return new RNN<boolean>(cellFromConfig(cell as Config), revivedOptions(options));
  }
  override getConfig(): Config {
    const { zeroOutputForMask, cell } = this;
    return { ...super.getConfig(), ...this.loopConfig(), zeroOutputForMask, cell: nestedConfig(cell) };
  }
}

/** Recurrent layers with a number of units: the cell is theirs, under their name. */
abstract class UnitsLayer<State extends boolean, Cell extends UnitCell> extends RecurrentLayer<State, Cell> {
  constructor(
    options: RecurrentOptions<State>,
    ownOptions: readonly string[],
    makeCell: (options: CellOptions) => Cell,
  ) {
    const names = [...cellOptionNames, ...ownOptions];
    super(options, names, (name) => {
      const given = Object.entries(options).filter(([option]) => names.includes(option) || option === "trainable");
      return makeCell({ ...Object.fromEntries(given), name });
    });
  }
  get units(): number {
    return this.cell.units;
  }
  get activation(): ActivationFunction {
    return this.cell.activation;
  }
  get useBias(): boolean {
    return this.cell.useBias;
  }
  get dropout(): number {
    return this.cell.dropout;
  }
  get recurrentDropout(): number {
    return this.cell.recurrentDropout;
  }
  get kernel(): Variable {
    return this.cell.kernel;
  }
  get recurrentKernel(): Variable {
    return this.cell.recurrentKernel;
  }
  get bias(): Variable | undefined {
    return this.cell.bias;
  }
  protected override checkInputs(shape: BatchShape): void {
    if (!this.cell.built) {
      if (shape.length !== 3) throw inputError(this, shape, "three axes (batch, steps, features)");
      knownSize(this, shape, -1, "size of the last axis");
    } else if (shape.length !== 3 || shape[2] !== this.kernel.shape[0]) {
      throw inputError(this, shape, `an input of shape (batch, steps, ${this.kernel.shape[0]})`);
    }
  }
  override getConfig(): Config {
    return { ...this.cell.getConfig(), ...super.getConfig(), ...this.loopConfig() };
  }
}

/** h_t = activation(x_t·kernel + h_{t−1}·recurrentKernel + bias). After keras.layers.SimpleRNN. */
export class SimpleRNN<State extends boolean = false> extends UnitsLayer<State, SimpleRNNCell> {
  constructor(units: number, options: RecurrentOptions<State> = {}) {
    super(options, [], (ofCell) => new SimpleRNNCell(units, ofCell));
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
export class LSTM<State extends boolean = false> extends UnitsLayer<State, LSTMCell> {
  constructor(units: number, options: LSTMOptions<State> = {}) {
    super(options, LSTMCell.optionNames, (ofCell) => new LSTMCell(units, ofCell));
  }
  get recurrentActivation(): ActivationFunction {
    return this.cell.recurrentActivation;
  }
  get unitForgetBias(): boolean {
    return this.cell.unitForgetBias;
  }
}

/** Gated recurrent unit with gates z, r and the candidate: h_t = z·h_{t−1} + (1 − z)·ĥ. With `resetAfter` the bias is [2, 3·units]. After keras.layers.GRU. */
export class GRU<State extends boolean = false> extends UnitsLayer<State, GRUCell> {
  constructor(units: number, options: GRUOptions<State> = {}) {
    super(options, GRUCell.optionNames, (ofCell) => new GRUCell(units, ofCell));
  }
  get recurrentActivation(): ActivationFunction {
    return this.cell.recurrentActivation;
  }
  get resetAfter(): boolean {
    return this.cell.resetAfter;
  }
}

/** Any recurrent layer, whatever it returns. */
export type AnyRecurrentLayer = RecurrentLayer<boolean>;

const classes = { SimpleRNN, LSTM, GRU, RNN };

/** A recurrent layer from its class and `getConfig()`. */
export function recurrentFromConfig({ className, config }: Config): AnyRecurrentLayer {
  const type = lookUp("deserialize", "recurrent layer", String(className), classes);
  if (type === RNN) return RNN.fromConfig(config as Config);
  const { units, ...options } = revivedOptions(config as Config);
  return new (type as typeof LSTM)<boolean>(units as number, options);
}
