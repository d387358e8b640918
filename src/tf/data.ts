/** `tf.data`. */
import { Dataset } from "../data/pipeline/index.ts";

export { type ArgumentsOf, type BatchOf, Dataset, type SliceOf, type Zipped } from "../data/pipeline/index.ts";

/** `prefetch(AUTOTUNE)`: a little ahead. */
export const AUTOTUNE = -1;

/** TensorFlow.js' names for `Dataset.fromArray`, `fromGenerator` and `zip`. */
export const array = Dataset.fromArray;
export const generator = Dataset.fromGenerator;
export const zip = Dataset.zip;
