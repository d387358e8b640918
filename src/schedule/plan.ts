import type { Kernel } from "../kernel/ir.ts";

/** Memory that a step's argument points to. */
export type BufferReference =
  /** Storage passed by the caller: inputs in the order of `GraphProgram.inputs`. */
  | { readonly kind: "input"; readonly index: number; readonly byteOffset: number }
  /** Outputs in the order of `GraphProgram.outputs`; for a donated one the caller passes the input's address. */
  | { readonly kind: "output"; readonly index: number; readonly byteOffset: number }
  /**
   * The engine's arena; offsets are multiples of 64. What is `kept` lies, in a run that keeps the results of that preparation, among these instead.
   */
  | {
      readonly kind: "arena";
      readonly byteOffset: number;
      readonly kept?: { readonly preparation: number; readonly byteOffset: number };
    }
  /** Constant data of the plan. */
  | { readonly kind: "constant"; readonly index: number; readonly byteOffset: number }
  /** One i32, set to 0 before the program: a guard writes `guard number + 1`, and the program stops after that step. */
  | { readonly kind: "status" };

/** One kernel launch. Steps run in order; a barrier lies between two steps. */
export interface PlanStep {
  readonly kernel: Kernel;
  readonly arguments: readonly BufferReference[];
  /** Number of tasks; the result never depends on which thread runs which. */
  readonly tasks: number;
  /** Work, for roofline figures: floating-point operations and least bytes moved. */
  readonly flops: number;
  readonly bytes: number;
  /** After this step the status word is checked (guards come before every overwriting write). */
  readonly checksStatus?: boolean;
}

/** An index guard that fired is reported with this. */
export interface Guard {
  readonly opName: string;
  readonly limit: number;
}

/**
 * Kernels that read nothing but variables that the program does not write (and numbers). Their results may be kept for the next run: a run that is given them
 * leaves the kernels out.
 */
export interface Preparation {
  /** Preparations with equal keys make the same of the same inputs, in whatever program they stand. */
  readonly key: string;
  /** Positions in `GraphProgram.inputs`, in the order in which equal preparations have theirs. */
  readonly inputs: readonly number[];
  /** Positions in `Plan.steps`. */
  readonly steps: readonly number[];
  /** Size of the results, one behind the other. */
  readonly bytes: number;
}

/** A compiled program, still machine-neutral: kernels in order, buffers placed. */
export interface Plan {
  readonly steps: readonly PlanStep[];
  readonly arenaBytes: number;
  readonly constants: readonly Uint8Array[];
  readonly guards: readonly Guard[];
  readonly preparations: readonly Preparation[];
  /** Human-readable: groups, fusion decisions, arena map. */
  readonly explanation: string;
}
