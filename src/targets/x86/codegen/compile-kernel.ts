import { CompileError, TriviumError } from "../../../errors.ts";
import type { Kernel } from "../../../kernel/ir.ts";
import { printKernel } from "../../../kernel/printer.ts";
import { verifyKernel } from "../../../kernel/verifier.ts";
import type { X86Features } from "../features.ts";
import { type CallingConvention, systemV } from "./abi.ts";
import { allocateRegisters } from "./allocate.ts";
import { Emitter } from "./emit.ts";
import { removeDeadCode } from "./liveness.ts";
import { lowerKernel } from "./lower.ts";

export interface CompiledKernel {
  /** Position-independent machine code with its constants; the entry is byte 0, which must lie at a multiple of 64. */
  readonly code: Uint8Array;
  /** Bytes of stack for spilled values; 0 in a good inner loop. */
  readonly frameBytes: number;
  /** Assembly text, if it was asked for. */
  readonly listing: string;
}

export interface CompileOptions {
  readonly convention?: CallingConvention;
  readonly listing?: boolean;
  /** Check the IR's rules first (the default). Kernels of the scheduler keep them, which its tests check. */
  readonly verify?: boolean;
}

/**
 * Compiles a kernel to a function `kernel(arguments: u64*, task: i64, scratch: u8*)`. A vector of the IR is one zmm register with AVX-512 and
 * two ymm registers with AVX2; results are the same to the bit.
 *
 * @throws CompileError with the printed kernel, if it breaks the IR's rules
 * @example
 * ```ts
 * const { code } = compileKernel(kernel, { avx512: false });
 * ```
 */
export function compileKernel(kernel: Kernel, features: X86Features, options: CompileOptions = {}): CompiledKernel {
  if (options.verify !== false) verifyKernel(kernel);
  const convention = options.convention ?? systemV;
  try {
    const machine = lowerKernel(kernel, features);
    removeDeadCode(machine);
    const assignment = allocateRegisters(machine, convention);
    const emitter = new Emitter(machine, assignment, convention, options.listing ?? false);
    emitter.run();
    return {
      code: emitter.assembler.finish(),
      frameBytes: machine.frameBytes,
      listing: emitter.assembler.listing(),
    };
  } catch (error) {
    if (error instanceof CompileError || !(error instanceof TriviumError)) throw error;
    throw new CompileError(`kernel ${kernel.name}: ${error.message}`, printKernel(kernel));
  }
}
