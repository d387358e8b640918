/** What every cell is: one step of a recurrent network. */
import { ShapeError, UnsupportedError } from "../../errors.ts";
import type { RecurrentCell } from "../../nn/recurrent-cells.ts";
import { type Tensor, zeros } from "../../tensor/index.ts";
import { type CallOptions, Layer } from "../layer.ts";

/** What a call of a cell may say besides the inputs of one step. */
export interface CellCallOptions extends CallOptions<Tensor> {
  /** The states before the step, [batch, size] each. */
  readonly states: readonly Tensor[];
}

/**
 * Base of cells. A cell is called with the inputs of one step and `{ states }`, and gives a list: the output, then the states after the step.
 * `RNN` traces it once, whatever the length of the sequence: random numbers that it draws are the same at every step.
 *
 * @example
 * ```ts
 * class Decay extends layers.AbstractRNNCell {
 *   readonly stateSize = 4;
 *   override call(x: Tensor, { states: [mean] }: layers.CellCallOptions) {
 *     const next = mean.mul(0.9).add(x.mul(0.1));
 *     return [next, next];
 *   }
 * }
 * new layers.RNN(new Decay())(zeros([8, 10, 4])).shape; // [8, 4]
 * ```
 */
export abstract class AbstractRNNCell extends Layer<Tensor, readonly Tensor[], CellCallOptions> {
  /** Width of the state, or of each of several. */
  abstract readonly stateSize: number | readonly number[];
  /** Width of the output; that of the first state unless a subclass says. */
  get outputSize(): number {
    return this.stateSizes[0];
  }
  /** `stateSize` as a list. */
  get stateSizes(): readonly number[] {
    return typeof this.stateSize === "number" ? [this.stateSize] : this.stateSize;
  }
  /** States before the first step: zeros. */
  getInitialState(batchSize: number): Tensor[] {
    return this.stateSizes.map((size) => zeros([batchSize, size]));
  }

  /** What a loop over time runs. @internal */
  inLoop(training: boolean): RecurrentCell {
    const { stateSizes, outputSize } = this;
    const step = (x: Tensor, states: readonly Tensor[]): readonly Tensor[] => {
      const results = this(x, { states, training });
      if (this.callLosses.length > 0) {
        throw new UnsupportedError(
          `${this.className} "${this.name}": addLoss inside a cell is not available: a loss of one step does not exist outside the loop. Put it out, or make it a state.`,
        );
      }
      if (results.length === 1 + stateSizes.length) return results;
      throw new ShapeError(
        `${this.className} "${this.name}": call must give the output and ${stateSizes.length} states, received ${results.length} tensors.`,
      );
    };
    return { stateSizes, outputSize, project: (inputs) => inputs, step };
  }
}

/** Throws unless a cell was given as many states as it has. */
export function checkStates(
  { className, name, stateSizes }: AbstractRNNCell,
  states: readonly Tensor[] | undefined,
): void {
  if (states?.length === stateSizes.length) return;
  throw new ShapeError(
    `${className} "${name}": states must hold ${stateSizes.length} tensors, received ${states?.length ?? "none"}.`,
  );
}
