/** Rows of the instruction table: integer, control flow and system instructions. Notation: see `parsePattern`. */
import { type FormOptions, type InstructionForm, makeForm } from "./instruction-form.ts";

const legacy = <Name extends string>(
  mnemonic: Name,
  space: string,
  opcode: number,
  roles = "",
  operands = "",
  options?: FormOptions,
): InstructionForm<Name> => makeForm(mnemonic, "legacy", 0, space, opcode, roles, operands, options);

/** The same instruction on 32- and 64-bit registers; `#` in the operands stands for the width. */
const both = <Name extends string>(
  mnemonic: Name,
  space: string,
  opcode: number,
  roles: string,
  operands: string,
  options?: FormOptions,
): InstructionForm<Name>[] => [
  legacy(mnemonic, space, opcode, roles, operands.replaceAll("#", "32").replaceAll("imm", "i32"), options),
  legacy(
    mnemonic,
    `${space}.W1`.replace(/^\./, ""),
    opcode,
    roles,
    operands.replaceAll("#", "64").replaceAll("imm", "s32"),
    options,
  ),
];

/** The eight classic operations: number n is opcode 8n. */
const arithmetic = <Name extends string>(mnemonic: Name, number: number, access: "both" | "read") => [
  ...both(mnemonic, "", 0x83, "MI", "r#/m# s8", { extension: number, access }),
  ...both(mnemonic, "", 0x81, "MI", "r#/m# imm", { extension: number, access }),
  ...both(mnemonic, "", number * 8 + 1, "MR", "r#/m# r#", { access }),
  ...both(mnemonic, "", number * 8 + 3, "RM", "r# m#", { access }),
];

const shift = <Name extends string>(mnemonic: Name, extension: number) => [
  ...both(mnemonic, "", 0xc1, "MI", "r#/m# u8", { extension, access: "both" }),
  ...both(mnemonic, "", 0xd3, "M-", "r#/m# cl", { extension, access: "both" }),
];

/** One operand in ModRM.rm. */
const unary = <Name extends string>(mnemonic: Name, opcode: number, extension: number, access: "both" | "read") =>
  both(mnemonic, "", opcode, "M", "r#/m#", { extension, access });

/** Condition codes in their order: number n is opcode 0F 80+n, 0F 40+n, 0F 90+n. */
export const conditionCodes = [
  "o",
  "no",
  "b",
  "ae",
  "e",
  "ne",
  "be",
  "a",
  "s",
  "ns",
  "p",
  "np",
  "l",
  "ge",
  "le",
  "g",
] as const;
export type ConditionCode = (typeof conditionCodes)[number];

const conditional = conditionCodes.flatMap((condition, number) => [
  // branches: the assembler chooses between rel8 and rel32
  legacy(`j${condition}`, "0F", 0x80 + number, "D", "rel", { access: "read" }),
  ...both(`cmov${condition}`, "0F", 0x40 + number, "RM", "r# r#/m#", { access: "both" }),
  legacy(`set${condition}`, "0F", 0x90 + number, "M", "r8/m8", { extension: 0 }),
]);

const bmi2Shift = <Name extends string>(mnemonic: Name, prefix: string) => [
  makeForm(mnemonic, "vex", 128, `${prefix}.0F38`, 0xf7, "RMV", "r32 r32/m32 r32"),
  makeForm(mnemonic, "vex", 128, `${prefix}.0F38.W1`, 0xf7, "RMV", "r64 r64/m64 r64"),
];

const read = { access: "read" } as const;
const tied = { access: "both" } as const;
const locked = { lock: true, access: "both" } as const;

