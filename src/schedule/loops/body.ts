/** A fused loop kernel before code generation: what it reads, computes and stores, over one iteration space. */
import type { DType } from "../../graph/dtype.ts";
import type { Shape } from "../../graph/shape.ts";
import type { Kernel, MachineDescription } from "../../kernel/ir.ts";
import type { ScalarExpression } from "../../kernel/scalar.ts";
import type { Combine } from "../../ops/define.ts";

/** One read: element `offset + Σ strides[axis] · position[axis]` of the buffer in argument `argument`. */
export interface LoopLoad {
  readonly argument: number;
  readonly dtype: DType;
  readonly offset: number;
  readonly strides: readonly number[];
  /** Where false the element does not exist and reads as 0. */
  readonly guard?: ScalarExpression;
}

/** Where a member is stored. */
export interface LoopStore {
  readonly argument: number;
  /** Nobody reads this soon and it is larger than the caches; its rows begin on cache lines, so whole vectors may go past the caches. */
  readonly streaming?: boolean;
}

/**
 * One value that the kernel computes. `full` members have one element per point of the space, `kept` ones one per point of the axes that
 * are not reduced. Stores are contiguous, row-major over the member's own level.
 */
export interface LoopMember {
  readonly level: "full" | "kept";
  /** The value, or for a reduction the element that it combines (over the full space). */
  readonly expression: ScalarExpression;
  /** Set for reductions (whose level is `kept`). */
  readonly combine?: Combine;
  readonly dtype: DType;
  readonly stores: readonly LoopStore[];
}

export interface LoopBody {
  readonly name: string;
  readonly extents: Shape;
  /** Sorted; empty for a pointwise kernel. */
  readonly reduceAxes: readonly number[];
  /** Strides over all axes; load i is `scalarInput(i)` in full expressions. */
  readonly fullLoads: readonly LoopLoad[];
  /** Strides over the kept axes; load i is `scalarInput(keptLoadBase + i)` in kept expressions. */
  readonly keptLoads: readonly LoopLoad[];
  /** In topological order; member i is `scalarInput(memberBase + i)` to the others. */
  readonly members: readonly LoopMember[];
  readonly argumentCount: number;
  readonly machine: MachineDescription;
}

/** A kernel and its number of tasks. */
export interface LoopKernel {
  readonly kernel: Kernel;
  readonly tasks: number;
}

export const keptLoadBase = 1_000_000;
export const memberBase = 2_000_000;

/** What makes an expression vary: 0 nothing inside a task, 1 the outer loops, 2 the lanes. */
export type Variation = 0 | 1 | 2;

/** Classifies expressions by what they vary with; memoised per instance. */
export class VariationOf {
  private readonly memo = new Map<ScalarExpression, Variation>();
  private readonly input: (index: number) => Variation;
  private readonly position: (axis: number) => Variation;

  constructor(input: (index: number) => Variation, position: (axis: number) => Variation) {
    this.input = input;
    this.position = position;
  }

  of(expression: ScalarExpression): Variation {
    const known = this.memo.get(expression);
    if (known !== undefined) return known;
    let result: Variation = 0;
    if (expression.kind === "input") result = this.input(expression.index);
    else if (expression.kind === "position") result = this.position(expression.axis);
    else if (expression.kind === "call")
      for (const input of expression.inputs) result = Math.max(result, this.of(input)) as Variation;
    this.memo.set(expression, result);
    return result;
  }
}

/** Number of distinct calls in expressions: a measure of the arithmetic per element. */
export function countCalls(expressions: readonly ScalarExpression[]): number {
  const seen = new Set<ScalarExpression>();
  let calls = 0;
  const visit = (expression: ScalarExpression): void => {
    if (expression.kind !== "call" || seen.has(expression)) return;
    seen.add(expression);
    if (expression.function !== "bitcast") calls++;
    expression.inputs.forEach(visit);
  };
  for (const expression of expressions) visit(expression);
  return calls;
}

/** The axes whose positions expressions use. */
export function usedAxes(expressions: readonly (ScalarExpression | undefined)[]): Set<number> {
  const seen = new Set<ScalarExpression>();
  const axes = new Set<number>();
  const visit = (expression: ScalarExpression): void => {
    if (expression.kind === "position") axes.add(expression.axis);
    if (expression.kind !== "call" || seen.has(expression)) return;
    seen.add(expression);
    expression.inputs.forEach(visit);
  };
  for (const expression of expressions) if (expression) visit(expression);
  return axes;
}

/** The members that an expression refers to. */
export function membersIn(expression: ScalarExpression): number[] {
  const seen = new Set<ScalarExpression>();
  const members = new Set<number>();
  const visit = (expression: ScalarExpression): void => {
    if (seen.has(expression)) return;
    seen.add(expression);
    if (expression.kind === "input" && expression.index >= memberBase) members.add(expression.index - memberBase);
    if (expression.kind === "call") expression.inputs.forEach(visit);
  };
  visit(expression);
  return [...members];
}
