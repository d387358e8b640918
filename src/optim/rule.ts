import { liveNumber, type Operand, type Tensor } from "../tensor/index.ts";

/** State that a rule keeps: of every parameter's shape (slots), or scalars (counters). */
export interface SlotSpec {
  /** As Keras names it: `momentum`, `velocity`, … */
  readonly name: string;
  readonly initial: number;
}

/** A number of a rule: fixed, or read at every step (and at each replay of a compiled one), which never recompiles. */
export type Setting = number | (() => number);

/**
 * A function of a setting, computed in double precision, as an operand. A setting that is read makes a live number of this step: ask once per
 * step and share the answer between parameters.
 */
export function settingOperand(setting: Setting, of: (value: number) => number = (value) => value): Operand {
  return typeof setting === "number" ? of(setting) : liveNumber(() => of(setting()));
}

/** What an update knows of the step: scalars. */
export interface StepScalars {
  readonly learningRate: Tensor;
  /** Number of this step as f32, counted from 1. */
  readonly step: Tensor;
  /** The rule's counters, as the step before left them. */
  readonly counters: readonly Tensor[];
}

/** The new values of one parameter and its slots. */
export interface ParameterUpdate {
  readonly parameter: Tensor;
  readonly slots: readonly Tensor[];
}

/** One step of a rule, the same for all parameters that take it together. */
export interface StepUpdate {
  /** New values of the rule's counters. */
  readonly counters?: readonly Tensor[];
  readonly update: (parameter: Tensor, gradient: Tensor, slots: readonly Tensor[]) => ParameterUpdate;
}

/**
 * An optimizer without state: pure functions from (parameter, gradient, slots, scalars) to new values. Written as plain elementwise graph
 * expressions, so that the scheduler can put an update into the kernel that makes the gradient.
 */
export interface UpdateRule {
  readonly name: string;
  readonly slots: readonly SlotSpec[];
  /** Scalars beside the step count that the rule carries from step to step. */
  readonly counters?: readonly SlotSpec[];
  /** Whether updates are the same at every step, so that nobody need count the steps of parameters that are skipped. */
  readonly ignoresStep?: boolean;
  /** Called once per step: scalars that all parameters share (a bias correction) are made here. */
  readonly prepare: (scalars: StepScalars) => StepUpdate;
}
