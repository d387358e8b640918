/** Packing of a matrix strip by strip: its rows as runs that only move together, or transposed so that the rows of a step lie side by side. */
import type { IntOperand } from "../../../kernel/ir.ts";
import type { StepArgument } from "../../strategy.ts";
import { asRegister, type LoweringBuilder, operand, splitTask } from "./lowering.ts";
import { forStripSize, matrixAddress, packedStrip, stripStart } from "./matmul-address.ts";
import type { MatmulPlan } from "./matmul-plan.ts";
import { emitPanelCopy, type PanelCopy } from "./pack.ts";

/** Steps that are packed together where the reduction has no blocks. */
const chunkSteps = 512;
/** Steps that a task packs, about: long enough runs of each row for the memory to stream. */
const taskSteps = 2048;

/**
 * Packs A into `packed`, block by block, in the order in which tasks read it. A tile broadcasts single values, so that their steps may lie apart as well as
 * together: as rows, `[batch][block][strip][row of a big strip][step of a whole block]`, nothing is transposed, and whole lines are copied.
 */
export function packStripsInTurn(plan: MatmulPlan, lowering: LoweringBuilder, packed: StepArgument): void {
  const { strips, k: length, batches, a } = plan;
  const chunk = plan.blocks > 1 ? plan.block : chunkSteps;
  const perTask = chunk * Math.max(1, Math.round(taskSteps / chunk));
  const parts = Math.ceil(length / perTask);
  const work = { tasks: batches * strips.count * parts, flops: 0, bytes: 8 * batches * plan.m * length };
  lowering.step(`pack_rows_${plan.m}x${length}`, [operand(a.operand), packed], work, (k, address) => {
    const indices = splitTask(k, k.task(), [...plan.batch, strips.count, parts]);
    const batch = indices.slice(0, -2);
    const [strip, part] = indices.slice(-2).map((index) => asRegister(k, index));
    const start = k.mul(part, perTask);
    const [laneStride, stepStride] = a.strides.slice(-2);
    k.loop(start, k.intBinary("min", k.add(start, perTask), length), chunk, (first) => {
      const count: IntOperand =
        length % chunk === 0 ? chunk : k.intBinary("min", k.intBinary("sub", k.intConstant(length), first), chunk);
      const source = matrixAddress(k, address(operand(a.operand)), a, batch, stripStart(k, plan, strip), first);
      const destination = packedStrip(k, plan, address(packed), batch, strip, first, count);
      const copy = { source, laneStride, stepStride, count, countRest: length % 16, destination, width: strips.big };
      forStripSize(k, plan, strip, (lanes) => {
        if (plan.packedAsRows) copyRuns(k, { ...copy, lanes, width: plan.block });
        else emitPanelCopy(k, { ...copy, lanes });
      });
    });
  });
}

/** Copies runs of whole lines; they lie `width` floats apart afterwards. */
function copyRuns(k: Parameters<typeof emitPanelCopy>[0], copy: PanelCopy): void {
  const bytes = typeof copy.count === "number" ? 4 * copy.count : k.mul(copy.count, 4);
  k.loop(0, bytes, 64, (offset) => {
    const [from, to] = [k.add(copy.source, offset), k.add(copy.destination, offset)];
    for (let lane = 0; lane < copy.lanes; lane++)
      k.store(k.load(k.at(from, 4 * lane * copy.laneStride)), k.at(to, 4 * lane * copy.width));
  });
}
