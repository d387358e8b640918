import type { GraphProgram } from "./program.ts";

/** Where an input of a loop's body comes from at step t. `input` and `initial` are positions among the inputs of the scan node. */
export type StepSource =
  /** What result `result` was at the step before; at the first step, `initial`. */
  | { readonly kind: "carry"; readonly result: number; readonly initial: number }
  /** Element t + shift of a sequence [T, …]; where there is none, `initial` (-1 without a shift). */
  | { readonly kind: "sequence"; readonly input: number; readonly shift: -1 | 0 | 1; readonly initial: number }
  /** The same at every step. */
  | { readonly kind: "constant"; readonly input: number };

/**
 * A loop over time: `body` runs once for each t from 0 to T - 1 (`reverse`: from T - 1 to 0). Element t of result r lies at
 * `offsets[r] + t · size` of the packed output, so each result is one contiguous block [T, …].
 */
export interface ScanLoop {
  readonly body: GraphProgram;
  readonly length: number;
  readonly reverse: boolean;
  /** One per input of the body. */
  readonly sources: readonly StepSource[];
  /** One per output of the body, in elements. */
  readonly offsets: readonly number[];
}

/** The element of a sequence that a step reads, or -1 where it reads the initial value. */
export function elementAt(loop: ScanLoop, source: StepSource & { kind: "sequence" }, t: number): number {
  const element = t + source.shift;
  return element < 0 || element >= loop.length ? -1 : element;
}

/** The step before step t in the loop's order, or -1. */
export function stepBefore(loop: ScanLoop, t: number): number {
  const before = loop.reverse ? t + 1 : t - 1;
  return before >= loop.length ? -1 : before;
}
