import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";

/** One row of a register tile: its accumulators and where its values lie from the common pointer. */
export interface TileRow {
  readonly accumulators: readonly VectorRegister[];
  readonly displacement: number;
}

/**
 * The inner loop of every contraction: `accumulator[row][v] += a[row][step] · b[step][v]` for `count` steps, one fma chain per accumulator.
 * `a` and `b` are advanced past the last step.
 */
export interface Reduction {
  readonly rows: readonly TileRow[];
  readonly vectors: number;
  /** Lanes of the last vector of `b` that exist in memory (default 16). */
  readonly lastLanes?: number;
  readonly a: IntRegister;
  readonly aStep: number;
  readonly b: IntRegister;
  readonly bStep: number;
  readonly count: IntOperand;
  /** A number that divides every possible `count` (when it is a register). */
  readonly countMultiple?: number;
  /** Steps per loop iteration; a power of two. */
  readonly unroll: number;
  /** `a` is read lane by lane like `b` (depthwise) instead of one value for all lanes. */
  readonly laneWise?: boolean;
  /** Where the values of `b` are also written, `step` bytes per reduction step: packing on the way. Advanced like `b`. */
  readonly copy?: { readonly destination: IntRegister; readonly step: number };
  /** Called once per iteration of the unrolled loop, to weave in prefetches. */
  readonly eachIteration?: (a: IntRegister) => void;
}

/** Fresh accumulators, all 0. */
export function zeroAccumulators(k: KernelBuilder, rows: number, vectors: number): VectorRegister[][] {
  return Array.from({ length: rows }, () => Array.from({ length: vectors }, () => k.constant(0)));
}

/** Emits a reduction. */
export function emitReduction(k: KernelBuilder, r: Reduction): void {
  const { unroll, count, aStep, bStep } = r;
  if (typeof count === "number") {
    const iterations = Math.floor(count / unroll);
    if (iterations > 1) loopOf(k, r, k.address(k.at(r.b, iterations * unroll * bStep)));
    const rest = iterations > 1 ? count - iterations * unroll : count;
    for (let step = 0; step < rest; step++) emitStep(k, r, r.a, r.b, step);
    if (rest > 0) {
      k.add(r.a, rest * aStep, r.a);
      k.add(r.b, rest * bStep, r.b);
      if (r.copy) k.add(r.copy.destination, rest * r.copy.step, r.copy.destination);
    }
    return;
  }
  const exact = (r.countMultiple ?? 1) % unroll === 0;
  const main = exact ? count : k.intBinary("and", count, -unroll);
  loopOf(k, r, k.add(r.b, k.mul(main, bStep)));
  if (!exact) {
    const rest = k.intBinary("and", count, unroll - 1);
    k.loop(0, rest, 1, () => {
      emitStep(k, r, r.a, r.b, 0);
      k.add(r.a, aStep, r.a);
      k.add(r.b, bStep, r.b);
      if (r.copy) k.add(r.copy.destination, r.copy.step, r.copy.destination);
    });
  }
}

function loopOf(k: KernelBuilder, r: Reduction, end: IntRegister): void {
  k.loop(r.b, end, r.unroll * r.bStep, (b) => {
    for (let step = 0; step < r.unroll; step++) emitStep(k, r, r.a, b, step);
    r.eachIteration?.(r.a);
    k.add(r.a, r.unroll * r.aStep, r.a);
    if (r.copy) k.add(r.copy.destination, r.unroll * r.copy.step, r.copy.destination);
  });
  k.intMove(end, r.b);
}

function emitStep(k: KernelBuilder, r: Reduction, a: IntRegister, b: IntRegister, step: number): void {
  const lanesOf = (v: number): { lanes?: number } =>
    v === r.vectors - 1 && r.lastLanes !== undefined && r.lastLanes < 16 ? { lanes: r.lastLanes } : {};
  const bs = Array.from({ length: r.vectors }, (_, v) => k.load(k.at(b, step * r.bStep + 64 * v), "f32", lanesOf(v)));
  if (r.copy) for (let v = 0; v < r.vectors; v++) k.store(bs[v], k.at(r.copy.destination, step * r.copy.step + 64 * v));
  for (const row of r.rows) {
    const at = row.displacement + step * r.aStep;
    if (r.laneWise) {
      for (let v = 0; v < r.vectors; v++)
        k.fma(row.accumulators[v], k.load(k.at(a, at + 64 * v), "f32", lanesOf(v)), bs[v]);
      continue;
    }
    const value = k.broadcast(k.at(a, at));
    for (let v = 0; v < r.vectors; v++) k.fma(row.accumulators[v], bs[v], value);
  }
}
