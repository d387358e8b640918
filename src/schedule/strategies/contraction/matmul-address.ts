/** Where the pieces of a matrix product lie, and code that differs between full and last strips or panels. */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import { offsetAddress } from "./lowering.ts";
import type { MatmulPlan } from "./matmul-plan.ts";

/** Address of element (row, column) of one matrix of a batched view. */
export function matrixAddress(
  k: KernelBuilder,
  base: IntRegister,
  view: { readonly offset: number; readonly strides: readonly number[] },
  batch: readonly IntOperand[],
  row: IntOperand,
  column: IntOperand,
): IntRegister {
  const terms = [...batch, row, column].map((index, axis) => [index, 4 * view.strides[axis]] as const);
  return offsetAddress(k, base, terms, 4 * view.offset);
}

/** First row of a strip, from its number in a register. */
export function stripStart(k: KernelBuilder, plan: MatmulPlan, strip: IntRegister): IntRegister {
  const start = k.mul(strip, plan.strips.big);
  if (plan.strips.bigCount === plan.strips.count) return start;
  const small = k.intBinary("max", k.add(strip, -plan.strips.bigCount), 0);
  return k.intBinary("sub", start, small);
}

/** Emits `body` for a big or a small strip, as the number in a register says. */
export function forStripSize(
  k: KernelBuilder,
  plan: MatmulPlan,
  strip: IntRegister,
  body: (rows: number) => void,
): void {
  const { big, bigCount, count } = plan.strips;
  if (bigCount === count) body(big);
  else
    k.if(
      k.compare("lt", strip, bigCount),
      () => body(big),
      () => body(big - 1),
    );
}

/** Emits `body` for a full or for the last, narrower panel. */
export function forPanelSize(
  k: KernelBuilder,
  plan: MatmulPlan,
  panel: IntRegister,
  body: (columns: number) => void,
): void {
  if (plan.lastColumns === plan.width) body(plan.width);
  else if (plan.panels === 1) body(plan.lastColumns);
  else
    k.if(
      k.compare("lt", panel, plan.panels - 1),
      () => body(plan.width),
      () => body(plan.lastColumns),
    );
}

/** Where `count` steps from `first` of a strip lie in A packed by a step of its own; as rows, `first` is the start of a block. */
export function packedStrip(
  k: KernelBuilder,
  plan: MatmulPlan,
  base: IntRegister,
  batch: readonly IntOperand[],
  strip: IntRegister,
  first: IntOperand,
  count: IntOperand,
): IntRegister {
  const { strips, k: length, block, blocks } = plan;
  const step = strips.big * 4;
  if (plan.packedAsRows) {
    const stepBytes = strips.count * step;
    const terms = batchTerms(plan, batch, blocks * block * stepBytes);
    return offsetAddress(k, base, [...terms, [first, stepBytes], [strip, block * step]]);
  }
  const terms: (readonly [IntOperand, number])[] = batchTerms(plan, batch, strips.count * length * step);
  if (blocks === 1) terms.push([strip, length * step], [first, step]);
  else if (typeof count === "number") terms.push([first, strips.count * step], [strip, count * step]);
  else terms.push([first, strips.count * step], [k.mul(strip, count), step]);
  return offsetAddress(k, base, terms);
}

/** Terms that address matrix number `batch` of a packed temporary. */
export function batchTerms(
  plan: MatmulPlan,
  batch: readonly IntOperand[],
  bytes: number,
): (readonly [IntOperand, number])[] {
  let stride = bytes;
  const terms: (readonly [IntOperand, number])[] = [];
  for (let axis = plan.batch.length - 1; axis >= 0; axis--) {
    terms.push([batch[axis], stride]);
    stride *= plan.batch[axis];
  }
  return terms;
}
