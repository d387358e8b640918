import { InternalError } from "../../../errors.ts";
import { sizeOf } from "../../../graph/shape.ts";
import type { StepArgument, Strategy, StrategyRequest } from "../../strategy.ts";
import { LoweringBuilder, offsetAddress, operand, splitTask } from "./lowering.ts";
import { batchTerms, forPanelSize, matrixAddress } from "./matmul-address.ts";
import { emitMatmulStep } from "./matmul-kernel.ts";
import { emitNarrowMatmul, planNarrow } from "./matmul-narrow.ts";
import { packStripsAlongLanes } from "./matmul-pack-lanes.ts";
import { packStripsInTurn } from "./matmul-pack-strips.ts";
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

/** Lowers a product whose views are over [batch…, m, k] and [batch…, k, n]. */
export function lowerMatmul(request: StrategyRequest, lowering: LoweringBuilder): void {
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
  emitProduct(request, plan, lowering, plan.packA === "step" ? packStrips(plan, lowering) : undefined);
}

/** Emits a planned product, with A packed by a step before it or not. */
export function emitProduct(
  request: StrategyRequest,
  plan: MatmulPlan,
  lowering: LoweringBuilder,
  packedA: StepArgument | undefined,
): void {
  const packedB = plan.packB === "step" ? packPanels(plan, lowering) : undefined;
  emitMatmulStep(request, plan, lowering, packedA, packedB);
}

const packChunk = 512;

/** A packed once: [batch][block][strip][k of the block][rows of a big strip], or with its last two exchanged, in the order in which a task reads it. */
function packStrips(plan: MatmulPlan, lowering: LoweringBuilder): StepArgument {
  const { strips, k: length, batches, a } = plan;
  const steps = plan.packedAsRows ? plan.blocks * plan.block : length;
  const packed = lowering.temporary(batches * strips.count * steps * strips.big);
  if (a.strides[plan.batch.length] === 1 && strips.count > 1) packStripsAlongLanes(plan, lowering, packed);
  else packStripsInTurn(plan, lowering, packed);
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
