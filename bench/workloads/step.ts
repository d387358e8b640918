/**
 * One step of a workload. A training step gives the loss of its batch before the update, an inference or kernel step what it computed: numbers
 * that are held against the peers' before anything is timed.
 */
export type Step = () => StepResult | Promise<StepResult>;
export type StepResult = number | ArrayLike<number>;

/** Many steps at once, where a framework has the loop. */
export type Loop = (steps: number) => Promise<void>;

/** Makes a workload's step. Without `dropout` nothing is left to chance, so that contenders can be compared. */
export interface Workload {
  readonly make: (batch: number, dropout: boolean) => Step;
  /** What is timed instead of steps one by one. */
  readonly loop?: (batch: number) => Loop;
  /** Whether the network has dropout: what is compared and what is timed are then two. */
  readonly drops?: boolean;
}
