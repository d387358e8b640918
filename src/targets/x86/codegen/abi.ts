import { systemV as systemVFunctions } from "../abi.ts";

/** Calling convention of a kernel, as register codes (0 … 15: rax rcx rdx rbx rsp rbp rsi rdi r8 … r15). */
export interface CallingConvention {
  /** Where the argument table, the task number and the scratch address come in. */
  readonly parameters: readonly [number, number, number];
  /** Registers that may be overwritten, in order of preference, and those that must be saved first. */
  readonly callerSaved: readonly number[];
  readonly calleeSaved: readonly number[];
}

const [table, task, scratch] = systemVFunctions.argumentRegisters.map(({ code }) => code);

/** Linux, macOS, BSD. All vector registers may be overwritten. */
export const systemV: CallingConvention = {
  parameters: [table, task, scratch],
  callerSaved: [0, 1, 2, 6, 7, 8, 9, 10, 11],
  calleeSaved: systemVFunctions.calleeSaved.map(({ code }) => code),
};
