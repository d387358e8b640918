/** The reductions of one pass over a row: several accumulators each, so that steps do not wait for one another, folded in one order at the row's end. */
import type { KernelBuilder } from "../../kernel/builder.ts";
import type { IntRegister, VectorRegister } from "../../kernel/ir.ts";
import type { ExpressionScope } from "../emit-expression.ts";
import type { LoopBody } from "./body.ts";
import { type Accumulator, Combiner } from "./combine.ts";
import type { StrideLanes } from "./nest.ts";

interface Reduction {
  readonly member: number;
  readonly combiner: Combiner;
  readonly accumulators: Accumulator[];
}

export class RowReductions {
  private readonly k: KernelBuilder;
  private readonly body: LoopBody;
  private readonly lanes: StrideLanes;
  private readonly reductions: readonly Reduction[];

  /** Starts the accumulators of the members that a pass reduces. */
  constructor(k: KernelBuilder, body: LoopBody, lanes: StrideLanes, members: readonly number[]) {
    this.k = k;
    this.body = body;
    this.lanes = lanes;
    const positional = members.some((member) => /^arg/.test(body.members[member].combine!));
    const count = positional ? 1 : members.length > 1 ? 2 : 4;
    this.reductions = members.map((member) => {
      const { combine, expression } = body.members[member];
      const combiner = new Combiner(combine!, expression.dtype);
      return { member, combiner, accumulators: Array.from({ length: count }, () => combiner.start(k)) };
    });
  }

  /** Takes in one vector of the row, of which `lanes` lanes are inside; `copy` chooses among the accumulators. */
  accumulate(scope: ExpressionScope, copy: number, lanes: number, flatPosition: () => VectorRegister): void {
    for (const reduction of this.reductions) this.step(reduction, scope, copy, lanes, flatPosition);
  }

  private step(
    { member, combiner, accumulators }: Reduction,
    scope: ExpressionScope,
    copy: number,
    lanes: number,
    flatPosition: () => VectorRegister,
  ): void {
    const { k } = this;
    const { expression } = this.body.members[member];
    let element = combiner.prepare(k, scope.emit(expression), expression.dtype);
    const inside = lanes < 16 ? this.lanes.first(lanes) : undefined;
    if (inside) element = k.select(inside, element, combiner.neutral(k));
    let position: VectorRegister | undefined;
    if (combiner.positional) {
      position = flatPosition();
      if (inside) position = k.select(inside, position, k.constant(2147483647, "i32"));
    }
    combiner.step(k, accumulators[copy % accumulators.length], element, position);
  }

  /** Folds the accumulators and gives each member its result. */
  finish(results: Map<number, VectorRegister>, memory: () => IntRegister): void {
    const { k } = this;
    for (const { member, combiner, accumulators } of this.reductions) {
      for (let width = 1; width < accumulators.length; width *= 2) {
        for (let first = 0; first + width < accumulators.length; first += 2 * width)
          combiner.step(k, accumulators[first], accumulators[first + width].value);
      }
      results.set(member, combiner.finish(k, combiner.fold(k, accumulators[0], memory)));
    }
  }
}
