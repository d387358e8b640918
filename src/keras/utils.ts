/** `keras.utils`. */
import { ArgumentError, IndexRangeError } from "../errors.ts";
import { setRandomSeed as seedGenerator, type Tensor, tensorView } from "../tensor/index.ts";
import type { ArrayInput } from "../train/arrays.ts";
import { toTensor } from "../train/arrays.ts";
import { resetNames } from "./naming.ts";

/**
 * One-hot vectors of class numbers: [n] or [n, 1] becomes [n, numClasses]. The number of classes is the largest label plus one unless given.
 *
 * @example
 * ```ts
 * toCategorical([0, 2]).toArray(); // [[1, 0, 0], [0, 0, 1]]
 * ```
 */
export function toCategorical(labels: ArrayInput, numClasses?: number): Tensor {
  const classes = toTensor("toCategorical", "labels", labels);
  const values = classes.dataSync();
  let largest = -1;
  for (const value of values) if (value > largest) largest = value;
  const count = numClasses ?? largest + 1;
  if (!Number.isInteger(count) || count < 1) {
    throw new ArgumentError(`toCategorical: numClasses must be a positive integer, received ${count}.`);
  }
  const hot = new Float32Array(values.length * count);
  values.forEach((value: number, index: number) => {
    if (!Number.isInteger(value) || value < 0 || value >= count) {
      throw new IndexRangeError(
        `toCategorical: label ${value} at ${index} is not a class number from 0 to ${count - 1}.`,
      );
    }
    hot[index * count + value] = 1;
  });
  const squeezed = classes.rank > 1 && classes.shape[classes.rank - 1] === 1;
  const shape = squeezed ? classes.shape.slice(0, -1) : classes.shape;
  return tensorView(hot, [...shape, count], "f32");
}

/** Seeds everything random: initialisers, dropout, shuffling. The seed is 0 until this is called. */
export function setRandomSeed(seed: number): void {
  if (!Number.isInteger(seed)) throw new ArgumentError(`setRandomSeed: the seed must be an integer, received ${seed}.`);
  seedGenerator(seed);
}

/** Starts counting the names of layers anew. */
export function clearSession(): void {
  resetNames();
}
