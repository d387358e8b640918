/** What both ways of running a reduction share: scopes, loads, positions, and the work on results. */
import { bytesPerElement } from "../../graph/dtype.ts";
import { KernelBuilder } from "../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../kernel/ir.ts";
import type { ScalarExpression } from "../../kernel/scalar.ts";
import { ExpressionScope, hoistConstants } from "../emit-expression.ts";
import { type Lanes, storeLanes } from "../emit-memory.ts";
import { keptLoadBase, type LoopBody, type LoopMember, memberBase } from "./body.ts";
import { type Accumulator, Combiner } from "./combine.ts";
import { loadGuarded, type Pointers, StrideLanes } from "./nest.ts";
import type { ReductionPlan } from "./reduction-plan.ts";

/** One reduction of a kernel with its accumulators, while they run. */
export interface Reduction {
  readonly member: number;
  readonly combiner: Combiner;
  readonly accumulators: Accumulator[];
}

/** The common part; a subclass walks the space. */
export class ReductionEmitter {
  readonly k: KernelBuilder;
  protected readonly body: LoopBody;
  protected readonly plan: ReductionPlan;
  protected readonly lanes: StrideLanes;
  protected constants!: ExpressionScope;
  protected readonly positions: IntOperand[];
  protected memory: IntRegister | undefined;
  protected readonly isPartial: boolean;

  constructor(body: LoopBody, plan: ReductionPlan) {
    this.body = body;
    this.plan = plan;
    this.k = new KernelBuilder(body.name, body.argumentCount);
    this.lanes = new StrideLanes(this.k);
    this.positions = new Array(plan.extents.length).fill(0);
    this.isPartial = plan.long !== undefined;
  }

  protected prepare(): void {
    const { k, body, plan } = this;
    const strides = new Set<number>();
    plan.operands.forEach((operand, index) => {
      const stride = operand.strides[plan.laneAxis];
      if (index < body.fullLoads.length && stride !== 0 && stride !== 1) strides.add(stride);
    });
    this.lanes.prepare(strides);
    if (body.members.some((member) => member.combine === "prod" && member.dtype !== "f32")) this.memory = k.scratch(64);
    const expressions = body.members.map((member) => member.expression);
    this.constants = hoistConstants(k, body.machine.vectorRegisters >= 32 ? expressions : []);
  }

  protected unroll(): number {
    const reductions = this.body.members.filter((member) => member.combine);
    if (reductions.some(({ combine }) => combine === "argmax" || combine === "argmin")) return 1;
    return reductions.length > 1 ? 2 : 4;
  }

  protected startReductions(count: number): Reduction[] {
    const reductions: Reduction[] = [];
    this.body.members.forEach(({ combine, expression }, member) => {
      if (!combine) return;
      const combiner = new Combiner(combine, expression.dtype);
      const accumulators = Array.from({ length: count }, () => combiner.start(this.k));
      reductions.push({ member, combiner, accumulators });
    });
    return reductions;
  }

  protected blockRange(axis: number, block: IntOperand | undefined): [IntOperand, IntOperand] {
    const { k, plan } = this;
    const { long, extents } = plan;
    if (!long || long.axis !== axis || block === undefined) return [0, extents[axis]];
    if (typeof block === "number") return [block * long.block, Math.min(extents[axis], (block + 1) * long.block)];
    const start = k.mul(block, long.block);
    const end = k.add(start, long.block);
    return [start, extents[axis] % long.block === 0 ? end : k.intBinary("min", end, extents[axis])];
  }

  /** Values that do not vary along the lanes. */
  protected rowScope(pointers: Pointers): ExpressionScope {
    const scope: ExpressionScope = new ExpressionScope(
      this.k,
      {
        input: (index) => this.input(scope, pointers, index, 0, 0, {}),
        position: (axis) => this.fullPosition(axis, 0, 0),
      },
      this.constants,
    );
    for (const member of this.body.members) if (member.combine) this.hoistRow(scope, member);
    return scope;
  }

  protected hoistRow(scope: ExpressionScope, member: LoopMember): void {
    const { plan, body } = this;
    const memo = new Map<ScalarExpression, boolean>();
    const varies = (expression: ScalarExpression): boolean => {
      const known = memo.get(expression);
      if (known !== undefined) return known;
      let result = false;
      if (expression.kind === "position") result = plan.axisOf[expression.axis] === plan.laneAxis;
      else if (expression.kind === "input") {
        const { guard } = body.fullLoads[expression.index];
        result = plan.operands[expression.index].strides[plan.laneAxis] !== 0 || (guard !== undefined && varies(guard));
      } else if (expression.kind === "call") result = expression.inputs.some(varies);
      memo.set(expression, result);
      return result;
    };
    const seen = new Set<ScalarExpression>();
    const visit = (expression: ScalarExpression): void => {
      if (expression.kind === "constant" || seen.has(expression)) return;
      seen.add(expression);
      if (!varies(expression)) scope.emit(expression);
      else if (expression.kind === "call") expression.inputs.forEach(visit);
    };
    visit(member.expression);
  }

