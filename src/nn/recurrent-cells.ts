/**
 * Recurrent cells: simple, LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000), GRU (Cho et al. 2014; with the reset gate after
 * the product as in cuDNN). A cell is split where a loop over time profits: `project` is what does not depend on the state and runs for all steps at once.
 */
import { ShapeError } from "../errors.ts";
import { formatShape } from "../graph/shape.ts";
import { dropout, ones, type Tensor } from "../tensor/index.ts";
import { dense } from "./linear.ts";

type Activation = (x: Tensor) => Tensor;

/** Weights of a cell of H units with G gates: kernel [inputs, G·H], recurrent kernel [H, G·H], biases [G·H] on either side. */
export interface CellWeights {
  readonly kernel: Tensor;
  readonly recurrentKernel: Tensor;
  readonly bias?: Tensor | undefined;
  readonly recurrentBias?: Tensor | undefined;
}

export interface RecurrentCell {
  /** Widths of the tensors [batch, width] that go from step to step. */
  readonly stateSizes: readonly number[];
  /** Width of an output that is none of the states; without it the first state is the output. */
  readonly outputSize?: number;
  /** What does not depend on the states, for the inputs [T, batch, …] of all steps at once. */
  project(inputs: Tensor): Tensor;
  /** The states after one step, and before them the output where it is none of them. */
  step(projected: Tensor, states: readonly Tensor[]): readonly Tensor[];
}

const tanh: Activation = (x) => x.tanh();
const sigmoid: Activation = (x) => x.sigmoid();

/** Columns of gate `index` of gates that lie side by side. */
function gate(gates: Tensor, units: number, index: number, count = 1): Tensor {
  return gates.slice([0, index * units], [gates.shape[0], (index + count) * units]);
}

function project(owner: string, weights: CellWeights, inputs: Tensor, bias: Tensor | undefined): Tensor {
  const [width] = weights.kernel.shape;
  if (inputs.shape[inputs.rank - 1] !== width) {
    throw new ShapeError(
      `${owner}: expected inputs with ${width} features, received shape ${formatShape(inputs.shape)}.`,
    );
  }
  return dense(inputs, weights.kernel, bias);
}

function bothBiases({ bias, recurrentBias }: CellWeights): Tensor | undefined {
  return bias && recurrentBias ? bias.add(recurrentBias) : (bias ?? recurrentBias);
}

/** h' = activation(x·W + h·U + b). After Elman 1990. */
export function simpleCell(weights: CellWeights, activation: Activation = tanh): RecurrentCell {
  return {
    stateSizes: [weights.recurrentKernel.shape[0]],
    project: (inputs) => project("simple recurrent cell", weights, inputs, bothBiases(weights)),
    step: (projected, [h]) => [activation(projected.add(h.matmul(weights.recurrentKernel)))],
  };
}

export interface GateActivations {
  /** Of candidates and cell state; tanh by default. */
  readonly activation?: Activation;
  /** Of gates; sigmoid by default. */
  readonly recurrentActivation?: Activation;
}

/** Gates i, f, g, o: c' = f·c + i·g, h' = o·tanh(c'). States h, c. */
export function lstmCell(weights: CellWeights, options: GateActivations = {}): RecurrentCell {
  const { activation = tanh, recurrentActivation = sigmoid } = options;
  const [units] = weights.recurrentKernel.shape;
  return {
    stateSizes: [units, units],
    project: (inputs) => project("LSTM cell", weights, inputs, bothBiases(weights)),
    step: (projected, [h, c]) => {
      const gates = projected.add(h.matmul(weights.recurrentKernel));
      const [i, f, o] = [0, 1, 3].map((index) => recurrentActivation(gate(gates, units, index)));
      const next = f.mul(c).add(i.mul(activation(gate(gates, units, 2))));
      return [o.mul(activation(next)), next];
    },
  };
}