export const integerInstructions = [
  // moves
  ...both("mov", "", 0x89, "MR", "r#/m# r#"),
  ...both("mov", "", 0x8b, "RM", "r# m#"),
  legacy("mov", "W1", 0xc7, "MI", "r64/m64 s32", { extension: 0 }),
  legacy("mov", "", 0xb8, "OI", "r32 i32"),
  legacy("mov", "", 0xc7, "MI", "m32 i32", { extension: 0 }),
  legacy("mov", "W1", 0xb8, "OI", "r64 i64"),
  legacy("mov", "", 0x88, "MR", "r8/m8 r8"),
  legacy("mov", "", 0x8a, "RM", "r8 m8"),
  legacy("mov", "", 0xc6, "MI", "m8 s8/u8", { extension: 0 }),
  legacy("movsxd", "W1", 0x63, "RM", "r64 r32/m32"),
  legacy("movzx", "0F", 0xb6, "RM", "r32 r8/m8"),
  legacy("movzx", "0F", 0xb7, "RM", "r32 m16"),
  legacy("movsx", "0F", 0xbe, "RM", "r32 r8/m8"),
  legacy("movsx", "0F", 0xbf, "RM", "r32 m16"),
  legacy("movsx", "0F.W1", 0xbe, "RM", "r64 r8/m8"),
  legacy("movsx", "0F.W1", 0xbf, "RM", "r64 m16"),
  legacy("lea", "W1", 0x8d, "RM", "r64 m"),
  legacy("lea", "", 0x8d, "RM", "r32 m"),
  legacy("push", "", 0x50, "O", "r64", read),
  legacy("pop", "", 0x58, "O", "r64"),
  // arithmetic
  ...arithmetic("add", 0, "both"),
  ...arithmetic("or", 1, "both"),
  ...arithmetic("and", 4, "both"),
  ...arithmetic("sub", 5, "both"),
  ...arithmetic("xor", 6, "both"),
  ...arithmetic("cmp", 7, "read"),
  ...both("test", "", 0x85, "MR", "r#/m# r#", read),
  ...both("test", "", 0xf7, "MI", "r#/m# imm", { extension: 0, access: "read" }),
  ...both("imul", "0F", 0xaf, "RM", "r# r#/m#", tied),
  ...both("imul", "", 0x6b, "RMI", "r# r#/m# s8"),
  ...both("imul", "", 0x69, "RMI", "r# r#/m# imm"),
  ...unary("inc", 0xff, 0, "both"),
  ...unary("dec", 0xff, 1, "both"),
  ...unary("not", 0xf7, 2, "both"),
  ...unary("neg", 0xf7, 3, "both"),
  ...unary("mul", 0xf7, 4, "read"),
  ...unary("div", 0xf7, 6, "read"),
  ...unary("idiv", 0xf7, 7, "read"),
  legacy("cdq", "", 0x99, "", "", read),
  legacy("cqo", "W1", 0x99, "", "", read),
  ...shift("shl", 4),
  ...shift("shr", 5),
  ...shift("sar", 7),
  ...bmi2Shift("shlx", "66"),
  ...bmi2Shift("shrx", "F2"),
  ...bmi2Shift("sarx", "F3"),
  ...both("popcnt", "F3.0F", 0xb8, "RM", "r# r#/m#"),
  ...both("tzcnt", "F3.0F", 0xbc, "RM", "r# r#/m#"),
  // control flow
  ...conditional,
  legacy("jmp", "", 0xe9, "D", "rel", read),
  legacy("jmp", "", 0xff, "M", "r64/m64", { extension: 4, access: "read" }),
  legacy("call", "", 0xe8, "D", "rel", read),
  legacy("call", "", 0xff, "M", "r64/m64", { extension: 2, access: "read" }),
  legacy("ret", "", 0xc3, "", "", read),
  legacy("int3", "", 0xcc, "", "", read),
  legacy("ud2", "0F", 0x0b, "", "", read),
  // threads and system
  ...both("lock xadd", "0F", 0xc1, "MR", "m# r#", locked),
  ...both("lock cmpxchg", "0F", 0xb1, "MR", "m# r#", locked),
  ...both("lock add", "", 0x83, "MI", "m# s8", { extension: 0, lock: true, access: "both" }),
  ...both("lock add", "", 0x01, "MR", "m# r#", locked),
  ...both("lock or", "", 0x09, "MR", "m# r#", locked),
  ...both("lock dec", "", 0xff, "M", "m#", { extension: 1, lock: true, access: "both" }),
  ...both("xchg", "", 0x87, "MR", "m# r#", tied),
  legacy("pause", "F3", 0x90, "", "", read),
  legacy("syscall", "0F", 0x05, "", "", read),
  legacy("mfence", "0F", 0xae, "", "", { fixedModRm: 0xf0, access: "read" }),
  legacy("sfence", "0F", 0xae, "", "", { fixedModRm: 0xf8, access: "read" }),
  legacy("lfence", "0F", 0xae, "", "", { fixedModRm: 0xe8, access: "read" }),
  legacy("rdtsc", "0F", 0x31, "", "", read),
  legacy("cpuid", "0F", 0xa2, "", "", read),
  legacy("xgetbv", "0F", 0x01, "", "", { fixedModRm: 0xd0, access: "read" }),
  legacy("ldmxcsr", "0F", 0xae, "M", "m32", { extension: 2, access: "read" }),
  legacy("stmxcsr", "0F", 0xae, "M", "m32", { extension: 3 }),
  legacy("prefetcht0", "0F", 0x18, "M", "m", { extension: 1, access: "read" }),
  legacy("prefetcht1", "0F", 0x18, "M", "m", { extension: 2, access: "read" }),
  legacy("prefetcht2", "0F", 0x18, "M", "m", { extension: 3, access: "read" }),
  legacy("prefetchnta", "0F", 0x18, "M", "m", { extension: 0, access: "read" }),
  legacy("prefetchw", "0F", 0x0d, "M", "m", { extension: 1, access: "read" }),
];
