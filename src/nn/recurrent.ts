/** Recurrent layers over sequences, time first: one loop per layer and direction, however long the sequence. */
import { ShapeError } from "../errors.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { concat, dropout, scan, type Tensor, where, zeros } from "../tensor/index.ts";
import type { RecurrentCell } from "./recurrent-cells.ts";

export interface RecurrentOptions {
  /** From the last step to the first; outputs stay beside their inputs. */
  readonly reverse?: boolean;
  /** [T, batch]: where false a step changes nothing, and its output is that of the step before (zeros at the start). */
  readonly mask?: Tensor | undefined;
  /** The outputs of masked steps are zeros instead. */
  readonly zeroMasked?: boolean;
  /** States before the first step, [batch, H] each; zeros by default. */
  readonly initial?: readonly Tensor[] | undefined;
}

export interface RecurrentResult {
  /** [T, batch, H] */
  readonly outputs: Tensor;
  /** The output of the last step. */
  readonly last: Tensor;
  /** States after the last step. */
  readonly states: Tensor[];
}

/** Runs a cell over x [T, batch, …]. */
export function recur(cell: RecurrentCell, x: Tensor, options: RecurrentOptions = {}): RecurrentResult {
  const { reverse = false, mask, zeroMasked = false } = options;
  if (x.rank < 3)
    throw new ShapeError(`recurrent layer: expected [steps, batch, features], received ${formatShape(x.shape)}.`);
  const [length, batch] = x.shape;
  const { stateSizes, outputSize } = cell;
  const count = stateSizes.length;
  const initial = options.initial ?? stateSizes.map((size) => zeros([batch, size]));
  checkStates(cell, initial, batch);
  const projected = cell.project(x);
  const advance = (element: Tensor, states: readonly Tensor[]) => {
    const results = cell.step(element, states);
    return { output: results[0], states: outputSize === undefined ? results : results.slice(1) };
  };
  if (!mask) {
    const { carries, history, outputs } = scan(
      (before, [element]) => {
        const { output, states } = advance(element, before);
        return { carries: states, outputs: outputSize === undefined ? [] : [output] };
      },
      initial,
      [projected],
      { reverse },
    );
    if (outputSize === undefined) return { outputs: history[0], last: carries[0], states: carries };
    return { outputs: outputs[0], last: outputs[0].select(0, reverse ? 0 : length - 1), states: carries };
  }
  if (!sameShape(mask.shape, [length, batch])) {
    throw new ShapeError(
      `recurrent layer: a mask for inputs ${formatShape(x.shape)} must be ${formatShape([length, batch])}, received ${formatShape(mask.shape)}.`,
    );
  }
  // a given state is no output: what is put out before the first counted step is 0
  const apart = outputSize !== undefined || (options.initial !== undefined && !zeroMasked);
  const separate = apart ? [zeros([batch, outputSize ?? stateSizes[0]])] : [];
  const { carries, history } = scan(
    (carried, [element, counts]) => {
      const kept = counts.reshape([batch, 1]);
      const before = carried.slice(0, count);
      const { output, states } = advance(element, before);
      const outputs = separate.map((_, i) => where(kept, output, carried[count + i]));
      return { carries: [...states.map((state, i) => where(kept, state, before[i])), ...outputs] };
    },
    [...initial, ...separate],
    [projected, mask.cast("bool")],
    { reverse },
  );
  const output = apart ? count : 0;
  const outputs = zeroMasked ? where(mask.unsqueeze(-1), history[output], 0) : history[output];
  return { outputs, last: carries[output], states: carries.slice(0, count) };
}

function checkStates({ stateSizes }: RecurrentCell, initial: readonly Tensor[], batch: number): void {
  if (initial.length !== stateSizes.length) {
    throw new ShapeError(`recurrent layer: expected ${stateSizes.length} initial states, received ${initial.length}.`);
  }
  initial.forEach((state, index) => {
    const shape = [batch, stateSizes[index]];
    if (sameShape(state.shape, shape)) return;
    throw new ShapeError(
      `recurrent layer: an initial state must be ${formatShape(shape)}, received ${formatShape(state.shape)}.`,
    );
  });
}

export interface StackOptions {
  /** One per layer and direction, in the order layer 0 forward, layer 0 backward, layer 1 forward, …; of each the cell's states. */
  readonly initial?: readonly (readonly Tensor[])[];
  /** Share of the outputs of every layer but the last that is zeroed. */
  readonly dropout?: number;
  /** [T, batch]: steps that do not count leave the states alone and have outputs of zeros. */
  readonly mask?: Tensor | undefined;
}

/** Layers on top of each other, each with one cell or (both directions, outputs side by side) two. */
export function recurStack(
  layers: readonly (readonly RecurrentCell[])[],
  x: Tensor,
  options: StackOptions = {},
): { outputs: Tensor; states: Tensor[][] } {
  const { initial, dropout: rate = 0, mask } = options;
  const states: Tensor[][] = [];
  let inputs = x;
  layers.forEach((directions, layer) => {
    const dropped = layer > 0 && rate > 0 ? dropout(inputs, rate) : inputs;
    const results = directions.map((cell, direction) => {
      const reverse = direction === 1;
      const result = recur(cell, dropped, { reverse, initial: initial?.[states.length], mask, zeroMasked: true });
      states.push(result.states);
      return result.outputs;
    });
    inputs = results.length === 1 ? results[0] : concat(results, -1);
  });
  return { outputs: inputs, states };
}

/** How the two directions of a bidirectional layer become one; null keeps both. */
export type MergeMode = "concat" | "sum" | "mul" | "ave" | null;

/** Merges the outputs of two directions (side by side, or element by element). */
export function mergeDirections(mode: Exclude<MergeMode, null>, forward: Tensor, backward: Tensor): Tensor {
  switch (mode) {
    case "concat":
      return concat([forward, backward], -1);
    case "sum":
      return forward.add(backward);
    case "mul":
      return forward.mul(backward);
    case "ave":
      return forward.add(backward).mul(0.5);
  }
}

/** The mask of a sequence of indices in which 0 stands for padding. */
export function countedSteps(indices: Tensor): Tensor {
  return indices.ne(0);
}

/** x with its masked steps set to zero, and the mask: a step counts if any of its features differs from `value`. */
export function maskSteps(x: Tensor, value: number): { readonly masked: Tensor; readonly mask: Tensor } {
  const counts = x.ne(value).any(-1, true);
  return { masked: x.mul(counts.cast("f32")), mask: counts.squeeze(-1) };
}
