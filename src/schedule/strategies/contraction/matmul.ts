import { InternalError } from "../../../errors.ts";
import { sizeOf } from "../../../graph/shape.ts";
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { StepArgument, Strategy, StrategyRequest } from "../../strategy.ts";
import { LoweringBuilder, offsetAddress, operand, splitTask } from "./lowering.ts";
import { emitMatmulStep } from "./matmul-kernel.ts";
import { type MatmulPlan, planMatmul } from "./matmul-plan.ts";
import { emitPanelCopy } from "./pack.ts";

/** `[batch…, m, k] x [batch…, k, n]`: every output is one fma chain over k in ascending order. */
export const matmul: Strategy = (request) => {
  if (request.meaning.kind !== "matmul") throw new InternalError(`matmul strategy asked for ${request.meaning.kind}`);
  const lowering = new LoweringBuilder();
  if (sizeOf(request.output.shape) === 0) return lowering.build();
  lowerMatmul(request, lowering);
  return lowering.build();
};

function lowerMatmul(request: StrategyRequest, lowering: LoweringBuilder): void {
  const [a, b] = request.views;
  const shape = request.output.shape;
  const batch = shape.slice(0, -2);
  const [m, n] = shape.slice(-2);
  const k = request.inputs[0].shape[batch.length + 1];
  const plan = planMatmul({ batch, m, n, k, a, b }, request.machine);
  const packedA = plan.packA === "step" ? packStrips(plan, lowering) : undefined;
  const packedB = plan.packB === "step" ? packPanels(plan, lowering) : undefined;
  emitMatmulStep(request, plan, lowering, packedA, packedB);
}

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

const packChunk = 512;

/** Where `count` steps from `first` of a strip lie in A packed by a step of its own. */
export function packedStrip(
  k: KernelBuilder,
  plan: MatmulPlan,
  base: IntRegister,
  batch: readonly IntOperand[],
  strip: IntRegister,
  first: IntOperand,
  count: IntOperand,
): IntRegister {
  const { strips, k: length, blocks } = plan;
  const step = strips.big * 4;
  const terms: (readonly [IntOperand, number])[] = batchTerms(plan, batch, strips.count * length * step);
  if (blocks === 1) terms.push([strip, length * step], [first, step]);
  else if (typeof count === "number") terms.push([first, strips.count * step], [strip, count * step]);
  else terms.push([first, strips.count * step], [k.mul(strip, count), step]);
  return offsetAddress(k, base, terms);
}

/** A packed once: [batch][block][strip][k of the block][rows of a big strip], in the order in which a task reads it. */
function packStrips(plan: MatmulPlan, lowering: LoweringBuilder): StepArgument {
  const { strips, k: length, batches, a } = plan;
  const packed = lowering.temporary(batches * strips.count * length * strips.big);
  const chunk = plan.blocks > 1 ? plan.block : packChunk;
  const chunks = Math.ceil(length / chunk);
  const work = { tasks: batches * strips.count * chunks, flops: 0, bytes: 8 * batches * plan.m * length };
  lowering.step(`pack_rows_${plan.m}x${length}`, [operand(a.operand), packed], work, (k, address) => {
    const indices = splitTask(k, k.task(), [...plan.batch, strips.count, chunks]);
    const batch = indices.slice(0, -2);
    const [strip, part] = indices.slice(-2).map((index) => (typeof index === "number" ? k.intConstant(index) : index));
    const first = k.mul(part, chunk);
    const count = chunks === 1 ? length : k.intBinary("min", k.intBinary("sub", k.intConstant(length), first), chunk);
    const source = matrixAddress(k, address(operand(a.operand)), a, batch, stripStart(k, plan, strip), first);
    const destination = packedStrip(k, plan, address(packed), batch, strip, first, count);
    const [laneStride, stepStride] = a.strides.slice(-2);
    forStripSize(k, plan, strip, (lanes) =>
      emitPanelCopy(k, {
        source,
        laneStride,
        stepStride,
        lanes,
        count,
        countRest: length % 16,
        destination,
        width: strips.big,
      }),
    );
  });
  return packed;
}

/** B packed once: [batch][panel][k][width]. */
function packPanels(plan: MatmulPlan, lowering: LoweringBuilder): StepArgument {
  const { panels, width, k: length, batches, b } = plan;
  const packed = lowering.temporary(batches * panels * length * width);
  const chunks = Math.ceil(length / packChunk);
  const work = { tasks: batches * panels * chunks, flops: 0, bytes: 8 * batches * plan.n * length };
  lowering.step(`pack_columns_${length}x${plan.n}`, [operand(b.operand), packed], work, (k, address) => {
    const indices = splitTask(k, k.task(), [...plan.batch, panels, chunks]);
    const batch = indices.slice(0, -2);
    const [panel, chunk] = indices.slice(-2).map((index) => (typeof index === "number" ? k.intConstant(index) : index));
    const first = k.mul(chunk, packChunk);
    const count =
      chunks === 1 ? length : k.intBinary("min", k.intBinary("sub", k.intConstant(length), first), packChunk);
    const source = matrixAddress(k, address(operand(b.operand)), b, batch, first, k.mul(panel, width));
    const destination = offsetAddress(k, address(packed), [
      ...batchTerms(plan, batch, panels * length * width * 4),
      [panel, length * width * 4],
      [first, width * 4],
    ]);
    const [stepStride, laneStride] = b.strides.slice(-2);
    forPanelSize(k, plan, panel, (lanes) =>
      emitPanelCopy(k, { source, laneStride, stepStride, lanes, count, countRest: length % 16, destination, width }),
    );
  });
  return packed;
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
