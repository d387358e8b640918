/** Strategies of the indexed ops, by op name. */
import type { Strategy, StrategyRequest } from "../../strategy.ts";
import { LoweringBuilder, operand } from "../contraction/lowering.ts";
import { argsortStrategy } from "./argsort.ts";
import { addEpilogue } from "./buffers.ts";
import { cumulativeProductStrategy, cumulativeSumStrategy, linearRecurrenceStrategy } from "./cumulative.ts";
import { scatterAddAlongAxisStrategy, scatterAddStrategy } from "./scatter-add.ts";
import { gatherStrategy, takeAlongAxisStrategy } from "./take.ts";

/** The indices themselves: all that checks them is their guard. */
function checkIndicesStrategy(request: StrategyRequest) {
  const lowering = new LoweringBuilder();
  const [view] = request.views;
  if (!request.output.shape.includes(0)) addEpilogue(lowering, request, operand(view.operand), view);
  return lowering.build();
}

/** One strategy for every op whose meaning is `indexed`. */
export const indexedStrategies: { readonly [opName: string]: Strategy | undefined } = {
  argsort: argsortStrategy,
  checkIndices: checkIndicesStrategy,
  cumulativeProduct: cumulativeProductStrategy,
  cumulativeSum: cumulativeSumStrategy,
  gather: gatherStrategy,
  linearRecurrence: linearRecurrenceStrategy,
  scatterAdd: scatterAddStrategy,
  scatterAddAlongAxis: scatterAddAlongAxisStrategy,
  takeAlongAxis: takeAlongAxisStrategy,
};
