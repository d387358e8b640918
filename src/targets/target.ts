import type { NodeValue } from "../graph/node.ts";
import type { GraphProgram } from "../graph/program.ts";

/** Time of one kernel, for profiles. */
export interface StepTiming {
  readonly label: string;
  readonly milliseconds: number;
  readonly flops: number;
  readonly bytes: number;
}

/** A compiled program. `run` blocks until the outputs are written. */
export interface Executable {
  /** Bytes of code, tables and constants it holds (the plan cache's limit counts them). */
  readonly bytes: number;
  /** Bytes of arena that a run needs. */
  readonly arenaBytes: number;
  /** Number of kernels in a run. */
  readonly kernelCount: number;
  /**
   * `inputs[i]` and `outputs[j]` are the storage of the program's inputs and outputs in order; a donated output is given its input's storage.
   * Throws `IndexRangeError` when a guard fires; then no output was written.
   */
  run(inputs: readonly NodeValue[], outputs: readonly NodeValue[]): void;
  /** Like `run`, with one timing per kernel. */
  profile(inputs: readonly NodeValue[], outputs: readonly NodeValue[]): StepTiming[];
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
