/**
 * The last pass over a row, done one row late: together with the pass before it over the next row. A processor then computes while its stores drain
 * to memory and what it fetched arrives; with one pass after the other, each waits for one of the three.
 */
import { InternalError } from "../../errors.ts";
import type { KernelBuilder } from "../../kernel/builder.ts";
import type { VectorRegister } from "../../kernel/ir.ts";
import type { ScalarExpression } from "../../kernel/scalar.ts";
import { ExpressionScope } from "../emit-expression.ts";
import type { LoopBody } from "./body.ts";
import type { Pointers } from "./nest.ts";
import type { RowSpace } from "./row-space.ts";
import type { Stages } from "./row-stages.ts";

/**
 * Whether the last pass can wait: it stores past the caches and reduces nothing, and what was kept for it was computed in the pass before, so that
 * each vector is read before that of the next row takes its place.
 */
export function canDelay(body: LoopBody, { extents, keptCount, stores, operands }: RowSpace, stages: Stages): boolean {
  const { passes, stage, stashed } = stages;
  const last = passes - 1;
  const { members, fullLoads } = body;
  if (passes < 2 || keptCount === 0 || extents.length - keptCount !== 1 || extents[keptCount - 1] < 2) return false;
  if (members.some(({ combine }, index) => combine && stage[index] > last)) return false;
  if (fullLoads.some(({ guard }) => guard) || stashed.some((member) => stage[member] !== last - 1)) return false;
  return stores.some(({ member, operand }) => {
    return members[member].level === "full" && stage[member] === last && operands[operand].streaming;
  });
}

/** What the last pass reads that does not vary in a row, in registers of its own while the next row is computed. */
export class DelayedRow {
  readonly scope: ExpressionScope;
  private readonly k: KernelBuilder;
  private readonly registers: ReadonlyMap<ScalarExpression, VectorRegister>;

  /** Call it outside the loop over rows. */
  constructor(k: KernelBuilder, invariants: readonly ScalarExpression[], constants: ExpressionScope) {
    this.k = k;
    this.registers = new Map(invariants.map((invariant) => [invariant, k.constant(0)]));
    const input = (index: number): never => {
      throw new InternalError(`input ${index} of a delayed row was not kept`);
    };
    this.scope = new ExpressionScope(k, { input }, constants);
    for (const [invariant, register] of this.registers) this.scope.define(invariant, register);
  }

  /** Takes over the row that has just been computed. */
  keep(row: ExpressionScope): void {
    for (const [invariant, register] of this.registers) this.k.unary("move", row.emit(invariant), register);
  }
}

/** A delayed row where the next one is computed: its scope, and where it is stored to. */
export interface LateRow {
  readonly scope: ExpressionScope;
  readonly pointers: Pointers;
}
