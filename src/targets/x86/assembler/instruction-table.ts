/**
 * The instruction table: one row per form. It drives the encoder, the printer and the byte tests; a register allocator reads ties from it
 * (`access`). The first row whose patterns fit the operands is used, so shorter encodings stand first.
 */
import type { InstructionForm } from "./instruction-form.ts";
import { integerInstructions } from "./integer-instructions.ts";
import { immediateClass, type Operand } from "./operands.ts";
import { vectorInstructions } from "./vector-instructions.ts";

/** Every mnemonic of the table. */
export type Mnemonic =
  | (typeof integerInstructions)[number]["mnemonic"]
  | (typeof vectorInstructions)[number]["mnemonic"];

export const instructionTable: readonly InstructionForm<Mnemonic>[] = [...integerInstructions, ...vectorInstructions];

const formsByMnemonic = new Map<string, InstructionForm<Mnemonic>[]>();
for (const form of instructionTable) {
  const forms = formsByMnemonic.get(form.mnemonic);
  if (forms) forms.push(form);
  else formsByMnemonic.set(form.mnemonic, [form]);
}

/** Whether this form's memory operand must say its size. */
function needsSize(form: InstructionForm): boolean {
  form.needsSize ??= formsByMnemonic.get(form.mnemonic)?.some((other) => differInSizeOnly(form, other)) ?? false;
  return form.needsSize;
}

/** Whether two forms can be told apart only by the size of their memory operand. */
function differInSizeOnly(form: InstructionForm, other: InstructionForm): boolean {
  if (form.operands.length !== other.operands.length) return false;
  let sizesDiffer = false;
  for (let i = 0; i < form.operands.length; i++) {
    if ((form.operands[i].accepts & other.operands[i].accepts) === 0) return false;
    if (form.operands[i].memoryBits > 0 && form.operands[i].memoryBits !== other.operands[i].memoryBits)
      sizesDiffer = true;
  }
  return sizesDiffer;
}

/** All forms of a mnemonic, in the order in which they are tried. */
export const formsOf = (mnemonic: Mnemonic): readonly InstructionForm<Mnemonic>[] =>
  formsByMnemonic.get(mnemonic) ?? [];

/** Operands of one kind of use of a mnemonic, as numbers, and the form that takes them. */
interface KnownUse {
  readonly first: number;
  readonly second: number;
  readonly third: number;
  readonly fourth: number;
  readonly form: InstructionForm<Mnemonic>;
}
const knownUses = new Map<string, KnownUse[]>();

/** Everything that `formTakes` looks at in an operand, as one number; -1 for no operand. */
function signature(operand: Operand | undefined): number {
  if (operand === undefined) return -1;
  if (typeof operand !== "object") return immediateClass(operand);
  if (operand.kind !== "memory" || operand.bits === undefined) return operand.operandClass;
  // classes take 27 bits; a size is at most 512
  return operand.operandClass + (2 * operand.bits + (operand.broadcast ? 1 : 0)) * 2 ** 27;
}

/** The first form that takes these operands, or undefined. A program uses few kinds, so what was found is remembered by kind. */
export function findForm(mnemonic: Mnemonic, operands: readonly Operand[]): InstructionForm<Mnemonic> | undefined {
  const count = operands.length;
  const first = signature(operands[0]);
  const second = count > 1 ? signature(operands[1]) : -1;
  const third = count > 2 ? signature(operands[2]) : -1;
  const fourth = count > 3 ? signature(operands[3]) : -1;
  let uses = knownUses.get(mnemonic);
  if (uses === undefined) {
    uses = [];
    knownUses.set(mnemonic, uses);
  }
  for (let i = 0; i < uses.length; i++) {
    const use = uses[i];
    if (use.first === first && use.second === second && use.third === third && use.fourth === fourth) return use.form;
  }
  if (count > 4) return undefined;
  const form = formsOf(mnemonic).find((candidate) => formTakes(candidate, operands));
  if (form !== undefined) uses.push({ first, second, third, fourth, form });
  return form;
}

/** Whether a form can encode these operands. */
export function formTakes(form: InstructionForm, operands: readonly Operand[]): boolean {
  const patterns = form.operands;
  if (patterns.length !== operands.length) return false;
  for (let i = 0; i < patterns.length; i++) {
    const operand = operands[i];
    const pattern = patterns[i];
    if (typeof operand === "object") {
      if ((operand.operandClass & pattern.accepts) === 0) return false;
      if (operand.kind === "memory" && pattern.memoryBits > 0) {
        if (operand.bits === undefined ? needsSize(form) : !operand.broadcast && operand.bits !== pattern.memoryBits)
          return false;
      }
    } else if ((immediateClass(operand) & pattern.accepts) === 0) return false;
  }
  return true;
}
