/** Everything of the x86 target below the scheduler: is this machine one, what can it do, plans made executable. */
import { UnsupportedError } from "../../errors.ts";
import type { MachineDescription } from "../../kernel/ir.ts";
import { foreignFunctions } from "../../runtime/ffi.ts";
import { threadCount } from "../../runtime/thread-count.ts";
import type { Plan } from "../../schedule/plan.ts";
import { compileKernel } from "./codegen/compile-kernel.ts";
import { type CpuDescription, describeCpu } from "./cpu.ts";
import { X86Executable, X86Machine } from "./executable.ts";
import { chooseFeatures, type X86Features } from "./features.ts";

export interface X86Options {
  /** Threads that compute, the calling one included. Default: `TRIVIUM_THREADS`, else what affinity mask and CPU quota allow. */
  readonly threads?: number;
  /** `false` keeps to AVX2 on a CPU that has AVX-512; so does `TRIVIUM_AVX512=0`. Results are the same to the bit. */
  readonly avx512?: boolean;
}

/** Whether the x86 target can run here, and if not, why. */
export type X86Availability =
  | { readonly available: true; readonly cpu: CpuDescription }
  | { readonly available: false; readonly reason: string };

export function x86Availability(): X86Availability {
  const found = foreignFunctions();
  if (!found.available) return found;
  let cpu: CpuDescription;
  try {
    cpu = describeCpu(found.functions);
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) };
  }
  if (!cpu.avx2) {
    return {
      available: false,
      reason: `${cpu.brand}, as this system runs it, has no AVX2 with FMA, which machine code needs.`,
    };
  }
  return { available: true, cpu };
}

/** A machine that runs plans. */
export interface X86Platform {
  readonly features: X86Features;
  readonly cpu: CpuDescription;
  /** What the scheduler plans for. */
  readonly description: MachineDescription;
  readonly machine: X86Machine;
  /** Compiles a plan's kernels, shares those that other plans have, and places its constants. */
  compilePlan(plan: Plan): X86Executable;
  /** Ends the threads and gives memory back; no executable may run afterwards. */
  dispose(): void;
}

/**
 * Sets up code memory, arena and thread pool.
 *
 * @throws UnsupportedError where machine code cannot run; `x86Availability()` tells before
 */
export function createX86Platform(options: X86Options = {}): X86Platform {
  const availability = x86Availability();
  const found = foreignFunctions();
  if (!availability.available) throw new UnsupportedError(`the x86 target is not available: ${availability.reason}`);
  if (!found.available) throw new UnsupportedError(`the x86 target is not available: ${found.reason}`);
  const { cpu } = availability;
  const features = chooseFeatures(cpu, options);
  // in the project's own tests every kernel is verified; for users that would be a tenth of the compile time
  const verify = process.env.TRIVIUM_VERIFY === "1";
  const machine = new X86Machine(found.functions, options.threads ?? threadCount(), (kernel) => {
    return compileKernel(kernel, features, { verify }).code;
  });
  const description: MachineDescription = {
    name: features.avx512 ? "x86-avx512" : "x86-avx2",
    vectorRegisters: features.avx512 ? 32 : 8,
    broadcastOperand: features.avx512,
    l1Bytes: cpu.l1Bytes || 32 * 1024,
    l2Bytes: cpu.l2Bytes || 512 * 1024,
  };
  return {
    features,
    cpu,
    description,
    machine,
    compilePlan: (plan) => new X86Executable(machine, plan),
    dispose: () => machine.dispose(),
  };
}
