/** Keras' cells: what `RNN` runs over the steps of a sequence. Weights, their names and defaults are Keras'. */
import { ArgumentError } from "../../errors.ts";
import type { Shape } from "../../graph/shape.ts";
import type { Activation as ActivationFunction } from "../../nn/activations.ts";
import {
  type CellWeights,
  gruCell,
  lstmCell,
  type RecurrentCell,
  simpleCell,
  withDropout,
} from "../../nn/recurrent-cells.ts";
import { concat, ones, type Tensor, type Variable } from "../../tensor/index.ts";
import * as activations from "../activations.ts";
import type { BatchShape, Config } from "../config.ts";
import type * as constraints from "../constraints.ts";
import * as initializers from "../initializers.ts";
import { inputError, knownSize, type LayerOptions } from "../layer.ts";
import type * as regularizers from "../regularizers.ts";
import { AbstractRNNCell, type CellCallOptions, checkStates } from "./abstract-cell.ts";
import { activationConfig } from "./core.ts";
import {
  type BiasOptions,
  type KernelOptions,
  type WeightSetting,
  weightConfig,
  weightOptionNames,
  weightSetting,
} from "./weight-options.ts";

/** Options of all cells. */
export interface CellOptions extends LayerOptions, KernelOptions, BiasOptions {
  /** tanh by default. */
  readonly activation?: activations.ActivationLike | null;
  readonly useBias?: boolean;
  /** Orthogonal by default. */
  readonly recurrentInitializer?: initializers.InitializerLike;
  readonly recurrentRegularizer?: regularizers.RegularizerLike | null;
  readonly recurrentConstraint?: constraints.ConstraintLike | null;
  /** Share of the features that is dropped, the same ones at every step of a loop. */
  readonly dropout?: number;
  /** Share of the state that is dropped, the same units at every step of a loop. */
  readonly recurrentDropout?: number;
}
export interface GatedCellOptions extends CellOptions {
  /** Sigmoid by default. */
  readonly recurrentActivation?: activations.ActivationLike | null;
}
export interface LSTMCellOptions extends GatedCellOptions {
  /** The forget gate's bias starts at 1 (default true). */
  readonly unitForgetBias?: boolean;
}
export interface GRUCellOptions extends GatedCellOptions {
  /** The reset gate multiplies after the recurrent product (default true), which then has a bias of its own. */
  readonly resetAfter?: boolean;
}

/** Names of the options of every cell. */
export const cellOptionNames = [
  "activation",
  "useBias",
  "dropout",
  "recurrentDropout",
  ...["kernel", "recurrent", "bias"].flatMap(weightOptionNames),
];

function checkRate(owner: string, name: string, rate: number): number {
  if (rate >= 0 && rate <= 1) return rate;
  throw new ArgumentError(`${owner}: ${name} must lie in [0, 1], received ${rate}.`);
}

/** Cells of a number of units: kernel [inputs, G·H], recurrent kernel [H, G·H] and bias over G gates side by side. */
export abstract class UnitCell extends AbstractRNNCell {
  readonly units: number;
  readonly activation: ActivationFunction;
  readonly useBias: boolean;
  readonly dropout: number;
  readonly recurrentDropout: number;
  kernel!: Variable;
  recurrentKernel!: Variable;
  bias: Variable | undefined;
  protected abstract readonly gates: number;
  private readonly settings: Readonly<Record<"kernel" | "recurrent" | "bias", WeightSetting>>;

  constructor(units: number, options: CellOptions, ownOptions: readonly string[]) {
    super(options, [...cellOptionNames, ...ownOptions]);
    const owner = `${this.className} "${this.name}"`;
    if (!Number.isInteger(units) || units <= 0) {
      throw new ArgumentError(`${owner}: units must be a positive integer, received ${units}.`);
    }
    this.units = units;
    this.activation = activations.get(options.activation === undefined ? "tanh" : options.activation, owner);
    this.useBias = options.useBias ?? true;
    this.dropout = checkRate(owner, "dropout", options.dropout ?? 0);
    this.recurrentDropout = checkRate(owner, "recurrentDropout", options.recurrentDropout ?? 0);
    this.settings = {
      kernel: weightSetting(owner, options, "kernel", "glorot_uniform"),
      recurrent: weightSetting(owner, options, "recurrent", "orthogonal"),
      bias: weightSetting(owner, options, "bias", "zeros"),
    };
  }

  override get stateSize(): number | readonly number[] {
    return this.units;
  }
  /** The cell over the layer's weights. */
  protected abstract overWeights(weights: CellWeights): RecurrentCell;
  protected biasShape(): Shape {
    return [this.gates * this.units];
  }
  /** How the bias starts. */
  protected biasStart(initializer: initializers.Initializer): initializers.InitializerLike {
    return initializer;
  }