  protected vectorScope(
    row: ExpressionScope,
    pointers: Pointers,
    position: IntOperand,
    extra: number,
    lanes: Lanes,
    origin: IntOperand = 0,
  ): ExpressionScope {
    const scope: ExpressionScope = new ExpressionScope(
      this.k,
      {
        input: (index) => this.input(scope, pointers, index, position, extra, lanes),
        position: (axis) => this.fullPosition(axis, origin === 0 ? position : origin, extra),
      },
      row,
    );
    return scope;
  }

  protected input(
    scope: ExpressionScope,
    pointers: Pointers,
    index: number,
    position: IntOperand,
    extra: number,
    lanes: Lanes,
  ): VectorRegister {
    const { guard } = this.body.fullLoads[index];
    return loadGuarded(this.k, scope, pointers, index, guard, this.plan.laneAxis, position, extra, lanes, this.lanes);
  }

  protected fullPosition(axis: number, position: IntOperand, extra: number): VectorRegister {
    return this.positionAt(this.plan.axisOf[axis], position, extra, true);
  }

  protected positionAt(axis: number, position: IntOperand, extra: number, alongLanes: boolean): VectorRegister {
    const { k, plan } = this;
    if (axis === -1) return k.constant(0, "i32");
    if (axis !== plan.laneAxis || !alongLanes) return this.splat(this.positions[axis]);
    const first =
      typeof position === "number"
        ? k.constant(position + extra, "i32")
        : k.splatInt(extra ? k.add(position, extra) : position);
    return k.binary("iadd", this.lanes.get(1), first);
  }

  protected splat(position: IntOperand): VectorRegister {
    return typeof position === "number" ? this.k.constant(position, "i32") : this.k.splatInt(position);
  }

  /** Row-major position in the reduced axes; lanes outside count as having none. */
  protected flatPosition(
    laneAxis: number,
    position: IntOperand,
    extra: number,
    flat: readonly number[],
    inside: VectorRegister | undefined,
  ): VectorRegister {
    const { k, plan } = this;
    let sum: VectorRegister | undefined;
    for (const axis of plan.reducedAxes) {
      const at = axis === laneAxis ? this.positionAt(axis, position, extra, true) : this.splat(this.positions[axis]);
      const term = flat[axis] === 1 ? at : k.binary("imul", at, k.constant(flat[axis], "i32"));
      sum = sum ? k.binary("iadd", sum, term) : term;
    }
    const result = sum ?? k.constant(0, "i32");
    return inside ? k.select(inside, result, k.constant(2147483647, "i32")) : result;
  }

  /** Kept members and stores for 1 lane or 16. `blockLayout`: 1 blocks innermost, 2 blocks outermost (partial results only). */
  protected finish(
    pointers: Pointers,
    results: ReadonlyMap<number, VectorRegister>,
    origin: IntOperand | undefined,
    position: IntOperand,
    extra: number,
    lanes: Lanes,
    block: IntOperand | undefined,
    blockLayout: 0 | 1 | 2,
  ): void {
    const { k, body, plan } = this;
    const alongLanes = origin !== undefined;
    const keptAxisNumbers = body.extents.map((_, axis) => axis).filter((axis) => !body.reduceAxes.includes(axis));
    const scope: ExpressionScope = new ExpressionScope(
      k,
      {
        input: (index) => {
          if (index >= memberBase) {
            const member = index - memberBase;
            return results.get(member) ?? scope.emit(body.members[member].expression);
          }
          const load = index - keptLoadBase;
          const operand = body.fullLoads.length + load;
          const { guard } = body.keptLoads[load];
          const axis = alongLanes ? plan.laneAxis : -1;
          return loadGuarded(
            k,
            scope,
            pointers,
            operand,
            guard,
            axis,
            position,
            extra,
            alongLanes ? lanes : {},
            this.lanes,
          );
        },
        position: (axis) => this.positionAt(plan.axisOf[keptAxisNumbers[axis]], origin ?? 0, extra, alongLanes),
      },
      this.constants,
    );
    const values = body.members.map((member, index) =>
      member.stores.length === 0 ? undefined : (results.get(index) ?? scope.emit(member.expression)),
    );
    const keptSize = keptAxisNumbers.reduce((size, axis) => size * body.extents[axis], 1);
    for (const { member, operand } of plan.stores) {
      const { dtype } = body.members[member];
      const size = bytesPerElement[dtype];
      let base = pointers.register(operand);
      if (this.isPartial && blockLayout === 1) {
        // [kept][block]: the pointer advanced by kept positions of one element each.
        const start = k.argument(plan.operands[operand].argument);
        const offset = k.intBinary("sub", base, start);
        base = k.add(start, k.mul(offset, plan.long!.blocks));
        base = typeof block === "number" ? k.address(k.at(base, block * size)) : k.add(base, k.mul(block!, size));
      } else if (this.isPartial && blockLayout === 2) {
        const bytes = keptSize * size;
        base = typeof block === "number" ? k.address(k.at(base, block * bytes)) : k.add(base, k.mul(block!, bytes));
      }
      storeLanes(k, values[member]!, k.at(base, extra * size), dtype, lanes);
    }
  }
}
