import { type Gpr, r8q, r9, r12, r13, r14, r15, rbp, rbx, rcx, rdi, rdx, rsi } from "./assembler/index.ts";

/** How functions are called: all that emitted code assumes about its surroundings. */
export interface CallingConvention {
  readonly name: string;
  /** Integer arguments in order. */
  readonly argumentRegisters: readonly Gpr[];
  /** Registers that a function hands back unchanged (besides the stack pointer). */
  readonly calleeSaved: readonly Gpr[];
  /** Bytes above the return address that the caller reserves for the callee. */
  readonly shadowBytes: number;
}

/** Linux, macOS, BSD. Every vector and mask register is the callee's to use. */
export const systemV: CallingConvention = {
  name: "System V",
  argumentRegisters: [rdi, rsi, rdx, rcx, r8q, r9],
  calleeSaved: [rbx, rbp, r12, r13, r14, r15],
  shadowBytes: 0,
};
