import { allocateAligned } from "../../runtime/allocate.ts";
import { schedule } from "../../schedule/schedule.ts";
import type { Target } from "../target.ts";
import { createX86Platform, type X86Options, type X86Platform } from "./platform.ts";

/** The x86-64 target: plans become machine code on the CPU's own vector units. */
export interface X86Target extends Target {
  readonly platform: X86Platform;
}

/**
 * Creates the x86 target.
 *
 * @throws UnsupportedError where machine code cannot run; `x86Availability()` tells before
 * @example
 * ```ts
 * const target = createX86Target({ threads: 2 });
 * console.log(target.description); // x86 (AVX-512, 2 threads)
 * ```
 */
export function createX86Target(options: X86Options = {}): X86Target {
  const platform = createX86Platform(options);
  const { pool, functions } = platform.machine;
  const threads = pool.threads;
  return {
    name: "x86",
    description: `x86 (${platform.features.avx512 ? "AVX-512" : "AVX2"}, ${threads} ${threads === 1 ? "thread" : "threads"})`,
    threads,
    platform,
    compile: (program) => platform.compilePlan(schedule(program, platform.description)),
    allocate: (bytes) => allocateAligned(bytes, functions),
  };
}
