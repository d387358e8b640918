/** Sequences of different lengths in one tensor, time first: what counts, what is padding. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { concat, full, stack, type Tensor, tensor, where } from "../tensor/index.ts";

/** [steps, batch]: which steps of which sequence there are. */
export function countedUpTo(lengths: readonly number[], steps: number): Tensor {
  const counts = Uint8Array.from({ length: steps * lengths.length }, (_, place) =>
    Math.floor(place / lengths.length) < lengths[place % lengths.length] ? 1 : 0,
  );
  return tensor(counts, { shape: [steps, lengths.length] }).cast("bool");
}

/** x [steps, batch, …] with `value` wherever a sequence has ended; what stood there has no influence, not even on gradients. */
export function fillAfter(x: Tensor, lengths: readonly number[], value: number): Tensor {
  const [steps, batch] = x.shape;
  const counts = countedUpTo(lengths, steps).reshape([steps, batch, ...x.shape.slice(2).map(() => 1)]);
  return where(counts, x, value);
}

/** Sequences [length, …] side by side as [steps, batch, …], filled up with `value` after their ends or before their beginnings. */
export function paddedSequences(
  owner: string,
  sequences: readonly Tensor[],
  value: number,
  side: "left" | "right" = "right",
): Tensor {
  if (sequences.length === 0) throw new ArgumentError(`${owner}: expected at least one sequence.`);
  const [first] = sequences;
  const rest = first.shape.slice(1);
  for (const sequence of sequences) {
    if (sequence.rank === 0 || sequence.dtype !== first.dtype || !sameShape(sequence.shape.slice(1), rest)) {
      throw new ShapeError(
        `${owner}: sequences may differ in their first axis only, received ${first.dtype} ${formatShape(first.shape)} and ${sequence.dtype} ${formatShape(sequence.shape)}.`,
      );
    }
  }
  const steps = Math.max(...sequences.map(({ shape }) => shape[0]));
  const filled = sequences.map((sequence) => {
    const missing = steps - sequence.shape[0];
    if (missing === 0) return sequence;
    const padding = full([missing, ...rest], value, first.dtype);
    return concat(side === "left" ? [padding, sequence] : [sequence, padding], 0);
  });
  return stack(filled, 1);
}

/** The steps of all sequences one after another, as they pass through a loop: for each step the sequences (in the given order) that have it. */
export function rowsByStep(x: Tensor, lengths: readonly number[], order: readonly number[]): Tensor {
  const [steps, batch] = x.shape;
  const places: number[] = [];
  for (let step = 0; step < steps; step++) {
    for (const sequence of order) if (step < lengths[sequence]) places.push(step * batch + sequence);
  }
  return x.reshape([steps * batch, ...x.shape.slice(2)]).indexSelect(0, tensor(Int32Array.from(places)));
}
