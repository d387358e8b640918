/** Learning rates that follow a step counter of the graph. */
import * as neutral from "../../optim/schedules.ts";
import type { Tensor } from "../../tensor/index.ts";
import { define } from "../define.ts";

const stepOf = (globalStep: Tensor): Tensor => globalStep.cast("f32");

/** rate · decayRate^(step / decaySteps), the exponent rounded down with `staircase`. */
export const exponentialDecay = define(function exponentialDecay(
  learningRate: number,
  globalStep: Tensor,
  decaySteps: number,
  decayRate: number,
  options: { readonly staircase?: boolean } = {},
): Tensor {
  return neutral.exponentialDecay({
    initialLearningRate: learningRate,
    decaySteps,
    decayRate,
    staircase: options.staircase ?? false,
  })(stepOf(globalStep));
});
