import type { MachineLimits } from "./machine.ts";
import { rounded } from "./statistics.ts";

/** What a step must do at least, whatever algorithm runs. */
export interface Work {
  readonly flops: number;
  /** Bytes that must be read or written once. */
  readonly bytes: number;
}

/**
 * How near `stepsPerSecond` comes to what the machine can do: FLOP over the FMA peak or least bytes over the copy bandwidth, whichever is larger.
 * Above 1 where an algorithm needs fewer operations than are counted (Winograd), or where data stays in caches.
 */
export function rooflineShare(work: Work, stepsPerSecond: number, limits: MachineLimits): number {
  const arithmetic = work.flops / (limits.fmaPeak * 1e9);
  const traffic = work.bytes / (limits.copyBandwidth * 1e9);
  return rounded(Math.max(arithmetic, traffic) * stepsPerSecond);
}
