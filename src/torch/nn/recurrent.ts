/** Recurrent layers: RNN, LSTM, GRU and their cells. Each layer and direction is one loop, compiled once whatever the length. After torch.nn.RNN. */
import { ArgumentError, ShapeError, UnsupportedError } from "../../errors.ts";
import { formatShape, sameShape } from "../../graph/shape.ts";
import { relu } from "../../nn/activations.ts";
import { recurStack } from "../../nn/recurrent.ts";
import { gruCell, lstmCell, type RecurrentCell, simpleCell } from "../../nn/recurrent-cells.ts";
import { countedUpTo } from "../../nn/sequences.ts";
import { randomUniform, stack, type Tensor, zeros } from "../../tensor/index.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { PackedSequence } from "./utils/packed-sequence.ts";

/** Options of all recurrent layers. */
export interface RecurrentOptions {
  /** Layers on top of each other (default 1). */
  readonly numLayers?: number;
  /** Whether there are bias_ih and bias_hh (default true). */
  readonly bias?: boolean;
  /** Inputs and outputs are [batch, steps, features] instead of [steps, batch, features]; states are not affected. */
  readonly batchFirst?: boolean;
  /** Share of the outputs of every layer but the last that is zeroed in training. */
  readonly dropout?: number;
  /** A second direction, from the last step to the first; outputs stand side by side. */
  readonly bidirectional?: boolean;
  /** Not available. */
  readonly projSize?: 0;
}
export interface RNNOptions extends RecurrentOptions {
  readonly nonlinearity?: Nonlinearity;
}
export interface CellOptions {
  /** Whether there are bias_ih and bias_hh (default true). */
  readonly bias?: boolean;
}
export interface RNNCellOptions extends CellOptions {
  readonly nonlinearity?: Nonlinearity;
}
/** Output and cell state of an LSTM. */
export type LSTMState = readonly [h: Tensor, c: Tensor];
export type Nonlinearity = "tanh" | "relu";

/** Weights of one layer and direction under PyTorch's names without the suffix. */
interface Weights {
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih: Parameter | undefined;
  readonly bias_hh: Parameter | undefined;
}
type CellOf = (weights: Parameters<typeof lstmCell>[0]) => RecurrentCell;

const lstm: CellOf = (weights) => lstmCell(weights);
const gru: CellOf = (weights) => gruCell(weights, { resetAfter: true, resetFirst: true });

function simple(owner: string, nonlinearity: Nonlinearity = "tanh"): CellOf {
  if (nonlinearity !== "tanh" && nonlinearity !== "relu") {
    throw new ArgumentError(
      `${owner}: nonlinearity must be "tanh" or "relu", received ${JSON.stringify(nonlinearity)}.`,
    );
  }
  return (weights) => simpleCell(weights, nonlinearity === "relu" ? (x) => relu(x) : undefined);
}

function checkSizes(owner: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isInteger(size) || size < 1) {
      throw new ArgumentError(`${owner}: ${name} must be an integer of 1 or more, received ${size}.`);
    }
  }
}

/** U(±1/√hidden) for all weights, as PyTorch does. */
function makeWeights(inputs: number, hidden: number, gates: number, bias: boolean): Weights {
  const limit = 1 / Math.sqrt(hidden);
  const made = (shape: number[]): Parameter =>
    // read transposed: so they lie in memory
    new Parameter(randomUniform(shape, { min: -limit, max: limit }), shape.length === 2 ? { order: [1, 0] } : {});
  return {
    weight_ih: made([gates * hidden, inputs]),
    weight_hh: made([gates * hidden, hidden]),
    bias_ih: bias ? made([gates * hidden]) : undefined,
    bias_hh: bias ? made([gates * hidden]) : undefined,
  };
}

function cellOver(cell: CellOf, weights: Weights): RecurrentCell {
  return cell({
    kernel: weights.weight_ih.transpose(0, 1),
    recurrentKernel: weights.weight_hh.transpose(0, 1),
    bias: weights.bias_ih,
    recurrentBias: weights.bias_hh,
  });
}

/** What RNN, LSTM and GRU share; `Hidden` is what goes in and comes out beside the outputs. */
abstract class RecurrentModule<Hidden> extends Module<[input: Tensor, hx?: Hidden], [output: Tensor, hx: Hidden]> {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly #cell: CellOf;