export interface GruOptions extends GateActivations {
  /** The reset gate multiplies after the product with the recurrent kernel (PyTorch, cuDNN, Keras by default), or the state before it. */
  readonly resetAfter: boolean;
  /** Order of the gates in the weights: PyTorch puts the reset gate first, Keras the update gate. The candidate is last. */
  readonly resetFirst: boolean;
}

/** Gates r, z and candidate n = tanh(x·Wn + r·(h·Un + bn)), or tanh(x·Wn + (r·h)·Un): h' = z·h + (1 − z)·n. */
export function gruCell(weights: CellWeights, options: GruOptions): RecurrentCell {
  const { activation = tanh, recurrentActivation = sigmoid, resetAfter, resetFirst } = options;
  const { recurrentKernel, recurrentBias } = weights;
  const [units] = recurrentKernel.shape;
  const [resetGate, updateGate] = resetFirst ? [0, 1] : [1, 0];
  const mix = (z: Tensor, h: Tensor, candidate: Tensor): Tensor[] => [candidate.add(z.mul(h.sub(candidate)))];
  if (resetAfter) {
    return {
      stateSizes: [units],
      project: (inputs) => project("GRU cell", weights, inputs, weights.bias),
      step: (projected, [h]) => {
        const product = h.matmul(recurrentKernel);
        const inner = recurrentBias ? product.add(recurrentBias) : product;
        const gateOf = (index: number): Tensor =>
          recurrentActivation(gate(projected, units, index).add(gate(inner, units, index)));
        const [r, z] = [gateOf(resetGate), gateOf(updateGate)];
        return mix(z, h, activation(gate(projected, units, 2).add(r.mul(gate(inner, units, 2)))));
      },
    };
  }
  return {
    stateSizes: [units],
    project: (inputs) => project("GRU cell", weights, inputs, bothBiases(weights)),
    step: (projected, [h]) => {
      const gates = recurrentActivation(gate(projected, units, 0, 2).add(h.matmul(gate(recurrentKernel, units, 0, 2))));
      const [r, z] = [gate(gates, units, resetGate), gate(gates, units, updateGate)];
      const inner = r.mul(h).matmul(gate(recurrentKernel, units, 2));
      return mix(z, h, activation(gate(projected, units, 2).add(inner)));
    },
  };
}

/** Cells on top of each other as one: each reads the output of the one below, and the states lie side by side. */
export function stackedCell(cells: readonly RecurrentCell[]): RecurrentCell {
  const [first, ...others] = cells;
  const last = cells[cells.length - 1];
  const outputSize = last.outputSize ?? last.stateSizes[0];
  return {
    stateSizes: cells.flatMap(({ stateSizes }) => stateSizes),
    outputSize,
    project: (inputs) => first.project(inputs),
    step: (projected, states) => {
      let used = 0;
      const advance = (cell: RecurrentCell, element: Tensor): [output: Tensor, states: readonly Tensor[]] => {
        const before = states.slice(used, used + cell.stateSizes.length);
        used += before.length;
        const results = cell.step(element, before);
        return [results[0], cell.outputSize === undefined ? results : results.slice(1)];
      };
      let [output, after] = advance(first, projected);
      const all = [...after];
      for (const cell of others) {
        [output, after] = advance(cell, cell.project(output));
        all.push(...after);
      }
      return [output, ...all];
    },
  };
}

/** A cell in training: shares of the features and of the first state are zeroed, the same ones at every step of a loop. */
export function withDropout(
  cell: RecurrentCell,
  rates: { readonly inputs: number; readonly state: number },
): RecurrentCell {
  const dropped = (inputs: Tensor): Tensor => {
    const { shape } = inputs;
    return dropout(inputs, rates.inputs, { maskShape: shape.length === 3 ? [1, ...shape.slice(1)] : shape });
  };
  return {
    ...cell,
    project: (inputs) => cell.project(rates.inputs > 0 ? dropped(inputs) : inputs),
    step: (projected, [state, ...others]) => {
      const factor = rates.state > 0 ? dropout(ones(state.shape), rates.state) : undefined;
      return cell.step(projected, [factor ? state.mul(factor) : state, ...others]);
    },
  };
}
