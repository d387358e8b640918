/** Sequences of different lengths: padding, packing and back. After torch.nn.utils.rnn. */
import { ArgumentError, ShapeError } from "../../../errors.ts";
import { formatShape } from "../../../graph/shape.ts";
import { fillAfter, paddedSequences } from "../../../nn/sequences.ts";
import { concat, full, Tensor, tensor } from "../../../tensor/index.ts";
import { PackedSequence } from "./packed-sequence.ts";

export { PackedSequence } from "./packed-sequence.ts";

export interface PackOptions {
  /** Sequences come from the longest to the shortest, and anything else is an error (default true). */
  readonly enforceSorted?: boolean;
}
export interface PackPaddedOptions extends PackOptions {
  /** The input is [batch, steps, …]. */
  readonly batchFirst?: boolean;
}
export interface PadPackedOptions {
  /** The result is [batch, steps, …]. */
  readonly batchFirst?: boolean;
  /** What stands behind the ends (default 0). */
  readonly paddingValue?: number;
  /** Number of steps of the result, at least those of the longest sequence. */
  readonly totalLength?: number | null;
}
export interface PadOptions {
  /** The result is [batch, steps, …]. */
  readonly batchFirst?: boolean;
  readonly paddingValue?: number;
  /** Where the padding stands (default "right": behind the ends). */
  readonly paddingSide?: "left" | "right";
}

const swapped = (x: Tensor, batchFirst: boolean | undefined): Tensor => (batchFirst ? x.transpose(0, 1) : x);

function checkedLengths(owner: string, lengths: readonly number[] | Tensor, batch: number, steps: number): number[] {
  const list = lengths instanceof Tensor ? [...lengths.dataSync()] : [...lengths];
  if (list.length !== batch) {
    throw new ArgumentError(`${owner}: expected ${batch} lengths, one for each sequence, received ${list.length}.`);
  }
  const wrong = list.find((length) => !Number.isInteger(length) || length < 1 || length > steps);
  if (wrong !== undefined) {
    throw new ArgumentError(`${owner}: lengths must be whole numbers from 1 to ${steps}, received ${wrong}.`);
  }
  return list;
}

function checkSorted(owner: string, lengths: readonly number[], { enforceSorted = true }: PackOptions): void {
  if (!enforceSorted || lengths.every((length, index) => index === 0 || length <= lengths[index - 1])) return;
  throw new ArgumentError(
    `${owner}: lengths must fall from the longest to the shortest, received ${lengths.join(", ")}; pass { enforceSorted: false } for any order.`,
  );
}

/**
 * Packs padded sequences [steps, batch, …] for a recurrent layer: what stands behind a sequence's length is ignored.
 *
 * @example
 * ```ts
 * const { packPaddedSequence, padPackedSequence } = nn.utils.rnn;
 * const lstm = new nn.LSTM(4, 8, { bidirectional: true });
 * const packed = packPaddedSequence(torch.randn(5, 3, 4), [5, 3, 2]);
 * const [output, [h, c]] = lstm(packed);
 * const [padded, lengths] = padPackedSequence(output);
 * padded.shape; // [5, 3, 16]
 * ```
 */
export function packPaddedSequence(
  input: Tensor,
  lengths: readonly number[] | Tensor,
  options: PackPaddedOptions = {},
): PackedSequence {
  const owner = "packPaddedSequence";
  if (input.rank < 2) {
    throw new ShapeError(`${owner}: expected (steps, batch, …), received ${formatShape(input.shape)}.`);
  }
  const x = swapped(input, options.batchFirst);
  const list = checkedLengths(owner, lengths, x.shape[1], x.shape[0]);
  checkSorted(owner, list, options);
  return PackedSequence.of(x, list);
}

/** Packs sequences [length, …] for a recurrent layer. */
export function packSequence(sequences: readonly Tensor[], options: PackOptions = {}): PackedSequence {
  const lengths = sequences.map(({ shape }) => shape[0]);
  const padded = paddedSequences("packSequence", sequences, 0);
  checkSorted("packSequence", checkedLengths("packSequence", lengths, lengths.length, padded.shape[0]), options);
  return new PackedSequence(padded, lengths);
}

/** The sequences as [steps, batch, …], and their lengths. */
export function padPackedSequence(
  sequence: PackedSequence,
  options: PadPackedOptions = {},
): [output: Tensor, lengths: Tensor] {
  const { batchFirst, paddingValue = 0, totalLength } = options;
  const { padded, lengths } = sequence;
  const [steps, ...rest] = padded.shape;
  const total = totalLength ?? steps;
  if (!Number.isInteger(total) || total < steps) {
    throw new ArgumentError(`padPackedSequence: totalLength must be at least ${steps}, received ${total}.`);
  }
  const filled = paddingValue === 0 ? padded : fillAfter(padded, lengths, paddingValue);
  const behind = full([total - steps, ...rest], paddingValue, padded.dtype);
  const output = total === steps ? filled : concat([filled, behind], 0);
  return [swapped(output, batchFirst), tensor(Int32Array.from(lengths))];
}

/** Sequences [length, …] side by side as [steps, batch, …]. */
export function padSequence(sequences: readonly Tensor[], options: PadOptions = {}): Tensor {
  const { batchFirst, paddingValue = 0, paddingSide = "right" } = options;
  return swapped(paddedSequences("padSequence", sequences, paddingValue, paddingSide), batchFirst);
}

/** The sequences of a padded tensor, each with its own length. */
export function unpadSequence(
  padded: Tensor,
  lengths: readonly number[] | Tensor,
  options: { readonly batchFirst?: boolean } = {},
): Tensor[] {
  const x = swapped(padded, options.batchFirst);
  return checkedLengths("unpadSequence", lengths, x.shape[1], x.shape[0]).map((length, index) =>
    x.select(1, index).narrow(0, 0, length),
  );
}

/** The sequences that were packed. */
export function unpackSequence(sequence: PackedSequence): Tensor[] {
  return unpadSequence(sequence.padded, sequence.lengths);
}