  constructor(
    inputSize: number,
    hiddenSize: number,
    options: number | RecurrentOptions,
    kind: { readonly gates: number; readonly cell: CellOf },
  ) {
    super();
    const owner = new.target.name;
    const settings = typeof options === "number" ? { numLayers: options } : options;
    const {
      numLayers = 1,
      bias = true,
      batchFirst = false,
      dropout = 0,
      bidirectional = false,
      projSize = 0,
    } = settings;
    checkSizes(owner, { inputSize, hiddenSize, numLayers });
    if (!(dropout >= 0 && dropout <= 1)) {
      throw new ArgumentError(`${owner}: dropout must lie in [0, 1], received ${dropout}.`);
    }
    if (projSize !== 0)
      throw new UnsupportedError(`${owner}: projSize is not available; put a Linear after the layer.`);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    this.#cell = kind.cell;
    this.eachDirection((suffix, layer) => {
      const inputs = layer === 0 ? inputSize : hiddenSize * this.directions;
      for (const [name, weight] of Object.entries(makeWeights(inputs, hiddenSize, kind.gates, bias))) {
        if (weight) (this as Record<string, unknown>)[name + suffix] = weight;
      }
    });
  }

  private get directions(): number {
    return this.bidirectional ? 2 : 1;
  }
  private eachDirection<T>(visit: (suffix: string, layer: number) => T): T[][] {
    return Array.from({ length: this.numLayers }, (_, layer) =>
      ["", "_reverse"].slice(0, this.directions).map((direction) => visit(`_l${layer}${direction}`, layer)),
    );
  }
  private weightsOf(suffix: string): Weights {
    const own = this as unknown as Readonly<Record<string, Parameter>>;
    return {
      weight_ih: own[`weight_ih${suffix}`],
      weight_hh: own[`weight_hh${suffix}`],
      bias_ih: own[`bias_ih${suffix}`],
      bias_hh: own[`bias_hh${suffix}`],
    };
  }
  /** Weights of all layers, as in PyTorch: [weight_ih, weight_hh, bias_ih, bias_hh] of each layer and direction. */
  get allWeights(): Parameter[][] {
    return this.eachDirection((suffix) => Object.values(this.weightsOf(suffix)).filter(Boolean) as Parameter[]).flat();
  }
  /** Does nothing: weights need no particular place in memory. */
  flattenParameters(): void {}

  /** Runs all layers; `given` holds the initial states as [layers · directions, batch, hidden]. */
  protected run<Input extends Tensor | PackedSequence>(
    input: Input,
    given: readonly Tensor[] | undefined,
    owner: string,
  ): [output: Input, states: Tensor[]] {
    if (!(input instanceof PackedSequence)) {
      return this.runOver(input, given, owner, this.batchFirst) as [Input, Tensor[]];
    }
    const { padded, lengths } = input;
    const mask = countedUpTo(lengths, padded.shape[0]);
    const [output, states] = this.runOver(padded, given, owner, false, mask);
    return [input.with(output) as Input, states];
  }

