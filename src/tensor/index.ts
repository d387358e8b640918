/** The neutral tensor API that all doors share. */
export { type BackwardOptions, type GradientOptions, gradients } from "./autograd.ts";
export { type CompiledArgument, type CompiledResult, compile } from "./compile.ts";
export { type AssignOptions, assignAll, enableGrad, engine, evaluate, isGradEnabled, noGrad } from "./control.ts";
export * from "./creation.ts";
export * from "./functions.ts";
export { lift, liftBinary, type Operand } from "./lift.ts";
export type { NestedArray, NumericArray, TensorLike } from "./literal.ts";
export * from "./random.ts";
export { differentiable, Recording, type RecordingOptions } from "./recording.ts";
export { Tensor } from "./tensor.ts";
export { TensorShape } from "./tensor-shape.ts";
export { Variable } from "./variable.ts";
