import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister } from "../../../kernel/ir.ts";

/** A run of memory to fetch into the second-level cache while a loop of so many iterations computes. */
export interface AheadRun {
  readonly start: IntRegister;
  readonly bytes: number;
  readonly iterations: number;
}

/**
 * Weaves the fetch of `runs` into a loop: returns what each iteration does. Lines are spread evenly and the pointer stops at the end, so loops
 * that run longer repeat a line that is there already. A prefetch never faults, so a run may reach past the end of a tensor.
 */
export function fetchAhead(k: KernelBuilder, runs: readonly AheadRun[]): (() => void) | undefined {
  const useful = runs.filter((run) => run.bytes > 0 && run.iterations > 0);
  if (useful.length === 0) return undefined;
  const moving = useful.map((run) => {
    const lines = Math.ceil(run.bytes / 64 / run.iterations);
    return { lines, pointer: k.intMove(run.start), end: k.address(k.at(run.start, run.bytes)) };
  });
  return () => {
    for (const { lines, pointer, end } of moving) {
      for (let line = 0; line < lines; line++) k.prefetch(k.at(pointer, 64 * line), 2);
      k.intBinary("min", k.add(pointer, 64 * lines), end, pointer);
    }
  };
}
