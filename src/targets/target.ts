import type { NodeValue } from "../graph/node.ts";
import type { GraphProgram } from "../graph/program.ts";
import type { Preparation } from "../schedule/plan.ts";

/** Time of one kernel, for profiles. */
export interface StepTiming {
  readonly label: string;
  readonly milliseconds: number;
  readonly flops: number;
  readonly bytes: number;
}

/** Storage for the results of a preparation; `filled` by an earlier run with the same inputs, or to be filled by this one. */
export interface KeptResults {
  readonly storage: NodeValue;
  readonly filled: boolean;
}

/** A compiled program. `run` blocks until the outputs are written. */
export interface Executable {
  /** Bytes of code, tables and constants it holds (the plan cache's limit counts them). */
  readonly bytes: number;
  /** Bytes of arena that a run needs. */
  readonly arenaBytes: number;
  /** Number of kernels in a run. */
  readonly kernelCount: number;
  /** Work on variables alone, whose results a run can be given; none where the target has no use for it. */
  readonly preparations: readonly Preparation[];
  /**
   * `inputs[i]` and `outputs[j]` are the storage of the program's inputs and outputs in order; a donated output is given its input's storage.
   * `kept[p]` is where the results of preparation p are to be found or left, if they are kept at all.
   * Throws `IndexRangeError` when a guard fires; then no output was written.
   */
  run(inputs: readonly NodeValue[], outputs: readonly NodeValue[], kept?: readonly (KeptResults | undefined)[]): void;
  /** Like `run`, with one timing per kernel that ran. */
  profile(
    inputs: readonly NodeValue[],
    outputs: readonly NodeValue[],
    kept?: readonly (KeptResults | undefined)[],
  ): StepTiming[];
  explain(): string;
  dispose(): void;
}

export interface Target {
  readonly name: "reference" | "x86" | "wasm" | "webgpu";
  /** For `doctor` and run headers, for example `x86 (AVX-512, 2 threads)`. */
  readonly description: string;
  readonly threads: number;
  compile(program: GraphProgram): Executable;
  /** Storage that this target can read and write; at least `bytes` long, zeroed. Throws `OutOfMemoryError` before allocating what cannot be had. */
  allocate(bytes: number): NodeValue;
}