  private runOver(
    input: Tensor,
    given: readonly Tensor[] | undefined,
    owner: string,
    batchFirst: boolean,
    mask?: Tensor,
  ): [output: Tensor, states: Tensor[]] {
    if ((input.rank !== 2 && input.rank !== 3) || input.shape[input.rank - 1] !== this.inputSize) {
      const batched = batchFirst ? "(batch, steps" : "(steps, batch";
      throw new ShapeError(
        `${owner}: expected an input of shape ${batched}, ${this.inputSize}) or (steps, ${this.inputSize}), received ${formatShape(input.shape)}.`,
      );
    }
    const single = input.rank === 2;
    const swapped = !single && batchFirst;
    const x = single ? input.unsqueeze(1) : swapped ? input.transpose(0, 1) : input;
    const count = this.numLayers * this.directions;
    const initial = given?.map((state) => {
      const shape = single ? [count, this.hiddenSize] : [count, x.shape[1], this.hiddenSize];
      if (!sameShape(state.shape, shape)) {
        throw new ShapeError(
          `${owner}: a state must have shape ${formatShape(shape)}, received ${formatShape(state.shape)}.`,
        );
      }
      return single ? state.unsqueeze(1) : state;
    });
    const cells = this.eachDirection((suffix) => cellOver(this.#cell, this.weightsOf(suffix)));
    const { outputs, states } = recurStack(cells, x, {
      dropout: this.training ? this.dropout : 0,
      mask,
      ...(initial && {
        initial: Array.from({ length: count }, (_, place) => initial.map((state) => state.select(0, place))),
      }),
    });
    const hidden = states[0].map((_, kind) => {
      const all = stack(states.map((state) => state[kind]));
      return single ? all.squeeze(1) : all;
    });
    return [single ? outputs.squeeze(1) : swapped ? outputs.transpose(0, 1) : outputs, hidden];
  }

  override extraRepr(): string {
    const parts = [`${this.inputSize}, ${this.hiddenSize}`];
    if (this.numLayers !== 1) parts.push(`num_layers=${this.numLayers}`);
    if (!this.bias) parts.push("bias=False");
    if (this.batchFirst) parts.push("batch_first=True");
    if (this.dropout !== 0) parts.push(`dropout=${this.dropout}`);
    if (this.bidirectional) parts.push("bidirectional=True");
    return parts.join(", ");
  }
}

/**
 * h_t = tanh(x_t·W_ihᵀ + b_ih + h_{t−1}·W_hhᵀ + b_hh), or relu. Gives [output, h_n]: output [steps, batch, directions · hidden], h_n [layers · directions, batch,
 * hidden]. The third argument may be the number of layers. After torch.nn.RNN.
 *
 * @throws ShapeError for an input whose last axis is not `inputSize`, or a state of another shape
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only says how instances are called
export class RNN extends RecurrentModule<Tensor> {
  readonly nonlinearity: Nonlinearity;
  constructor(inputSize: number, hiddenSize: number, options: number | RNNOptions = {}) {
    const { nonlinearity = "tanh" } = typeof options === "number" ? ({} as RNNOptions) : options;
    super(inputSize, hiddenSize, options, { gates: 1, cell: simple("RNN", nonlinearity) });
    this.nonlinearity = nonlinearity;
  }
  override forward(input: PackedSequence, hx?: Tensor): [output: PackedSequence, hx: Tensor];
  override forward(input: Tensor, hx?: Tensor): [output: Tensor, hx: Tensor];
  override forward(input: Tensor | PackedSequence, hx?: Tensor): [output: Tensor | PackedSequence, hx: Tensor] {
    const [output, [state]] = this.run(input, hx && [hx], "RNN");
    return [output, state];
  }
}

/**
 * Long short-term memory with gates i, f, g, o: c_t = f·c_{t−1} + i·g, h_t = o·tanh(c_t). Gives [output, [h_n, c_n]]; shapes as in `RNN`. After torch.nn.LSTM.
 *
 * @example
 * ```ts
 * const lstm = new nn.LSTM(8, 16, { numLayers: 2, batchFirst: true });
 * const [output, [h, c]] = lstm(torch.randn([4, 10, 8])); // output: [4, 10, 16]
 * ```
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only says how instances are called
export class LSTM extends RecurrentModule<LSTMState> {
  constructor(inputSize: number, hiddenSize: number, options: number | RecurrentOptions = {}) {
    super(inputSize, hiddenSize, options, { gates: 4, cell: lstm });
  }
  override forward(input: PackedSequence, hx?: LSTMState): [output: PackedSequence, hx: LSTMState];
  override forward(input: Tensor, hx?: LSTMState): [output: Tensor, hx: LSTMState];
  override forward(input: Tensor | PackedSequence, hx?: LSTMState): [output: Tensor | PackedSequence, hx: LSTMState] {
    const [output, [h, c]] = this.run(input, hx, "LSTM");
    return [output, [h, c]];
  }
}

/** Gated recurrent unit with gates r, z and candidate n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn)): h_t = (1 − z)·n + z·h_{t−1}. Shapes as in `RNN`. After torch.nn.GRU. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only says how instances are called
export class GRU extends RecurrentModule<Tensor> {
  constructor(inputSize: number, hiddenSize: number, options: number | RecurrentOptions = {}) {
    super(inputSize, hiddenSize, options, { gates: 3, cell: gru });
  }
  override forward(input: PackedSequence, hx?: Tensor): [output: PackedSequence, hx: Tensor];
  override forward(input: Tensor, hx?: Tensor): [output: Tensor, hx: Tensor];
  override forward(input: Tensor | PackedSequence, hx?: Tensor): [output: Tensor | PackedSequence, hx: Tensor] {
    const [output, [state]] = this.run(input, hx && [hx], "GRU");
    return [output, state];
  }
}

/** How recurrent layers are called on sequences of different lengths. */
type OverPacked<Hidden> = (input: PackedSequence, hx?: Hidden) => [output: PackedSequence, hx: Hidden];
export interface RNN extends OverPacked<Tensor> {}
export interface LSTM extends OverPacked<LSTMState> {}
export interface GRU extends OverPacked<Tensor> {}

/** What the cells share: one step over [batch, inputs], or over [inputs] alone. */
abstract class CellModule<Hidden, Result> extends Module<[input: Tensor, hx?: Hidden], Result> {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly bias: boolean;
  readonly weight_ih: Parameter;
  readonly weight_hh: Parameter;
  readonly bias_ih: Parameter | undefined;
  readonly bias_hh: Parameter | undefined;
  readonly #cell: CellOf;

  constructor(inputSize: number, hiddenSize: number, gates: number, cell: CellOf, { bias = true }: CellOptions) {
    super();
    checkSizes(new.target.name, { inputSize, hiddenSize });
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.bias = bias;
    const weights = makeWeights(inputSize, hiddenSize, gates, bias);
    this.weight_ih = weights.weight_ih;
    this.weight_hh = weights.weight_hh;
    this.bias_ih = weights.bias_ih;
    this.bias_hh = weights.bias_hh;
    this.#cell = cell;
  }

  protected step(input: Tensor, given: readonly Tensor[] | undefined, owner: string): readonly Tensor[] {
    if ((input.rank !== 1 && input.rank !== 2) || input.shape[input.rank - 1] !== this.inputSize) {
      throw new ShapeError(
        `${owner}: expected an input of shape (batch, ${this.inputSize}) or (${this.inputSize},), received ${formatShape(input.shape)}.`,
      );
    }
    const single = input.rank === 1;
    const x = single ? input.unsqueeze(0) : input;
    const shape = [...input.shape.slice(0, -1), this.hiddenSize];
    const cell = cellOver(this.#cell, this);
    const states = given ?? cell.stateSizes.map(() => zeros(shape));
    for (const state of states) {
      if (!sameShape(state.shape, shape)) {
        throw new ShapeError(
          `${owner}: a state must have shape ${formatShape(shape)}, received ${formatShape(state.shape)}.`,
        );
      }
    }
    const before = single ? states.map((state) => state.unsqueeze(0)) : states;
    const after = cell.step(cell.project(x), before);
    return single ? after.map((state) => state.squeeze(0)) : after;
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.bias ? "" : ", bias=False"}`;
  }
}

/** One step of `RNN`: h' from x [batch, inputs] and h [batch, hidden] (zeros by default). After torch.nn.RNNCell. */
export class RNNCell extends CellModule<Tensor, Tensor> {
  readonly nonlinearity: Nonlinearity;
  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    super(inputSize, hiddenSize, 1, simple("RNNCell", options.nonlinearity), options);
    this.nonlinearity = options.nonlinearity ?? "tanh";
  }
  override forward(input: Tensor, hx?: Tensor): Tensor {
    return this.step(input, hx && [hx], "RNNCell")[0];
  }
}

/** One step of `LSTM`: [h', c'] from x and [h, c]. After torch.nn.LSTMCell. */
export class LSTMCell extends CellModule<readonly [h: Tensor, c: Tensor], [h: Tensor, c: Tensor]> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, 4, lstm, options);
  }
  override forward(input: Tensor, hx?: readonly [h: Tensor, c: Tensor]): [h: Tensor, c: Tensor] {
    const [h, c] = this.step(input, hx, "LSTMCell");
    return [h, c];
  }
}

/** One step of `GRU`. After torch.nn.GRUCell. */
export class GRUCell extends CellModule<Tensor, Tensor> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, 3, gru, options);
  }
  override forward(input: Tensor, hx?: Tensor): Tensor {
    return this.step(input, hx && [hx], "GRUCell")[0];
  }
}
