import { sizeOf } from "../../graph/shape.ts";
import type { Lowering } from "../strategy.ts";
import { countCalls, type LoopBody, membersIn } from "./body.ts";
import { pointwiseKernel } from "./pointwise.ts";
import { lowerReduction } from "./reduce.ts";
import { rowsKernel } from "./rows.ts";

/** Chooses the generator: pointwise, reductions in one pass, or rows in several. */
export function lowerBody(body: LoopBody): Lowering {
  const points = sizeOf(body.extents);
  const kept = sizeOf(body.extents.filter((_, axis) => !body.reduceAxes.includes(axis)));
  const reductions = body.members.some((member) => member.combine);
  if (reductions ? kept === 0 : points === 0) return { steps: [], temporaries: [] };
  if (reductions && !needsRows(body)) return lowerReduction(body);
  const { kernel, tasks } = reductions ? rowsKernel(body) : pointwiseKernel(body);
  const calls = countCalls(body.members.map((member) => member.expression));
  const operands = Array.from({ length: body.argumentCount }, (_, index) => ({ kind: "operand", index }) as const);
  return { steps: [{ kernel, arguments: operands, tasks, flops: calls * points, bytes: 0 }], temporaries: [] };
}

/** Whether a value of the full space is stored, or a reduction needs the result of another. */
function needsRows(body: LoopBody): boolean {
  return body.members.some(
    (member) => member.level === "full" || (member.combine && membersIn(member.expression).length > 0),
  );
}
