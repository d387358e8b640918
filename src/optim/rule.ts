import type { Tensor } from "../tensor/index.ts";

/** State that a rule keeps for every parameter, of the parameter's shape. */
export interface SlotSpec {
  /** As Keras names it: `momentum`, `velocity`, … */
  readonly name: string;
  readonly initial: number;
}

/** What an update knows of the step: scalars. */
export interface StepScalars {
  readonly learningRate: Tensor;
  /** Number of this step as f32, counted from 1. */
  readonly step: Tensor;
}

/**
 * An optimizer without state: pure functions from (parameter, gradient, slots, scalars) to new values. Written as plain elementwise graph
 * expressions, so that the scheduler can put an update into the kernel that makes the gradient.
 */
export interface UpdateRule {
  readonly name: string;
  readonly slots: readonly SlotSpec[];
  /** Scalars that are the same for all parameters (a bias correction), computed once per step. */
  readonly shared?: (scalars: StepScalars) => readonly Tensor[];
  readonly update: (
    parameter: Tensor,
    gradient: Tensor,
    slots: readonly Tensor[],
    scalars: StepScalars & { readonly shared: readonly Tensor[] },
  ) => { readonly parameter: Tensor; readonly slots: readonly Tensor[] };
}
