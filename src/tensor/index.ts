/** The neutral tensor API that all doors share. */
export { abstractly, abstractTensor, valueNow } from "./abstract.ts";
export { type BackwardOptions, type GradientOptions, gradients } from "./autograd.ts";
export { type CompiledArgument, type CompiledResult, compile } from "./compile.ts";
export { type AssignOptions, assignAll, enableGrad, engine, evaluate, isGradEnabled, noGrad } from "./control.ts";
export * from "./creation.ts";
export {
  allClose,
  bincount,
  equal,
  maskedSelect,
  nonzero,
  nonzeroPositions,
  type UniqueValues,
  uniqueConsecutive,
  uniqueValues,
} from "./dynamic.ts";
export * from "./functions.ts";
export type { GradientCallback, HookHandle } from "./gradient-hooks.ts";
export { hostView } from "./host-view.ts";
export { sliceOf } from "./indexing.ts";
export { lift, liftBinary, type Operand } from "./lift.ts";
export type { NestedArray, NumericArray, TensorLike } from "./literal.ts";
export type { BoundOptions, DivideOptions, ScaleOptions } from "./methods/arithmetic.ts";
export type { Device } from "./methods/conversion.ts";
export type { CloseOptions } from "./methods/elementary.ts";
export type { GeneratorOptions } from "./methods/in-place.ts";
export type { Index, SortingOptions, TopkOptions, UniqueOptions } from "./methods/indexing.ts";
export type { ProductOptions, SpreadOptions, ValuesAndIndices } from "./methods/reductions.ts";
export * from "./network-functions.ts";
export * from "./random.ts";
export { differentiable, Recording, type RecordingOptions, recordsOrTraces } from "./recording.ts";
export { type ScanOptions, type ScanResult, type ScanStep, scan } from "./scan.ts";
export { Tensor } from "./tensor.ts";
export { TensorShape } from "./tensor-shape.ts";
export { withoutAssignments } from "./tracing.ts";
export { Variable, variableCount } from "./variable.ts";
