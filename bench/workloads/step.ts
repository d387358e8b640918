/**
 * One step of a workload. A training step gives the loss of its batch before the update, an inference or kernel step what it computed: numbers
 * that are held against the peers' before anything is timed.
 */
export type Step = () => StepResult | Promise<StepResult>;
export type StepResult = number | ArrayLike<number>;

/** Many steps at once, where a framework has the loop. */
export type Loop = (steps: number) => Promise<void>;

/** The part of a workload that the f64 interpreter computes in seconds: what is validated where no peer is. */
export interface Part {
  /** In words, for the report. */
  readonly about: string;
  /** Makes the step that computes the part alone. */
  readonly make: () => Step;
  /** Picks the part from the whole step's result; absent where the part is computed on its own by both. */
  readonly pick?: (whole: ArrayLike<number>) => ArrayLike<number>;
}

/** Makes a workload's step. Without `dropout` nothing is left to chance, so that contenders can be compared. */
export interface Workload {
  readonly make: (batch: number, dropout: boolean) => Step;
  /** What is timed instead of steps one by one. */
  readonly loop?: (batch: number) => Loop;
  /** Whether the network has dropout: what is compared and what is timed are then two. */
  readonly drops?: boolean;
  /** The part that is computed in f64, where it is not figured from the batch. */
  readonly part?: () => Part;
}
