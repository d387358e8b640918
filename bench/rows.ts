import { type MachineLimits, rooflineShare, type Work } from "../src/targets/roofline.ts";
import { rounded, type Summary, summarize } from "./statistics.ts";
import type { StepProfile, TimedStep } from "./step-profile.ts";

/** One comparison of the report. */
export interface Row {
  readonly suite: string;
  readonly workload: string;
  /** Exact shape of a kernel's workload. */
  readonly shape?: string;
  readonly batch: number;
  readonly threads: number;
  /** `none` where Trivium ran alone. */
  readonly peer: string;
  readonly setting: string;
  /** The instruction set that every contender was held to, where the processor has more. */
  readonly heldTo?: "AVX2";
  /** Whether this is the peer's better setting: the one that goals are held against. */
  readonly better: boolean;
  /** Throughput; absent while Trivium has not been timed. */
  readonly trivium?: Summary;
  /** Absent without a peer. */
  readonly peerResult?: Summary;
  /** Trivium over peer, figured round by round; above 1 Trivium is faster. */
  readonly ratio?: Summary;
  readonly unit: string;
  /** Trivium's share of what the machine can do, by `rooflineShare`, with the limits measured in the run. */
  readonly rooflineShare?: number;
  /** The part of the result that was held against the f64 oracle, in words, where there was no peer to hold it against. */
  readonly oracle?: string;
  /** Whether other processes took more than a tenth of a core in some round. */
  readonly loaded: boolean;
}

/** A peer's setting that has no row: it cannot run on this machine, or failed by itself. */
export interface LeftOut {
  readonly suite: string;
  readonly workload: string;
  readonly shape?: string;
  readonly batch: number;
  readonly peer: string;
  readonly setting: string;
  /** One line. */
  readonly reason: string;
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
  readonly profiles?: readonly StepProfile[];
  readonly leftOut?: readonly LeftOut[];
}

/** What all rows of one comparison have in common. */
export interface Comparison
  extends Pick<Row, "suite" | "workload" | "shape" | "batch" | "threads" | "heldTo" | "unit"> {
  readonly unitsPerStep: number;
  readonly work?: Work;
  /** See `Row`. */
  readonly oracle?: string;
}

/** A contender's throughputs, one for each round. */
export interface Contestant {
  readonly peer: string;
  readonly setting: string;
  readonly throughputs: readonly number[];
  /** Steps timed kernel by kernel after each round, where that was asked for. */
  readonly profiles?: readonly (readonly TimedStep[])[];
  readonly loaded: boolean;
}

/** One row for each setting of each peer; one with peer `none` where Trivium ran alone. */
export function rowsOf(
  comparison: Comparison,
  contestants: readonly Contestant[],
  limits: MachineLimits | undefined,
): Row[] {
  const { suite, workload, shape, batch, threads, heldTo, unit, unitsPerStep, work, oracle } = comparison;
  const medianOf = ({ throughputs }: Contestant) => summarize(throughputs).median;
  const trivium = contestants.find(({ peer }) => peer === "trivium");
  const share =
    trivium && limits && work && rounded(rooflineShare(work, (1000 * unitsPerStep) / medianOf(trivium), limits));
  const head = { suite, workload, ...(shape !== undefined && { shape }), batch, threads };
  const own = {
    ...(heldTo !== undefined && { heldTo }),
    ...(trivium !== undefined && { trivium: summarize(trivium.throughputs) }),
    unit,
    ...(share !== undefined && { rooflineShare: share }),
    ...(oracle !== undefined && { oracle }),
  };
  const peers = contestants.filter((contestant) => contestant !== trivium);
  if (trivium !== undefined && peers.length === 0) {
    return [{ ...head, peer: "none", setting: "default", better: true, ...own, loaded: trivium.loaded }];
  }
  return peers.map((contestant) => {
    const { peer, setting, throughputs } = contestant;
    const rivals = peers.filter((other) => other.peer === peer);
    return {
      ...head,
      peer,
      setting,
      better: medianOf(contestant) === Math.max(...rivals.map(medianOf)),
      ...own,
      peerResult: summarize(throughputs),
      ...(trivium !== undefined && {
        ratio: summarize(throughputs.map((value, round) => trivium.throughputs[round]! / value)),
      }),
      loaded: contestant.loaded || (trivium?.loaded ?? false),
    };
  });
}
