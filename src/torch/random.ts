/** The state of random numbers. They are counter-based, so they differ from PyTorch's, and are equal on every machine. */
import {
  defaultGenerator,
  type Generator,
  getRandomState,
  type RandomState,
  setRandomState,
} from "../tensor/random.ts";

export { Generator } from "../tensor/random.ts";
export { defaultGenerator };

/** Seeds the default generator; returns it. */
export function manualSeed(seed: number): Generator {
  return defaultGenerator.manualSeed(seed);
}
/** Seeds the default generator with a number that differs from run to run; returns the number. */
export function seed(): number {
  const value = Math.floor(Math.random() * 2 ** 32);
  defaultGenerator.manualSeed(value);
  return value;
}
/** The number that the default generator was seeded with. */
export function initialSeed(): number {
  return defaultGenerator.state.seed;
}
/** The state of the default generator: plain data, to be stored in a checkpoint. */
export function getRngState(): RandomState {
  return getRandomState();
}
/** Restores what `getRngState` gave: what follows repeats what followed then. */
export function setRngState(state: RandomState): void {
  setRandomState(state);
}
