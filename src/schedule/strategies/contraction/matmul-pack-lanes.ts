/** Packing of a matrix whose rows of a step lie side by side in memory (a transposed one): all strips of a few steps together. */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { StepArgument } from "../../strategy.ts";
import { type AddressOf, asRegister, type LoweringBuilder, operand, splitTask } from "./lowering.ts";
import { matrixAddress, packedStrip } from "./matmul-address.ts";
import type { MatmulPlan } from "./matmul-plan.ts";

/** Where packing finds the rows of a few steps: a run of `m` elements for each. */
export interface StepSource {
  readonly argument: StepArgument;
  /** Elements from one step to the next. */
  readonly stepStride: number;
  /** The address of the first of `count` steps, at most `group`; a source may gather them in scratch. */
  emit(
    k: KernelBuilder,
    address: AddressOf,
    at: { readonly batch: readonly IntOperand[]; readonly first: IntRegister; readonly count: number },
  ): IntRegister;
}

/** A matrix that lies in memory as [k][m]. */
function stepsOf({ a, batch }: MatmulPlan): StepSource {
  return {
    argument: operand(a.operand),
    stepStride: a.strides[batch.length + 1],
    emit: (k, address, at) => matrixAddress(k, address(operand(a.operand)), a, at.batch, 0, at.first),
  };
}

/** Steps that are copied together: as many runs of memory as the first-level cache holds even where their addresses compete for one set. */
export const group = 8;
/** Elements that a task copies at least. */
const grain = 16384;

/**
 * Packs A, [k][m] in memory, into `packed` as `packStrips` lays it out. Strip by strip a run would be left after a line or less; here each page of A
 * is visited once. Blocks are multiples of 16 steps, so that a group lies in one.
 */
export function packStripsAlongLanes(
  plan: MatmulPlan,
  lowering: LoweringBuilder,
  packed: StepArgument,
  rows: StepSource = stepsOf(plan),
): void {
  const { k: length, m, strips, batches } = plan;
  const groups = Math.ceil(length / group);
  const perTask = Math.max(1, Math.floor(grain / (group * m)));
  const parts = Math.ceil(groups / perTask);
  const work = { tasks: batches * parts, flops: 0, bytes: 8 * batches * m * length };
  lowering.step(`pack_rows_${m}x${length}`, [rows.argument, packed], work, (k, address) => {
    const indices = splitTask(k, k.task(), [...plan.batch, parts]);
    const batch = indices.slice(0, -1);
    const start = k.mul(asRegister(k, indices[indices.length - 1]), perTask);
    k.loop(start, k.intBinary("min", k.add(start, perTask), groups), 1, (number) => {
      const first = k.mul(number, group);
      const { destination, stripBytes } = placeOf(k, plan, address(packed), batch, first);
      const copy = (steps: number): void => {
        const from = k.intMove(rows.emit(k, address, { batch, first, count: steps }));
        const to = k.intMove(destination);
        const run = (count: number, size: number): void => {
          if (count === 0) return;
          k.loop(0, count, 1, () => {
            copyStrip(k, plan, rows.stepStride, from, to, steps, size);
            k.add(from, 4 * size, from);
            k.add(to, stripBytes, to);
          });
        };
        run(strips.bigCount, strips.big);
        run(strips.count - strips.bigCount, strips.big - 1);
      };
      const rest = length % group;
      if (rest === 0) copy(group);
      else
        k.if(
          k.compare("lt", number, groups - 1),
          () => copy(group),
          () => copy(rest),
        );
    });
  });
}

/** Where a step of the first strip lies in the packed matrix, and how far the strips are apart there. */
function placeOf(
  k: KernelBuilder,
  plan: MatmulPlan,
  packed: IntRegister,
  batch: Parameters<typeof packedStrip>[3],
  step: IntRegister,
): { readonly destination: IntRegister; readonly stripBytes: IntRegister | number } {
  const { k: length, block, blocks, strips } = plan;
  const stepBytes = 4 * strips.big;
  const none = k.intConstant(0);
  if (blocks === 1) {
    return { destination: packedStrip(k, plan, packed, batch, none, step, length), stripBytes: length * stepBytes };
  }
  const within = k.intBinary("rem", step, block);
  const first = k.intBinary("sub", step, within);
  const count = k.intBinary("min", k.intBinary("sub", k.intConstant(length), first), block);
  const blockStart = packedStrip(k, plan, packed, batch, none, first, count);
  return { destination: k.add(blockStart, k.mul(within, stepBytes)), stripBytes: k.mul(count, stepBytes) };
}

/** `steps` steps of one strip of `rows` rows. */
function copyStrip(
  k: KernelBuilder,
  { strips }: MatmulPlan,
  stepStride: number,
  source: IntRegister,
  destination: IntRegister,
  steps: number,
  rows: number,
): void {
  for (let step = 0; step < steps; step++)
    for (let lane = 0; lane < rows; lane += 16) {
      const options = rows - lane < 16 ? { lanes: rows - lane } : {};
      const value = k.load(k.at(source, 4 * (step * stepStride + lane)), "f32", options);
      k.store(value, k.at(destination, 4 * (step * strips.big + lane)), "f32", options);
    }
}
