/**
 * Code for reductions that read their elements once: several reductions over the same axes, with elementwise work before and after.
 *
 * Lanes run along a reduced axis (folded at the end) or along the last kept axis. Long reductions run in fixed blocks, whose partial
 * results a second step combines. Which way is taken, and every order of combination, follows from shapes and strides alone.
 */
import { InternalError } from "../../errors.ts";
import { bytesPerElement } from "../../graph/dtype.ts";
import { sizeOf, stridesOf } from "../../graph/shape.ts";
import { scalarInput } from "../../kernel/scalar.ts";
import type { LoweredStep, Lowering, StepArgument } from "../strategy.ts";
import { countCalls, type LoopBody } from "./body.ts";
import { LanesAlongKept } from "./reduce-across-lanes.ts";
import { LanesAlongReduced } from "./reduce-along-lanes.ts";
import { planReduction, type ReductionPlan } from "./reduction-plan.ts";

/** Lowers a body whose members are reductions of expressions of loads, and kept work on their results. */
export function lowerReduction(body: LoopBody): Lowering {
  const operands = Array.from({ length: body.argumentCount }, (_, index): StepArgument => ({ kind: "operand", index }));
  const whole = planReduction(body);
  if (!whole.long) return { steps: [reductionStep(body, whole, operands)], temporaries: [] };

  // First step: one partial result per block; second step: the same reductions over the blocks, then the kept work.
  const reductions = body.members.filter((member) => member.combine);
  const partial: LoopBody = {
    ...body,
    name: `${body.name}_blocks`,
    members: reductions.map((member, index) => ({ ...member, stores: [{ argument: body.argumentCount + index }] })),
    keptLoads: [],
    argumentCount: body.argumentCount + reductions.length,
  };
  const first = planReduction(partial);
  if (!first.long) throw new InternalError(`${body.name}: the blocks of a long reduction depend on its kept work`);
  const { blocks } = first.long;
  const keptExtents = body.extents.filter((_, axis) => !body.reduceAxes.includes(axis));
  const extents = first.lanesReduced ? [...keptExtents, blocks] : [blocks, ...keptExtents];
  let number = 0;
  const combined: LoopBody = {
    ...body,
    name: `${body.name}_combine`,
    extents,
    reduceAxes: [first.lanesReduced ? keptExtents.length : 0],
    fullLoads: reductions.map((member, index) => ({
      argument: body.argumentCount + index,
      dtype: member.dtype,
      offset: 0,
      strides: stridesOf(extents),
    })),
    members: body.members.map((member) =>
      member.combine ? { ...member, expression: scalarInput(number++, member.dtype) } : member,
    ),
    argumentCount: body.argumentCount + reductions.length,
  };
  const all = [...operands, ...reductions.map((_, index): StepArgument => ({ kind: "temporary", index }))];
  return {
    steps: [reductionStep(partial, first, all), reductionStep(combined, planReduction(combined, false), all)],
    temporaries: reductions.map((member) => sizeOf(extents) * bytesPerElement[member.dtype]),
  };
}

function reductionStep(body: LoopBody, plan: ReductionPlan, stepArguments: readonly StepArgument[]): LoweredStep {
  const emitter = plan.lanesReduced ? new LanesAlongReduced(body, plan) : new LanesAlongKept(body, plan);
  const tasks = emitter.emit();
  const points = body.extents.reduce((size, extent) => size * extent, 1);
  const calls = countCalls(body.members.map((member) => member.expression)) + body.members.length;
  return { kernel: emitter.k.build(), arguments: stepArguments, tasks, flops: points * calls, bytes: 0 };
}
