import { InternalError } from "../../../errors.ts";
import { sizeOf } from "../../../graph/shape.ts";
import type { StepArgument, Strategy, StrategyRequest } from "../../strategy.ts";
import { asRegister, LoweringBuilder, offsetAddress, operand, splitTask } from "./lowering.ts";
import { batchTerms, forPanelSize, forStripSize, matrixAddress, packedStrip, stripStart } from "./matmul-address.ts";
import { emitMatmulStep } from "./matmul-kernel.ts";
import { emitNarrowMatmul, planNarrow } from "./matmul-narrow.ts";
import { packStripsAlongLanes } from "./matmul-pack-lanes.ts";
import { packStripsAsRows } from "./matmul-pack-rows.ts";
import { type MatmulPlan, planMatmul } from "./matmul-plan.ts";
import { emitTransposedMatmul, planTransposed } from "./matmul-transposed.ts";
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
  const transposed = planTransposed(request, request.machine);
  if (transposed) {
    emitTransposedMatmul(request, transposed, lowering);
    return;
  }
  const narrow = planNarrow(request, request.machine);
  if (narrow) {
    emitNarrowMatmul(request, narrow, lowering);
    return;
  }
  const plan = planMatmul({ batch, m, n, k, a, b }, request.machine);
  const packedA = plan.packA === "step" ? packStrips(plan, lowering) : undefined;
  const packedB = plan.packB === "step" ? packPanels(plan, lowering) : undefined;
  emitMatmulStep(request, plan, lowering, packedA, packedB);
}

const packChunk = 512;
/** Steps that one task packs: long enough runs of each row for the memory to stream. */
const packTaskSteps = 2048;

/** A packed once: [batch][block][strip][k of the block][rows of a big strip], in the order in which a task reads it. */
function packStrips(plan: MatmulPlan, lowering: LoweringBuilder): StepArgument {
  if (plan.packedAsRows) return packStripsAsRows(plan, lowering);
  const { strips, k: length, batches, a } = plan;
  const packed = lowering.temporary(batches * strips.count * length * strips.big);
  if (a.strides[plan.batch.length] === 1 && strips.count > 1) {
    packStripsAlongLanes(plan, lowering, packed);
    return packed;
  }
  const chunk = plan.blocks > 1 ? plan.block : packChunk;
  const perTask = chunk * Math.max(1, Math.round(packTaskSteps / chunk));
  const parts = Math.ceil(length / perTask);
  const work = { tasks: batches * strips.count * parts, flops: 0, bytes: 8 * batches * plan.m * length };
  lowering.step(`pack_rows_${plan.m}x${length}`, [operand(a.operand), packed], work, (k, address) => {
    const indices = splitTask(k, k.task(), [...plan.batch, strips.count, parts]);
    const batch = indices.slice(0, -2);
    const [strip, part] = indices.slice(-2).map((index) => asRegister(k, index));
    const start = k.mul(part, perTask);
    const [laneStride, stepStride] = a.strides.slice(-2);
    k.loop(start, k.intBinary("min", k.add(start, perTask), length), chunk, (first) => {
      const count =
        length % chunk === 0 ? chunk : k.intBinary("min", k.intBinary("sub", k.intConstant(length), first), chunk);
      const source = matrixAddress(k, address(operand(a.operand)), a, batch, stripStart(k, plan, strip), first);
      const destination = packedStrip(k, plan, address(packed), batch, strip, first, count);
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
