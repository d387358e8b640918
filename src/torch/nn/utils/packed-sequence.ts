/** Batches of sequences of different lengths, as recurrent layers take and give them. After torch.nn.utils.rnn.PackedSequence. */
import { fillAfter, rowsByStep } from "../../../nn/sequences.ts";
import { type Tensor, tensor } from "../../../tensor/index.ts";

/**
 * What `packPaddedSequence` and `packSequence` make. A recurrent layer over it leaves a sequence's state alone once the sequence has ended, and its
 * backward direction begins at each sequence's own end. The sequences keep their order: states are those of the given batch, whether it was sorted or not.
 */
export class PackedSequence {
  /** @internal [steps, batch, …]; zeros behind the ends. */
  readonly padded: Tensor;
  /** Length of each sequence, in the order of the batch. */
  readonly lengths: readonly number[];

  /** @internal Use `packPaddedSequence` or `packSequence`. */
  constructor(padded: Tensor, lengths: readonly number[]) {
    this.padded = padded;
    this.lengths = lengths;
  }

  /** @internal Time-major data whose ends are as the lengths say. */
  static of(x: Tensor, lengths: readonly number[]): PackedSequence {
    const steps = Math.max(...lengths);
    return new PackedSequence(fillAfter(x.narrow(0, 0, steps), lengths, 0), lengths);
  }

  /** The same lengths with other values, such as a layer's outputs. */
  with(padded: Tensor): PackedSequence {
    return new PackedSequence(padded, this.lengths);
  }
  /** Results stay readable after the step that uses them. */
  keep(): this {
    this.padded.keep();
    return this;
  }

  /** Sequences from the longest to the shortest. */
  private get order(): number[] {
    return this.lengths.map((_, index) => index).sort((a, b) => this.lengths[b] - this.lengths[a]);
  }
  /** The steps that there are, [Σ lengths, …]: first all first ones, longest sequence first, then all second ones, … */
  get data(): Tensor {
    return rowsByStep(this.padded, this.lengths, this.order);
  }
  /** How many sequences have each step. */
  get batchSizes(): Tensor {
    const steps = Math.max(...this.lengths);
    const counts = Array.from({ length: steps }, (_, step) => this.lengths.filter((length) => length > step).length);
    return tensor(Int32Array.from(counts));
  }
  /** Which sequence of the batch comes at each place of `data`'s order. */
  get sortedIndices(): Tensor {
    return tensor(Int32Array.from(this.order));
  }
}
