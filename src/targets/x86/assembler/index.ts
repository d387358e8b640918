/** The x86-64 assembler's public face. */
export { Assembler, type AssemblerOptions } from "./assembler.ts";
export type { Access, InstructionForm, Role } from "./instruction-form.ts";
export { findForm, formsOf, formTakes, instructionTable, type Mnemonic } from "./instruction-table.ts";
export { type ConditionCode, conditionCodes } from "./integer-instructions.ts";
export * from "./operands.ts";
export { printInstruction } from "./printer.ts";
