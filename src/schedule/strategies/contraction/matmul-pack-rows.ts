/** Packing of a matrix whose steps lie side by side in memory: the rows of a strip keep their runs, which only move together. */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import type { StepArgument } from "../../strategy.ts";
import { asRegister, type LoweringBuilder, offsetAddress, operand, splitTask } from "./lowering.ts";
import { batchTerms, forStripSize, matrixAddress, stripStart } from "./matmul-address.ts";
import type { MatmulPlan } from "./matmul-plan.ts";

/** Steps that a task copies, about: long enough runs of each row for the memory to stream. */
const taskSteps = 2048;

/**
 * A packed once: [batch][block][strip][row of a big strip][step of a whole block]. A tile broadcasts single values, so that their steps may lie apart as well as
 * together: nothing is transposed, and whole lines are copied. Blocks are an odd number of lines long, so that rows do not compete for one cache set.
 */
export function packStripsAsRows(plan: MatmulPlan, lowering: LoweringBuilder): StepArgument {
  const { strips, k: length, batches, block, blocks, a } = plan;
  const packed = lowering.temporary(batches * blocks * strips.count * strips.big * block);
  const perTask = block * Math.max(1, Math.round(taskSteps / block));
  const parts = Math.ceil(length / perTask);
  const work = { tasks: batches * strips.count * parts, flops: 0, bytes: 8 * batches * plan.m * length };
  lowering.step(`pack_rows_${plan.m}x${length}`, [operand(a.operand), packed], work, (k, address) => {
    const indices = splitTask(k, k.task(), [...plan.batch, strips.count, parts]);
    const batch = indices.slice(0, -2);
    const [strip, part] = indices.slice(-2).map((index) => asRegister(k, index));
    const start = k.mul(part, perTask);
    k.loop(start, k.intBinary("min", k.add(start, perTask), length), block, (first) => {
      const left = k.intBinary("sub", k.intConstant(length), first);
      const bytes = k.mul(k.intBinary("min", left, block), 4);
      const source = matrixAddress(k, address(operand(a.operand)), a, batch, stripStart(k, plan, strip), first);
      const destination = rowsStrip(k, plan, address(packed), batch, strip, first);
      const rowBytes = 4 * a.strides[plan.batch.length];
      forStripSize(k, plan, strip, (rows) =>
        k.loop(0, bytes, 64, (offset) => {
          const [from, to] = [k.add(source, offset), k.add(destination, offset)];
          for (let row = 0; row < rows; row++) k.store(k.load(k.at(from, row * rowBytes)), k.at(to, row * 4 * block));
        }),
      );
    });
  });
  return packed;
}

/** Where the steps of a strip from `first` on, the start of a block, lie in A packed as rows. */
export function rowsStrip(
  k: KernelBuilder,
  plan: MatmulPlan,
  base: IntRegister,
  batch: readonly IntOperand[],
  strip: IntRegister,
  first: IntOperand,
): IntRegister {
  const { strips, block, blocks } = plan;
  const stepBytes = strips.count * strips.big * 4;
  return offsetAddress(k, base, [
    ...batchTerms(plan, batch, blocks * block * stepBytes),
    [first, stepBytes],
    [strip, strips.big * block * 4],
  ]);
}
