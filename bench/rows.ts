import type { Summary } from "./statistics.ts";

/** One comparison of the report. */
export interface Row {
  readonly suite: string;
  readonly workload: string;
  readonly batch: number;
  readonly threads: number;
  readonly peer: string;
  readonly setting: string;
  /** The instruction set that every contender was held to, where the processor has more. */
  readonly heldTo?: "AVX2";
  /** Whether this is the peer's better setting: the one that goals are held against. */
  readonly better: boolean;
  /** Throughput; absent while Trivium has not been timed. */
  readonly trivium?: Summary;
  readonly peerResult: Summary;
  /** Trivium over peer, figured round by round; above 1 Trivium is faster. */
  readonly ratio?: Summary;
  readonly unit: string;
  /** Trivium's algorithmic FLOP/s over the FMA peak measured in the run. */
  readonly rooflineShare?: number;
  /** Whether other processes took more than a tenth of a core in some round. */
  readonly loaded: boolean;
}

/** A figure without a peer: start-up, compile time, a busy neighbour. */
export interface Figure {
  readonly suite: string;
  readonly name: string;
  readonly value: Summary;
  readonly unit: string;
  readonly goal?: string;
  readonly loaded: boolean;
}

/** What `--json` writes and bench/RESULTS.md is made from. */
export interface Report {
  readonly date: string;
  readonly command: string;
  readonly machine: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly limits?: { readonly fmaPeak: number; readonly copyBandwidth: number };
  readonly rows: readonly Row[];
  readonly figures: readonly Figure[];
}
