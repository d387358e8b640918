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
for (const forms of formsByMnemonic.values()) {
  for (const form of forms) form.needsSize = forms.some((other) => differInSizeOnly(form, other));
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

/** The first form that takes these operands, or undefined. */
export function findForm(mnemonic: Mnemonic, operands: readonly Operand[]): InstructionForm<Mnemonic> | undefined {
  const forms = formsByMnemonic.get(mnemonic);
  if (!forms) return undefined;
  for (const form of forms) if (formTakes(form, operands)) return form;
  return undefined;
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
        if (operand.bits === undefined ? form.needsSize : !operand.broadcast && operand.bits !== pattern.memoryBits)
          return false;
      }
    } else if ((immediateClass(operand) & pattern.accepts) === 0) return false;
  }
  return true;
}
