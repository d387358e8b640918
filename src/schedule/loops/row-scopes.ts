/** The values of the row that a kernel is at, as expressions see them: what its vectors share, each vector, and positions. */
import type { KernelBuilder } from "../../kernel/builder.ts";
import type { IntOperand, VectorRegister } from "../../kernel/ir.ts";
import type { ScalarExpression } from "../../kernel/scalar.ts";
import { ExpressionScope } from "../emit-expression.ts";
import { keptLoadBase, type LoopBody, memberBase } from "./body.ts";
import { loadGuarded, type Pointers, type StrideLanes } from "./nest.ts";
import { firstLanes } from "./row-memory.ts";
import type { RowSpace } from "./row-space.ts";

/** Elements of a row that one vector holds: `lanes` of them, `extra` after `position` on the last axis. */
export interface RowVector {
  readonly position: IntOperand;
  readonly extra: number;
  readonly lanes: number;
}

/** Scopes of one row after the other. */
export class RowScopes {
  /** Where the kernel is on each axis. */
  readonly positions: IntOperand[];
  /** Members that are reduced already. */
  results = new Map<number, VectorRegister>();
  /** What the vectors of a row share. */
  row!: ExpressionScope;
  private kept!: ExpressionScope;
  private readonly k: KernelBuilder;
  private readonly body: LoopBody;
  private readonly space: RowSpace;
  private readonly lanes: StrideLanes;
  private readonly constants: ExpressionScope;
  private readonly known = new Map<ScalarExpression, boolean>();

  constructor(k: KernelBuilder, body: LoopBody, space: RowSpace, lanes: StrideLanes, constants: ExpressionScope) {
    this.k = k;
    this.body = body;
    this.space = space;
    this.lanes = lanes;
    this.constants = constants;
    this.positions = new Array(space.extents.length).fill(0);
  }

  /** Scopes for what a row's vectors share, and for kept members. */
  enter(pointers: Pointers): void {
    const { k, body } = this;
    const { axisOf, keptAxisNumbers } = this.space;
    this.results = new Map();
    const kept: ExpressionScope = new ExpressionScope(
      k,
      {
        input: (index) => {
          if (index >= memberBase) return this.keptMember(index - memberBase);
          const load = index - keptLoadBase;
          const { guard } = body.keptLoads[load];
          return loadGuarded(k, kept, pointers, body.fullLoads.length + load, guard, -1, 0, 0, {}, this.lanes);
        },
        position: (axis) => this.splat(axisOf[keptAxisNumbers[axis]]),
      },
      this.constants,
    );
    const row: ExpressionScope = new ExpressionScope(
      k,
      {
        input: (index) => {
          if (index >= memberBase) return this.keptMember(index - memberBase);
          return loadGuarded(k, row, pointers, index, body.fullLoads[index].guard, -1, 0, 0, {}, this.lanes);
        },
        position: (axis) => this.splat(this.space.axisOf[axis]),
      },
      this.constants,
    );
    this.kept = kept;
    this.row = row;
  }

  /** A value of which there is one a row. */
  keptMember(member: number): VectorRegister {
    return this.results.get(member) ?? this.kept.emit(this.body.members[member].expression);
  }

  private splat(axis: number): VectorRegister {
    const position = axis === -1 ? 0 : this.positions[axis];
    return typeof position === "number" ? this.k.constant(position, "i32") : this.k.splatInt(position);
  }

  /** Emits what these members need and what does not vary inside a row. */
  hoist(members: readonly number[]): void {
    for (const invariant of this.invariantsOf(members)) this.row.emit(invariant);
  }

  /** The largest parts of members that do not vary in a row; members that are `stored` are not looked into. */
  invariantsOf(members: readonly number[], stored: readonly number[] = []): ScalarExpression[] {
    const found = new Set<ScalarExpression>();
    const seen = new Set<ScalarExpression>();
    const visit = (expression: ScalarExpression): void => {
      if (seen.has(expression) || expression.kind === "constant") return;
      seen.add(expression);
      if (!this.varies(expression)) found.add(expression);
      else if (expression.kind === "call") expression.inputs.forEach(visit);
      else if (expression.kind === "input" && expression.index >= memberBase) {
        const member = expression.index - memberBase;
        if (!stored.includes(member)) visit(this.body.members[member].expression);
      }
    };
    for (const member of members) visit(this.body.members[member].expression);
    return [...found];
  }

  /** Whether an expression differs between elements of a row. */
  private varies(expression: ScalarExpression): boolean {
    const known = this.known.get(expression);
    if (known !== undefined) return known;
    let result = false;
    if (expression.kind === "position") {
      result = this.space.axisOf[expression.axis] >= this.space.keptCount;
    } else if (expression.kind === "input") {
      if (expression.index >= memberBase) result = this.body.members[expression.index - memberBase].level === "full";
      else {
        const { guard } = this.body.fullLoads[expression.index];
        result =
          this.space.operands[expression.index].strides.some(
            (stride, axis) => axis >= this.space.keptCount && stride !== 0,
          ) ||
          (guard !== undefined && this.varies(guard));
      }
    } else if (expression.kind === "call") result = expression.inputs.some((input) => this.varies(input));
    this.known.set(expression, result);
    return result;
  }

  /** The scope of one vector; `fullMember` gives its members. */
  vector(
    pointers: Pointers,
    { position, extra, lanes }: RowVector,
    fullMember: (scope: ExpressionScope, member: number) => VectorRegister,
    row = this.row,
  ): ExpressionScope {
    const { k, body } = this;
    const axis = this.space.extents.length - 1;
    const scope: ExpressionScope = new ExpressionScope(
      k,
      {
        input: (index) => {
          if (index >= memberBase) {
            const member = index - memberBase;
            return body.members[member].level === "full" ? fullMember(scope, member) : this.keptMember(member);
          }
          const { guard } = body.fullLoads[index];
          return loadGuarded(k, scope, pointers, index, guard, axis, position, extra, firstLanes(lanes), this.lanes);
        },
        position: (full) => {
          const at = this.space.axisOf[full];
          return at === axis ? this.lanePosition(position, extra) : this.splat(at);
        },
      },
      row,
    );
    return scope;
  }

  private lanePosition(position: IntOperand, extra: number): VectorRegister {
    const { k } = this;
    const first =
      typeof position === "number"
        ? k.constant(position + extra, "i32")
        : k.splatInt(extra === 0 ? position : k.add(position, extra));
    return k.binary("iadd", this.lanes.get(1), first);
  }

  /** Row-major positions in the reduced axes. */
  flatPosition(position: IntOperand, extra: number): VectorRegister {
    const { k } = this;
    const { extents, keptCount, flat } = this.space;
    let sum = this.lanePosition(position, extra);
    for (let axis = keptCount; axis < extents.length - 1; axis++) {
      const term = k.binary("imul", this.splat(axis), k.constant(flat[axis], "i32"));
      sum = k.binary("iadd", sum, term);
    }
    return sum;
  }
}
