/**
 * What is joined along the lanes of a pointwise kernel, taken apart again. A concatenation asks at each element which of its inputs to read; between the ends of
 * two inputs the answer is the same everywhere, so a kernel that goes from end to end reads one input and asks nothing.
 */
import { type ScalarExpression, scalarCall, scalarConstant } from "../../kernel/scalar.ts";
import { type LoopBody, type LoopLoad, memberBase } from "./body.ts";

/** A run of positions along the lane axis, with the body that is left there: its first position is `first` of the whole. */
export interface LanePiece {
  readonly first: number;
  readonly length: number;
  readonly body: LoopBody;
  /** Which load of the whole body each load is. */
  readonly loads: readonly number[];
}

/** Pieces shorter than this are better chosen by masks. */
const shortest = 16;
/** Code is written for each piece. */
const mostPieces = 80;

/** The pieces of a body between the positions at which its guards change along `axis`, its last one; `undefined` where there is one only. */
export function lanePieces(body: LoopBody, axis: number): readonly LanePiece[] | undefined {
  const extent = body.extents[axis];
  const expressions = [
    ...body.members.map((member) => member.expression),
    ...body.fullLoads.flatMap((load) => (load.guard ? [load.guard] : [])),
  ];
  const ends = changesAlong(axis, expressions)
    .filter((position) => position > 0 && position < extent)
    .sort((left, right) => left - right);
  const pieces = ends.length + 1;
  if (pieces === 1 || pieces > mostPieces || extent < shortest * pieces) return undefined;
  return [0, ...ends].map((first, index) => pieceOf(body, axis, first, ends[index] ?? extent));
}

/** Positions along an axis from which on a comparison has another result. */
function changesAlong(axis: number, expressions: readonly ScalarExpression[]): number[] {
  const changes = new Set<number>();
  const seen = new Set<ScalarExpression>();
  const visit = (expression: ScalarExpression): void => {
    if (expression.kind !== "call" || seen.has(expression)) return;
    seen.add(expression);
    expression.inputs.forEach(visit);
    if (expression.function !== "lt" && expression.function !== "ge") return;
    const [position, limit] = expression.inputs;
    const shift = shiftOf(position, axis);
    if (shift !== undefined && limit.kind === "constant") changes.add(limit.value - shift);
  };
  expressions.forEach(visit);
  return [...changes];
}

/** `c` where an expression is the position along an axis + c. */
function shiftOf(expression: ScalarExpression, axis: number): number | undefined {
  if (expression.kind === "position") return expression.axis === axis ? 0 : undefined;
  if (expression.kind !== "call" || expression.function !== "add") return undefined;
  const [left, right] = expression.inputs;
  return left.kind === "position" && left.axis === axis && right.kind === "constant" ? right.value : undefined;
}

function pieceOf(body: LoopBody, axis: number, first: number, end: number): LanePiece {
  const loads: number[] = [];
  const numbers = new Map<number, number>();
  const guards: (ScalarExpression | undefined)[] = [];
  const done = new Map<ScalarExpression, ScalarExpression>();
  const cut = (expression: ScalarExpression): ScalarExpression => {
    const known = done.get(expression);
    if (known) return known;
    const result = cutAnew(expression);
    done.set(expression, result);
    return result;
  };
  const cutAnew = (expression: ScalarExpression): ScalarExpression => {
    if (expression.kind === "constant") return expression;
    if (expression.kind === "position")
      return expression.axis === axis && first > 0
        ? scalarCall("add", expression, scalarConstant(first, "i32"))
        : expression;
    if (expression.kind === "input") return expression.index >= memberBase ? expression : load(expression);
    const decided = comparisonOver(expression, axis, first, end);
    if (decided !== undefined) return decided;
    if (expression.function === "select") {
      const condition = cut(expression.inputs[0]);
      if (condition.kind === "constant") return cut(expression.inputs[condition.value ? 1 : 2]);
    }
    const inputs = expression.inputs.map(cut);
    if (expression.function === "and" && expression.dtype === "bool") {
      for (const [one, other] of [inputs, inputs.toReversed()])
        if (one.kind === "constant") return one.value ? other : one;
    }
    return { ...expression, inputs };
  };
  /** A load that is read here; what its guard leaves out everywhere is 0. */
  const load = (input: Extract<ScalarExpression, { kind: "input" }>): ScalarExpression => {
    const known = numbers.get(input.index);
    if (known !== undefined) return { ...input, index: known };
    const { guard } = body.fullLoads[input.index];
    const left = guard && cut(guard);
    if (left?.kind === "constant" && !left.value) return scalarConstant(0, input.dtype);
    numbers.set(input.index, loads.length);
    loads.push(input.index);
    guards.push(left?.kind === "constant" ? undefined : left);
    return { ...input, index: loads.length - 1 };
  };
  const members = body.members.map((member) => ({ ...member, expression: cut(member.expression) }));
  const fullLoads = loads.map((index, position): LoopLoad => {
    const { guard: _, ...rest } = body.fullLoads[index];
    const guard = guards[position];
    return guard ? { ...rest, guard } : rest;
  });
  const extents = body.extents.map((extent, at) => (at === axis ? end - first : extent));
  return { first, length: end - first, loads, body: { ...body, extents, fullLoads, members } };
}

/** The result of a comparison that is the same for all positions from `first` to `end`. */
function comparisonOver(
  expression: Extract<ScalarExpression, { kind: "call" }>,
  axis: number,
  first: number,
  end: number,
): ScalarExpression | undefined {
  if (expression.function !== "lt" && expression.function !== "ge") return undefined;
  const [position, limit] = expression.inputs;
  const shift = shiftOf(position, axis);
  if (shift === undefined || limit.kind !== "constant") return undefined;
  const all = first + shift >= limit.value;
  const none = end - 1 + shift < limit.value;
  if (!all && !none) return undefined;
  return scalarConstant((expression.function === "ge") === all ? 1 : 0, "bool");
}