  override build(inputShape: BatchShape): void {
    if (inputShape.length !== 2) throw inputError(this, inputShape, "two axes (batch, features)");
    const width = knownSize(this, inputShape, -1, "size of the last axis");
    const columns = this.gates * this.units;
    const { kernel, recurrent, bias } = this.settings;
    this.kernel = this.addWeight({ name: "kernel", shape: [width, columns], ...kernel });
    this.recurrentKernel = this.addWeight({ name: "recurrent_kernel", shape: [this.units, columns], ...recurrent });
    if (!this.useBias) return;
    const initializer = this.biasStart(bias.initializer);
    this.bias = this.addWeight({ name: "bias", shape: this.biasShape(), ...bias, initializer });
  }

  override inLoop(training: boolean): RecurrentCell {
    const { kernel, recurrentKernel, bias, dropout, recurrentDropout } = this;
    const cell = this.overWeights({ kernel, recurrentKernel, bias });
    if (!training || (dropout === 0 && recurrentDropout === 0)) return cell;
    return withDropout(cell, { inputs: dropout, state: recurrentDropout });
  }

  override call(inputs: Tensor, { states, training = false }: CellCallOptions): readonly Tensor[] {
    if (inputs.rank !== 2 || inputs.shape[1] !== this.kernel.shape[0]) {
      throw inputError(this, inputs.shape, `an input of shape (batch, ${this.kernel.shape[0]})`);
    }
    checkStates(this, states);
    const cell = this.inLoop(training);
    const after = cell.step(cell.project(inputs), states);
    return [after[0], ...after];
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
    };
  }
}

/** One step of `SimpleRNN`: h' = activation(x·kernel + h·recurrentKernel + bias). After keras.layers.SimpleRNNCell. */
export class SimpleRNNCell extends UnitCell {
  protected override readonly gates = 1;
  constructor(units: number, options: CellOptions = {}) {
    super(units, options, []);
  }
  protected override overWeights(weights: CellWeights): RecurrentCell {
    return simpleCell(weights, this.activation);
  }
}

/** Cells whose gates have an activation of their own. */
abstract class GatedCell extends UnitCell {
  readonly recurrentActivation: ActivationFunction;
  constructor(units: number, options: GatedCellOptions, ownOptions: readonly string[]) {
    super(units, options, ownOptions);
    const gate = options.recurrentActivation === undefined ? "sigmoid" : options.recurrentActivation;
    this.recurrentActivation = activations.get(gate, `${this.className} "${this.name}"`);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), recurrentActivation: activationConfig(this, this.recurrentActivation) };
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

/** One step of `LSTM`, with gates i, f, c, o; states h and c. After keras.layers.LSTMCell. */
export class LSTMCell extends GatedCell {
  /** Names of the options that other cells do not have. */
  static readonly optionNames: readonly string[] = ["recurrentActivation", "unitForgetBias"];
  readonly unitForgetBias: boolean;
  protected override readonly gates = 4;
  constructor(units: number, options: LSTMCellOptions = {}) {
    super(units, options, LSTMCell.optionNames);
    this.unitForgetBias = options.unitForgetBias ?? true;
  }
  override get stateSize(): readonly number[] {
    return [this.units, this.units];
  }
  protected override overWeights(weights: CellWeights): RecurrentCell {
    return lstmCell(weights, this);
  }
  protected override biasStart(initializer: initializers.Initializer): initializers.InitializerLike {
    return this.unitForgetBias ? new ForgetBias(initializer, this.units) : initializer;
  }
  override getConfig(): Config {
    return { ...super.getConfig(), unitForgetBias: this.unitForgetBias };
  }
}

/** One step of `GRU`, with gates z, r and the candidate: h' = z·h + (1 − z)·ĥ. With `resetAfter` the bias is [2, 3·units]. After keras.layers.GRUCell. */
export class GRUCell extends GatedCell {
  /** Names of the options that other cells do not have. */
  static readonly optionNames: readonly string[] = ["recurrentActivation", "resetAfter"];
  readonly resetAfter: boolean;
  protected override readonly gates = 3;
  constructor(units: number, options: GRUCellOptions = {}) {
    super(units, options, GRUCell.optionNames);
    this.resetAfter = options.resetAfter ?? true;
  }
  protected override biasShape(): Shape {
    return this.resetAfter ? [2, 3 * this.units] : [3 * this.units];
  }
  protected override overWeights(weights: CellWeights): RecurrentCell {
    const { activation, recurrentActivation, resetAfter, bias } = this;
    const options = { activation, recurrentActivation, resetAfter, resetFirst: false };
    if (!resetAfter || !bias) return gruCell(weights, options);
    return gruCell({ ...weights, bias: bias.select(0, 0), recurrentBias: bias.select(0, 1) }, options);
  }
  override getConfig(): Config {
    return { ...super.getConfig(), resetAfter: this.resetAfter };
  }
}
