export { adam } from "./adam.ts";
export { adadelta, adagrad, rmsprop } from "./adaptive.ts";
export { type ClipOptions, clipGradients } from "./clipping.ts";
export { type OptimizerOptions, OptimizerState } from "./optimizer.ts";
export type { SlotSpec, StepScalars, UpdateRule } from "./rule.ts";
export {
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  piecewiseConstantDecay,
  polynomialDecay,
  type ScheduleFunction,
} from "./schedules.ts";
export { sgd } from "./sgd.ts";
