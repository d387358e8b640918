import { UnsupportedError } from "../src/errors.ts";

/** One training step; gives the loss of its batch before the update. */
export type Step = () => number;

/** Builds a workload with the weights and data that the peers get (bench/peers/seeds_cnn.py). */
export function makeWorkload(name: string, _batch: number): Step {
  throw new UnsupportedError(`bench: no workload "${name}" yet.`);
}
