/** What transforms and data sets may know about the example that is being made: its random numbers and the worker that makes it. */
import { defaultGenerator } from "../tensor/index.ts";
import { HostRandom, mixSeed } from "./host-random.ts";

/** What identifies an example's randomness: everything random about it is a function of these. */
export interface SampleKey {
  readonly seed: number;
  readonly epoch: number;
}

/** The thread that makes examples. */
export interface WorkerInfo {
  /** 0 … numWorkers − 1. */
  readonly id: number;
  readonly numWorkers: number;
  readonly seed: number;
}

let current: HostRandom | undefined;
let worker: WorkerInfo | undefined;

/**
 * Runs `body`, which makes the example `index`, with random numbers keyed by (seed, epoch, index): those of `sampleRandom()` and those of random
 * tensors. The default generator goes on afterwards as if nothing had happened.
 */
export function withSample<T>(key: SampleKey, index: number, body: () => T): T {
  const before = current;
  const state = defaultGenerator.state;
  current = new HostRandom(key.seed, key.epoch, index);
  defaultGenerator.state = { seed: mixSeed(key.seed, key.epoch, index), counter: 0 };
  try {
    return body();
  } finally {
    current = before;
    defaultGenerator.state = state;
  }
}

/**
 * Random numbers for the example that is being made. Inside a data loader they depend on (seed, epoch, index) only, so the number of workers does
 * not change them; outside, they follow the default generator (`manualSeed`).
 *
 * @example
 * ```ts
 * const noisy = new transforms.Lambda((x: Tensor) => (sampleRandom().chance(0.5) ? x.flip(1) : x));
 * ```
 */
export function sampleRandom(): HostRandom {
  return current ?? new HostRandom(defaultGenerator.currentSeed(), 0x7a11, defaultGenerator.next());
}

/** The worker thread that this code runs in; undefined in the main thread. */
export function getWorkerInfo(): WorkerInfo | undefined {
  return worker;
}

/** @internal Called once by a worker's thread. */
export function setWorkerInfo(info: WorkerInfo): void {
  worker = info;
}
