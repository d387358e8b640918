/** What kernels took, beside what the machine could do at most. */
import type { StepTiming } from "./target.ts";

/** Limits of the machine, as measured. */
export interface MachineLimits {
  /** GFLOP/s of fused multiply-adds on all threads used. */
  readonly fmaPeak: number;
  /** GB/s of a copy, read and written bytes counted. */
  readonly copyBandwidth: number;
}

/** What must be done at least, whatever algorithm runs. */
export interface Work {
  readonly flops: number;
  /** Bytes that must be read or written once. */
  readonly bytes: number;
}

/** Milliseconds that each limit alone would take. */
const leastTimes = ({ flops, bytes }: Work, { fmaPeak, copyBandwidth }: MachineLimits) => ({
  arithmetic: flops / fmaPeak / 1e6,
  traffic: bytes / copyBandwidth / 1e6,
});

/**
 * How near work done in `milliseconds` comes to what the machine can do: FLOP over the FMA peak or least bytes over the copy bandwidth, whichever is
 * larger. Above 1 where an algorithm needs fewer operations than are counted (Winograd), or where data stays in caches.
 */
export function rooflineShare(work: Work, milliseconds: number, limits: MachineLimits): number {
  const { arithmetic, traffic } = leastTimes(work, limits);
  return Math.max(arithmetic, traffic) / milliseconds;
}

/** Which limit binds. */
export function boundOf(work: Work, limits: MachineLimits): "fma" | "mem" {
  const { arithmetic, traffic } = leastTimes(work, limits);
  return arithmetic > traffic ? "fma" : "mem";
}

/** All calls of the kernels of one name. */
export interface KernelTotal extends StepTiming {
  readonly calls: number;
}

/** Several totals as one. */
export function addUp(label: string, totals: readonly KernelTotal[]): KernelTotal {
  const sum = (part: "calls" | "milliseconds" | "flops" | "bytes") =>
    totals.reduce((total, each) => total + each[part], 0);
  return { label, calls: sum("calls"), milliseconds: sum("milliseconds"), flops: sum("flops"), bytes: sum("bytes") };
}

/** Adds up the kernels of one name; the longest first. */
export function totalByName(timings: Iterable<StepTiming>): KernelTotal[] {
  const named = new Map<string, KernelTotal[]>();
  for (const timing of timings) {
    const one = { ...timing, calls: 1 };
    const others = named.get(timing.label);
    if (others) others.push(one);
    else named.set(timing.label, [one]);
  }
  return [...named]
    .map(([label, totals]) => addUp(label, totals))
    .sort((left, right) => right.milliseconds - left.milliseconds);
}
