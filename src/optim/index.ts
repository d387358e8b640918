export { type AdamSettings, adam, type EpsilonPlacement, nadam } from "./adam.ts";
export { type AdagradSettings, adadelta, adagrad, type RmspropSettings, rmsprop } from "./adaptive.ts";
export { type ClipOptions, clipGradients } from "./clipping.ts";
export { type OptimizerOptions, OptimizerState } from "./optimizer.ts";
export { type GroupStep, ParameterStates, type RestoredState } from "./parameter-states.ts";
export type { ParameterUpdate, Setting, SlotSpec, StepScalars, StepUpdate, UpdateRule } from "./rule.ts";
export {
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  piecewiseConstantDecay,
  polynomialDecay,
  type ScheduleFunction,
} from "./schedules.ts";
export { gradientMomentum, sgd } from "./sgd.ts";
