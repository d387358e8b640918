import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";
import { asRegister, operand, touchedViews } from "./lowering.ts";
import { matrixAddress } from "./matmul-address.ts";
import { unroll } from "./matmul-plan.ts";
import type { TaskState } from "./matmul-tile.ts";

/**
 * Starts to fetch what the epilogue touches of this tile (an activation, the weight that an update overwrites, the lines that the result goes
 * to) while the reduction runs: one row of the tile per iteration. Returns what each iteration does.
 */
export function emitEpiloguePrefetch(
  state: TaskState,
  row: IntRegister,
  column: IntRegister,
  rows: number,
  columns: number,
): (() => void) | undefined {
  const { k, plan, request, address, batch } = state;
  if (plan.blocks > 1 || plan.k < 4 * unroll) return undefined;
  const axis = plan.batch.length;
  const moving = touchedViews(request.epilogue, axis).map((view) => {
    const pointer = k.intMove(matrixAddress(k, address(operand(view.operand)), view, batch, row, column));
    const stride = 4 * view.strides[axis];
    return { pointer, stride, end: k.address(k.at(pointer, rows * stride)) };
  });
  return () => {
    for (const { pointer, stride, end } of moving) {
      for (let line = 0; line < columns; line += 16) k.prefetch(k.at(pointer, 4 * line), 2);
      k.intBinary("min", k.add(pointer, stride), end, pointer);
    }
  };
}

/**
 * Starts to fetch the part of B that this task packs next, spread over the tiles of the current one: rows of the next block where columns are
 * contiguous, the next panel where the reduction is.
 */
export function emitPanelPrefetch(
  state: TaskState,
  first: IntOperand,
  panel: IntRegister,
  columns: number,
  strip: IntRegister,
): (() => void) | undefined {
  const { k, plan, address, batch } = state;
  const { b, width, block, blocks } = plan;
  if (plan.packB === "step" || plan.k < 4 * unroll) return undefined;
  const [bStep, bColumn] = b.strides.slice(-2);
  const base = (row: IntOperand, column: IntOperand): IntRegister =>
    matrixAddress(k, address(operand(b.operand)), b, batch, row, column);
  const local = state.firstStrip === 0 ? strip : k.intBinary("sub", strip, state.firstStrip);
  const iterations = Math.floor(block / unroll);
  if (bColumn === 1 && blocks > 1) {
    const rows = Math.ceil(unroll / plan.stripsPerTask);
    const next = k.add(asRegister(k, first), block);
    const row = k.intBinary("min", k.add(next, k.mul(local, iterations * rows)), plan.k - 1);
    const pointer = k.intMove(base(row, k.mul(panel, width)));
    const end = base(plan.k - rows, k.mul(panel, width));
    return () => {
      for (let r = 0; r < rows; r++)
        for (let line = 0; line < columns; line += 16) k.prefetch(k.at(pointer, 4 * (r * bStep + line)), 2);
      k.intBinary("min", k.add(pointer, 4 * rows * bStep), end, pointer);
    };
  }
  if (bStep === 1 && blocks > 1) {
    // A share of the columns per strip, in step with the reduction; after the last block come the columns of the next task.
    const share = Math.ceil(width / plan.stripsPerTask);
    const row = k.add(asRegister(k, first), block);
    const column = k.add(k.mul(panel, width), k.mul(local, share));
    k.if(k.compare("ge", row, plan.k), () => {
      k.intConstant(0, row);
      k.add(column, plan.panelsPerTask * width, column);
    });
    const pointer = base(row, column);
    return () => {
      for (let c = 0; c < share; c++) k.prefetch(k.at(pointer, 4 * c * bColumn), 2);
      k.add(pointer, 4 * unroll, pointer);
    };
  }
  if (bStep === 1 && blocks === 1 && bColumn === plan.k) {
    const lines = Math.ceil((width * plan.k * 4) / 64 / (iterations * plan.stripsPerTask));
    const end = base(0, plan.n);
    const start = k.add(base(0, k.mul(k.add(panel, 1), width)), k.mul(local, iterations * lines * 64));
    const pointer = k.intBinary("min", start, end);
    return () => {
      for (let line = 0; line < lines; line++) k.prefetch(k.at(pointer, 64 * line), 2);
      k.intBinary("min", k.add(pointer, 64 * lines), end, pointer);
    };
  }
  return undefined;
}
