/** What several passes over a row would compute again is computed once and kept beside the row. */
import { type ScalarExpression, scalarInput } from "../../kernel/scalar.ts";
import { countCalls, type LoopBody, type LoopMember, memberBase, VariationOf } from "./body.ts";
import { stagesOf } from "./row-stages.ts";

/** Calls from which a value is dearer to compute again than to store and load. */
const dear = 8;

/** Makes members of the values that two passes need and that are dear (in softmax the powers: their sum needs them, then their quotient). */
export function keepShared(body: LoopBody): LoopBody {
  const shared = sharedValues(body);
  if (shared.size === 0) return body;
  const members: LoopMember[] = [];
  const moved: number[] = [];
  const placed = new Map<ScalarExpression, ScalarExpression>();
  const rewrite = (expression: ScalarExpression): ScalarExpression => {
    const known = placed.get(expression);
    if (known) return known;
    let result = expression;
    if (expression.kind === "input" && expression.index >= memberBase) {
      result = scalarInput(memberBase + moved[expression.index - memberBase], expression.dtype);
    } else if (expression.kind === "call") {
      result = { ...expression, inputs: expression.inputs.map(rewrite) };
      if (shared.has(expression)) {
        members.push({ level: "full", expression: result, dtype: expression.dtype, stores: [] });
        result = scalarInput(memberBase + members.length - 1, expression.dtype);
      }
    }
    placed.set(expression, result);
    return result;
  };
  body.members.forEach((member, index) => {
    const expression = rewrite(member.expression);
    moved[index] = members.length;
    members.push({ ...member, expression });
  });
  return { ...body, members };
}

/** The largest dear values that full expressions of more than one pass contain. */
function sharedValues(body: LoopBody): ReadonlySet<ScalarExpression> {
  const { stage } = stagesOf(body);
  const variation = variationInRow(body);
  const passes = new Map<ScalarExpression, Set<number>>();
  const roots = body.members.flatMap(({ level, combine, expression }, index) =>
    level === "full" ? [{ expression, pass: stage[index] }] : combine ? [{ expression, pass: stage[index] - 1 }] : [],
  );
  for (const { expression, pass } of roots) {
    const visit = (part: ScalarExpression): void => {
      const seen = passes.get(part) ?? new Set();
      if (part.kind !== "call" || seen.has(pass) || variation.of(part) === 0) return;
      passes.set(part, seen.add(pass));
      part.inputs.forEach(visit);
    };
    visit(expression);
  }
  const shared = new Set<ScalarExpression>();
  const visited = new Set<ScalarExpression>();
  const choose = (part: ScalarExpression): void => {
    if (part.kind !== "call" || visited.has(part) || !passes.has(part)) return;
    visited.add(part);
    if (passes.get(part)!.size === 1) part.inputs.forEach(choose);
    else if (countCalls([part]) >= dear) shared.add(part);
  };
  for (const { expression } of roots) choose(expression);
  return shared;
}

/** 2: one value per point of a row; 0: one per row. */
function variationInRow({ extents, reduceAxes, fullLoads, members }: LoopBody): VariationOf {
  const variation: VariationOf = new VariationOf(
    (index) => {
      if (index >= memberBase) return members[index - memberBase].level === "full" ? 2 : 0;
      const { strides, guard } = fullLoads[index];
      if (reduceAxes.some((axis) => strides[axis] !== 0 && extents[axis] > 1)) return 2;
      return guard ? variation.of(guard) : 0;
    },
    (axis) => (reduceAxes.includes(axis) ? 2 : 0),
  );
  return variation;
}
